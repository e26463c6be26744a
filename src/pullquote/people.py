"""Who asks: a person with groups and a role; the access mode that tells them apart; the file of passwords."""

import re
import secrets
import tempfile
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pullquote.errors import AccessError
from pullquote.settings import Settings

Role = Literal["visitor", "editor", "admin"]  # asks; changes articles too; sees logs and settings too
Mode = Literal["open", "password", "oidc", "proxy"]

NAME = re.compile(r"[\w.@+ -]{1,120}")
MIN_PASSWORD, MAX_PASSWORD = 8, 200  # characters


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody the app knows. `groups` are what articles may be shown to."""

    name: str
    groups: frozenset[str] = frozenset()
    role: Role = "visitor"

    @property
    def is_editor(self) -> bool:
        """Whether this person may change articles."""
        return self.role in {"editor", "admin"}

    @property
    def sees(self) -> frozenset[str] | None:
        """The groups whose articles are shown beside those for everybody; None for one who sees all, an editor."""
        return None if self.is_editor else self.groups


ANYBODY = Person("")


def person_of(name: str, groups: frozenset[str], settings: Settings) -> Person:
    """The person with the role that the groups give."""
    if settings.admin_group in groups:
        return Person(name, groups, "admin")
    return Person(name, groups, "editor" if settings.editor_group in groups else "visitor")


def access_mode(settings: Settings) -> Mode:
    """How people are told apart. Raises `AccessError`, which says what to set, rather than letting everybody in."""
    needs: dict[str, dict[str, object]] = {
        "password": {"PULLQUOTE_PASSWORDS": settings.passwords},
        "proxy": {"PULLQUOTE_PROXIES": settings.proxies},
        "oidc": {
            "PULLQUOTE_OIDC_ISSUER": settings.oidc_issuer,
            "PULLQUOTE_OIDC_CLIENT": settings.oidc_client,
            "PULLQUOTE_OIDC_SECRET": settings.oidc_secret.get_secret_value(),
        },
    }
    missing = [name for name, value in needs.get(settings.access or "", {}).items() if not value]
    if missing:
        raise AccessError(f"PULLQUOTE_ACCESS={settings.access} needs {' and '.join(missing)} too; see README, Access")
    if settings.access is None and not _is_loopback(settings.host):
        raise AccessError(
            f"listening on {settings.host} lets other machines in: set PULLQUOTE_ACCESS to password, oidc or proxy, "
            "or to open if whoever reaches it may ask"
        )
    return settings.access or "open"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Passwords:
    """A file of people, a line for each: `name:group,group:hash`, hashes by Argon2id (RFC 9106).

    It is read again when it has changed, so that who is taken out of it is out. Safe to share between threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hasher = PasswordHasher()
        self._unknown = self._hasher.hash(secrets.token_hex())
        self._lock = threading.Lock()
        self._read_at: object = None
        self._people: dict[str, tuple[frozenset[str], str]] = {}

    def groups(self, name: str) -> frozenset[str] | None:
        """The groups of the person of this name; None for one who is not in the file."""
        found = self._all().get(name)
        return found[0] if found else None

    def check(self, name: str, password: str) -> bool:
        """Whether the password is this person's. Takes as long for one who is not in the file."""
        _, known = self._all().get(name, (None, self._unknown))
        try:
            return self._hasher.verify(known, password[:MAX_PASSWORD]) and known is not self._unknown
        except (VerificationError, InvalidHashError):
            return False

    def put(self, name: str, password: str, groups: frozenset[str]) -> None:
        """Add a person, or give one a new password and groups. Raises `AccessError`."""
        for text in (name, *groups):
            if not NAME.fullmatch(text):
                raise AccessError(f"{text!r} cannot be a name: letters, digits, blanks and . @ + - _ only, 120 at most")
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise AccessError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        people = self._all() if self._path.exists() else {}
        self._write({**people, name: (groups, self._hasher.hash(password))})

    def remove(self, name: str) -> None:
        """Take a person out. Raises `AccessError` when there is none of this name."""
        people = dict(self._all())
        if people.pop(name, None) is None:
            raise AccessError(f"there is nobody named {name!r} in {self._path}")
        self._write(people)

    def all(self) -> list[tuple[str, list[str]]]:
        """Everybody's name and groups."""
        return [(name, sorted(groups)) for name, (groups, _) in sorted(self._all().items())]

    def _all(self) -> dict[str, tuple[frozenset[str], str]]:
        with self._lock:
            try:
                stat = self._path.stat()
                if self._read_at != (stat.st_mtime_ns, stat.st_ino, stat.st_size):
                    self._people = dict(map(_entry, filter(None, self._path.read_text().splitlines())))
                    self._read_at = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            except (OSError, ValueError) as error:
                raise AccessError(
                    f"the passwords in {self._path} cannot be read: {error}; make them with `pullquote user set NAME`"
                ) from error
            return self._people

    def _write(self, people: dict[str, tuple[frozenset[str], str]]) -> None:
        lines = [f"{name}:{','.join(sorted(groups))}:{known}\n" for name, (groups, known) in sorted(people.items())]
        try:
            with tempfile.NamedTemporaryFile("w", dir=self._path.parent, delete=False) as file:  # mode 0600
                file.writelines(lines)
            Path(file.name).replace(self._path)
        except OSError as error:
            raise AccessError(f"{self._path} cannot be written: {error}") from error


def _entry(line: str) -> tuple[str, tuple[frozenset[str], str]]:
    name, groups, known = line.split(":", 2)
    return name, (frozenset(filter(None, groups.split(","))), known)

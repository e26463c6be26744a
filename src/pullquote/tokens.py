"""Editors' tokens: who may change the library. Only their SHA-256 is kept, for a token is random and long."""

import hashlib
import re
import secrets
from datetime import UTC, datetime

from pullquote.database import Database
from pullquote.errors import AccessError
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary, Records, SharedLibrary

PREFIX = "pq_"  # so that a leaked one is known for what it is


class Tokens:
    """The tokens of one library. Safe to share between threads."""

    def __init__(self, library: AnyLibrary) -> None:
        self._kept = _Records(library.records) if isinstance(library, SharedLibrary) else _Table(library)

    def new(self, name: str) -> str:
        """A new token for the editor of this name, to be shown once. Raises `AccessError` when the name is taken."""
        if not re.fullmatch(r"[\w .@-]{1,60}", name) or not name.strip():
            raise AccessError("a token's name has 1 to 60 letters, digits, blanks, or . @ - _")
        if name in dict(self.all()):
            raise AccessError(f"there is a token named {name!r} already; remove it first, or choose another name")
        token = PREFIX + secrets.token_urlsafe(32)
        self._kept.put(name, _digest(token), datetime.now(UTC).isoformat(timespec="seconds"))
        return token

    def holder(self, token: str) -> str | None:
        """The name of the editor who holds this token; None for one that is not known."""
        return self._kept.holder(_digest(token))

    def all(self) -> list[tuple[str, str]]:
        """Every name, and when its token was made."""
        return sorted((name, now) for name, _, now in self._kept.rows())

    def remove(self, name: str) -> None:
        """End a token. Raises `AccessError` when there is none of this name."""
        if not self._kept.remove(name):
            raise AccessError(f"there is no token named {name!r}; `pullquote token list` shows them all")

    def copy_to(self, other: "Tokens") -> None:
        """Let these be tokens of another library too."""
        for row in self._kept.rows():
            other._kept.put(*row)

    def close(self) -> None:
        """Close every thread's connection."""
        self._kept.close()


class _Table:
    """Tokens in a folder's library."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def put(self, name: str, sha256: str, now: str) -> None:
        with self._database.transaction() as db:
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", [name, sha256, now])

    def holder(self, sha256: str) -> str | None:
        row = self._database.connection.execute("SELECT name FROM tokens WHERE sha256 = ?", [sha256]).fetchone()
        return str(row[0]) if row else None

    def rows(self) -> list[tuple[str, str, str]]:
        return self._database.connection.execute("SELECT name, sha256, created_at FROM tokens").fetchall()

    def remove(self, name: str) -> bool:
        with self._database.transaction() as db:
            return db.execute("DELETE FROM tokens WHERE name = ?", [name]).rowcount > 0

    def close(self) -> None:
        self._database.close()


class _Records:
    """Tokens in a library on a server."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, name: str, sha256: str, now: str) -> None:
        self._records.put("token", name, [name, sha256, now], sha256=sha256)

    def holder(self, sha256: str) -> str | None:
        found = self._records.find("token", sha256=sha256)
        return str(found[0]) if found else None

    def rows(self) -> list[tuple[str, str, str]]:
        return [(name, sha256, now) for name, sha256, now in self._records.all("token")]

    def remove(self, name: str) -> bool:
        return self._records.remove("token", name)

    def close(self) -> None:
        """The connection is the library's."""


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()

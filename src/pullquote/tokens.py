"""Editors' tokens: who may change the library. Only their SHA-256 is kept, for a token is random and long."""

import hashlib
import re
import secrets
from datetime import UTC, datetime

from pullquote.database import Database
from pullquote.errors import AccessError
from pullquote.library import FILE_NAME, Library

PREFIX = "pq_"  # so that a leaked one is known for what it is


class Tokens:
    """The tokens of one library. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def new(self, name: str) -> str:
        """A new token for the editor of this name, to be shown once. Raises `AccessError` when the name is taken."""
        if not re.fullmatch(r"[\w .@-]{1,60}", name) or not name.strip():
            raise AccessError("a token's name has 1 to 60 letters, digits, blanks, or . @ - _")
        if name in dict(self.all()):
            raise AccessError(f"there is a token named {name!r} already; remove it first, or choose another name")
        token = PREFIX + secrets.token_urlsafe(32)
        with self._database.transaction() as db:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            db.execute("INSERT INTO tokens VALUES (?, ?, ?)", [name, _digest(token), now])
        return token

    def holder(self, token: str) -> str | None:
        """The name of the editor who holds this token; None for one that is not known."""
        row = self._database.connection.execute("SELECT name FROM tokens WHERE sha256 = ?", [_digest(token)]).fetchone()
        return str(row[0]) if row else None

    def all(self) -> list[tuple[str, str]]:
        """Every name, and when its token was made."""
        return self._database.connection.execute("SELECT name, created_at FROM tokens ORDER BY name").fetchall()

    def remove(self, name: str) -> None:
        """End a token. Raises `AccessError` when there is none of this name."""
        with self._database.transaction() as db:
            if not db.execute("DELETE FROM tokens WHERE name = ?", [name]).rowcount:
                raise AccessError(f"there is no token named {name!r}; `pullquote token list` shows them all")

    def close(self) -> None:
        """Close every thread's connection."""
        self._database.close()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()

"""Sessions, in the library's file, so that replicas share them. Only the SHA-256 of an id is kept."""

import hashlib
import json
import secrets
import time
from typing import Any

from pullquote.database import Database
from pullquote.library import FILE_NAME, Library

ID_BYTES = 16  # 128 bits, from the operating system

Data = dict[str, Any]


class Sessions:
    """What is known of a browser between its requests. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def new(self, data: Data, seconds: float) -> str:
        """The id of a new session, which holds `data` and ends after so many seconds."""
        key = secrets.token_urlsafe(ID_BYTES)
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_at < ?", [time.time()])
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", [_digest(key), json.dumps(data), time.time() + seconds])
        return key

    def get(self, key: str) -> Data | None:
        """What the session holds; None for one that has ended, or never was."""
        query = "SELECT data FROM sessions WHERE sha256 = ? AND ends_at >= ?"
        row = self._database.connection.execute(query, [_digest(key), time.time()]).fetchone()
        return dict(json.loads(row[0])) if row else None

    def end(self, key: str) -> None:
        """End a session; nothing happens to one that has."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE sha256 = ?", [_digest(key)])

    def close(self) -> None:
        """Close every thread's connection."""
        self._database.close()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()

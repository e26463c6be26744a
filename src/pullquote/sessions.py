"""Sessions, in the library, so that replicas share them. Only the SHA-256 of an id is kept."""

import hashlib
import json
import secrets
import time
from typing import Any

from pullquote.database import Database
from pullquote.library import FILE_NAME, Library
from pullquote.shared_library import AnyLibrary, Records, SharedLibrary

ID_BYTES = 16  # 128 bits, from the operating system

Data = dict[str, Any]


class Sessions:
    """What is known of a browser between its requests. Safe to share between threads."""

    def __init__(self, library: AnyLibrary) -> None:
        self._kept = _Records(library.records) if isinstance(library, SharedLibrary) else _Table(library)

    def new(self, data: Data, seconds: float) -> str:
        """The id of a new session, which holds `data` and ends after so many seconds."""
        key = secrets.token_urlsafe(ID_BYTES)
        self._kept.put(_digest(key), data, time.time() + seconds)
        return key

    def get(self, key: str) -> Data | None:
        """What the session holds; None for one that has ended, or never was."""
        return self._kept.get(_digest(key))

    def end(self, key: str) -> None:
        """End a session; nothing happens to one that has."""
        self._kept.remove(_digest(key))

    def close(self) -> None:
        """Close every thread's connection."""
        self._kept.close()


class _Table:
    """Sessions in a folder's library; each new one takes those away that have ended."""

    def __init__(self, library: Library) -> None:
        self._database = Database(library.folder / FILE_NAME)

    def put(self, sha256: str, data: Data, ends_at: float) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE ends_at < ?", [time.time()])
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", [sha256, json.dumps(data), ends_at])

    def get(self, sha256: str) -> Data | None:
        query = "SELECT data FROM sessions WHERE sha256 = ? AND ends_at >= ?"
        row = self._database.connection.execute(query, [sha256, time.time()]).fetchone()
        return dict(json.loads(row[0])) if row else None

    def remove(self, sha256: str) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM sessions WHERE sha256 = ?", [sha256])

    def close(self) -> None:
        self._database.close()


class _Records:
    """Sessions in a library on a server, likewise."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, sha256: str, data: Data, ends_at: float) -> None:
        self._records.remove_before("session", int(1000 * time.time()))
        self._records.put("session", sha256, {"data": data, "ends_at": ends_at}, int(1000 * ends_at))

    def get(self, sha256: str) -> Data | None:
        found = self._records.get("session", sha256)
        return dict(found["data"]) if found and found["ends_at"] >= time.time() else None

    def remove(self, sha256: str) -> None:
        self._records.remove("session", sha256)

    def close(self) -> None:
        """The connection is the library's."""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()

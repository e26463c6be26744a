"""What is kept beside the chunks, each as a row of one collection: a kind, a key of that kind, and a value as JSON."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pullquote.errors import LibraryError
from pullquote.milvus.client import MARKS, MAX_VALUE, Milvus, Row

PIECE = 15_000  # characters of a long value in one row: UTF-8 has four bytes for one at most


class MilvusRecords:
    """The records of one library. Safe to share between threads."""

    def __init__(self, milvus: Milvus) -> None:
        self._milvus = milvus
        self._collection = f"{milvus.name}_records"
        if self._collection not in milvus.collections():
            milvus.create_records(self._collection)
        milvus.load(self._collection)

    def put(self, kind: str, key: str, value: Any, at: int = 0, **marks: str) -> None:
        """Keep a value, in place of the one under that key; `marks` (see `MARKS`) are what else it is found by.

        Raises `LibraryError` for one that is too long.
        """
        text = json.dumps(value, ensure_ascii=False)
        if len(text.encode()) > MAX_VALUE:
            raise LibraryError(f"this is too long for a library on Milvus, which keeps {MAX_VALUE:,} bytes of it")
        row = _row(kind, _key(kind, key), text, at)
        self._milvus.put(self._collection, [row | {mark: digest(found_by) for mark, found_by in marks.items()}])

    def get(self, kind: str, key: str) -> Any:
        """The value; None where there is none."""
        return self._first(f'key == "{_key(kind, key)}"')

    def find(self, kind: str, where: str = "", **marks: str) -> Any:
        """A value with these marks, for which an expression is true; None where there is none."""
        parts = [f'{mark} == "{digest(found_by)}"' for mark, found_by in marks.items()]
        return self._first(" and ".join(filter(None, [f'kind == "{kind}"', *parts, where])))

    def all(self, kind: str, where: str = "") -> list[Any]:
        """All values of a kind, for which an expression is true, by what was given as `at`."""
        where = " and ".join(filter(None, [f'kind == "{kind}"', where]))
        rows = self._milvus.all_rows(self._collection, where, ["key", "at", "value"])
        return [json.loads(row["value"]) for row in sorted(rows, key=lambda row: (row["at"], row["key"]))]

    def remove(self, kind: str, key: str) -> bool:
        """Remove a value; says whether there was one."""
        where = f'key == "{_key(kind, key)}"'
        if not self._milvus.rows(self._collection, where, ["key"]):
            return False
        self.remove_where(where)
        return True

    def remove_before(self, kind: str, at: int) -> None:
        """Remove the values with a smaller `at`."""
        self.remove_where(f'kind == "{kind}" and at < {at}')

    def remove_where(self, where: str) -> None:
        """Remove the values for which an expression is true."""
        self._milvus.delete(self._collection, where)

    def put_long(self, kind: str, at: int, value: Any) -> None:
        """Keep a value of any length under a number."""
        text = json.dumps(value, ensure_ascii=False)
        pieces = (text[start : start + PIECE] for start in range(0, len(text), PIECE))
        rows = (_row(kind, f"{kind}:{at}/{number:06}", piece, at) for number, piece in enumerate(pieces))
        self._milvus.put(self._collection, rows)

    def get_long(self, kind: str, numbers: Sequence[int]) -> dict[int, Any]:
        """What `put_long` kept under these numbers; what is gone, in part or whole, is left out."""
        where = f'kind == "{kind}" and at in {[*numbers]}'
        texts: dict[int, str] = {}
        for row in self._milvus.all_rows(self._collection, where, ["key", "at", "value"]):
            texts[row["at"]] = texts.get(row["at"], "") + row["value"]
        found = {}
        for number, text in texts.items():
            with suppress(ValueError):  # it is being deleted
                found[number] = json.loads(text)
        return found

    def _first(self, where: str) -> Any:
        rows = self._milvus.rows(self._collection, where, ["value"], 1)
        return json.loads(rows[0]["value"]) if rows else None


def _row(kind: str, key: str, value: str, at: int) -> Row:
    row = {"key": key, "kind": kind, "value": value, "at": at, "unused": [0.0, 0.0]}
    return row | dict.fromkeys(MARKS, "")


def _key(kind: str, key: str) -> str:
    return f"{kind}:{digest(key)}"


def digest(text: str) -> str:
    """SHA-256 of a text, hexadecimal: for filters, in which nobody's words are to be syntax."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()

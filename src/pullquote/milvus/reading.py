"""What is read of a library on Milvus: articles, chunks, and the two searches, each of one moment."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np

from pullquote.caching import Cache
from pullquote.datatypes import Article, Chunk
from pullquote.errors import EncoderMismatch, LibraryError
from pullquote.library import Result, unknown
from pullquote.milvus.client import Milvus, Row
from pullquote.milvus.moments import Moment, Writers
from pullquote.milvus.records import MilvusRecords
from pullquote.milvus.rows import BITS, SPAN, Terms, article_of, between, chunk_of, is_shown
from pullquote.shared_library import Candidates, SharedLibrary
from pullquote.timing import stage
from pullquote.vector_rows import BLOCK, Keys, Vectors

KEPT = 1_024  # articles that are remembered; a version never changes
AT_ONCE = 100  # articles that are read together
TRIES = 5  # at reading of one moment


class MilvusReader(SharedLibrary):
    """The part of a library on Milvus that changes nothing."""

    def __init__(self, milvus: Milvus, records: MilvusRecords, writers: Writers) -> None:
        self.records: MilvusRecords = records
        self._milvus = milvus
        self._writers = writers
        self._texts = Cache[Article](KEPT)
        self._groups: frozenset[str] | None = None
        self._thread = threading.local()
        self._terms = Terms()

    @property
    def state(self) -> str:
        return self._moment.state

    @property
    def revision(self) -> int:
        return self._moment.revision

    @property
    def encoder(self) -> str:
        return self._moment.encoder

    @property
    def is_empty(self) -> bool:
        return self._record_with() is None

    def require_encoder(self, fingerprint: str) -> None:
        if (known := self.encoder) not in ("", fingerprint):
            raise EncoderMismatch(
                f"this library was embedded with {known}, but the encoder set now is {fingerprint}; "
                "run `pullquote reembed` to embed it again, or set PULLQUOTE_ENCODER back"
            )

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        if self._is_inside:
            yield
            return
        self._thread.moment = self._writers.moment()
        self._thread.chunks, self._thread.versions = {}, {}
        try:
            yield
        finally:
            vars(self._thread).clear()

    def at_one_moment(self, read: Callable[[], Result]) -> Result:
        for _ in range(TRIES):
            began = time.monotonic()
            with self.snapshot():
                before = self._moment
                result = read()
            if time.monotonic() - began < self._writers.grace or self._writers.moment() == before:
                return result
        raise _too_fast()

    def candidates(
        self, vector: Vectors, words: Sequence[str], count: int, within: Sequence[range] | None
    ) -> Candidates:
        with stage("lexical"):
            by_words = self._by_words(words, count, within, (*SPAN, "dense"))
        with stage("dense"):
            nearest = self._search("dense", vector, count, within, SPAN)
        for _, row in [*by_words, *nearest]:
            self._chunks[row["key"]] = row
            self._versions[row["article_id"]] = row["key"] >> BITS
        others = {row["key"]: float(np.asarray(row["dense"], np.float32) @ vector) for _, row in by_words}
        dense = others | {row["key"]: score for score, row in nearest}
        return Candidates(dense, {row["key"]: score for score, row in by_words})

    def groups_of(self, article_id: str) -> list[str]:
        record = self._record_with(name=article_id)
        return list(record["groups"] if record else self.records.get("groups", article_id) or ())

    def groups_by_article(self) -> dict[str, list[str]]:
        return {record["id"]: record["groups"] for record in self._records() if record["groups"]}

    def tagged(self) -> list[tuple[str, str]]:
        if not (rows := self.records.all("tags")):
            return []
        shown = {record["id"] for record in self._records() if self._shows(record)}
        return [(tag, row["id"]) for row in rows if row["id"] in shown for tag in row["tags"]]

    def article(self, article_id: str) -> Article:
        for _ in range(TRIES):
            version = self._versions.get(article_id) or self._record(article_id)["version"]
            if found := self._articles([version]):
                return found[version]
        raise _too_fast()

    def articles(self) -> list[tuple[Article, int]]:
        records = {record["version"]: record for record in self._records() if self._shows(record)}
        rows = [(article, records[version]["count"]) for version, article in self._articles([*records]).items()]
        return sorted(rows, key=lambda row: row[0].added_at)

    def find(self, sha256: str = "", source: str = "") -> str | None:
        found = self._record_with(sha256=sha256) if sha256 else None
        found = found or (self._record_with(origin=source) if source else None)
        return str(found["id"]) if found else None

    def given_title(self, article_id: str) -> str:
        record = self._record_with(name=article_id)
        return str(record["given_title"]) if record else ""

    def keys(self, article_id: str) -> range:
        record = self._record(article_id)
        first = record["version"] << BITS
        return range(first, first + record["count"])

    def chunks(self, keys: Sequence[int]) -> dict[int, Chunk]:
        rows = {key: self._chunks[key] for key in keys if key in self._chunks}
        if missing := [int(key) for key in keys if key not in rows]:
            rows |= {row["key"]: row for row in self._rows(f"key in {missing}", SPAN)}
        return {key: chunk_of(rows[key]) for key in sorted(rows)}

    def chunks_of(self, article_id: str) -> list[Chunk]:
        return [chunk_of(row) for row in self._rows(between([self.keys(article_id)]), SPAN)]

    def all_chunks(self) -> list[tuple[int, Chunk]]:
        return [(row["key"], chunk_of(row)) for row in self._rows("", SPAN)]

    def search_words(self, words: Sequence[str], count: int, within: range | None = None) -> list[tuple[int, float]]:
        found = self._by_words(words, count, [within] if within else None, ("key",))
        return [(row["key"], score) for score, row in found]

    def size(self) -> tuple[int, int]:
        return sum(record["count"] for record in self._records()), self._moment.dimension

    def vector_blocks(self, block: int = BLOCK) -> Iterator[tuple[Keys, Vectors]]:
        rows = self._rows("", ("key", "dense"))
        while part := list(islice(rows, block)):
            keys = np.array([row["key"] for row in part], dtype=np.int64)
            yield keys, np.array([row["dense"] for row in part], dtype=np.float32)

    def vectors_of(self, keys: Sequence[int]) -> Vectors:
        rows = {row["key"]: row["dense"] for row in self._rows(f"key in {[*map(int, keys)]}", ("key", "dense"))}
        return np.array([rows[key] for key in keys], dtype=np.float32).reshape(len(keys), -1 if keys else 0)

    def is_new_starter(self, sha256: str) -> bool:
        return self.records.get("starter", sha256) is None

    def starters(self) -> list[str]:
        return list(self.records.all("starter"))

    @property
    def _is_inside(self) -> bool:
        return hasattr(self._thread, "moment")

    @property
    def _moment(self) -> Moment:
        moment: Moment = self._thread.moment if self._is_inside else self._writers.moment()
        return moment

    @property
    def _chunks(self) -> dict[int, Row]:
        """The chunks that were found in this snapshot, by key."""
        found: dict[int, Row] = getattr(self._thread, "chunks", {})
        return found

    @property
    def _versions(self) -> dict[str, int]:
        """The versions of articles that were found in this snapshot, by id."""
        found: dict[str, int] = getattr(self._thread, "versions", {})
        return found

    def _by_words(
        self, words: Sequence[str], count: int, within: Sequence[range] | None, fields: Sequence[str]
    ) -> list[tuple[float, Row]]:
        terms = self._terms.of(" ".join(words))
        return self._search("sparse", terms, count, within, fields) if terms else []

    def _search(
        self, field: str, wanted: Any, count: int, within: Sequence[range] | None, fields: Sequence[str]
    ) -> list[tuple[float, Row]]:
        moment = self._moment
        parts = [moment.has_chunk(), is_shown(self._groups), between(within) if within else ""]
        where = " and ".join(filter(None, parts))
        return self._milvus.search(moment.chunks, field, wanted, count, where, fields) if moment.chunks else []

    def _rows(self, where: str, fields: Iterable[str]) -> Iterator[Row]:
        moment = self._moment
        where = " and ".join(filter(None, [moment.has_chunk(), where]))
        return self._milvus.all_rows(moment.chunks, where, [*fields]) if moment.chunks else iter(())

    def _articles(self, versions: Sequence[int]) -> dict[int, Article]:
        """The articles of these versions, in their order, without those that have been deleted meanwhile."""
        known = {version: self._texts.get(version) for version in versions}
        missing = [version for version, article in known.items() if article is None]
        for start in range(0, len(missing), AT_ONCE):
            for version, data in self.records.get_long("text", missing[start : start + AT_ONCE]).items():
                known[version] = article = article_of(data)
                self._texts.put(version, article)
        return {version: article for version, article in known.items() if article}

    def _record(self, article_id: str) -> Row:
        """The record of an article that is shown. Raises `UnknownArticle`."""
        record = self._record_with(name=article_id)
        if record is None or not self._shows(record):
            raise unknown(article_id)
        return record

    def _record_with(self, **marks: str) -> Row | None:
        found: Row | None = self.records.find("article", self._moment.has_record(), **marks)
        return found

    def _records(self) -> list[Row]:
        return self.records.all("article", self._moment.has_record())

    def _shows(self, record: Row) -> bool:
        return self._groups is None or not record["groups"] or bool(self._groups & {*record["groups"]})


def _too_fast() -> LibraryError:
    return LibraryError("the library is changing faster than it can be read; try again in a moment")

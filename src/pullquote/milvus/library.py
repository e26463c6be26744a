"""A library on Milvus: what changes it. Each change is written aside, and there with one switch (see `moments`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import islice
from typing import Self

from pullquote.datatypes import Article, Chunk
from pullquote.errors import LibraryError
from pullquote.library import unknown
from pullquote.milvus.client import BATCH, MAX_AUDIENCE, TIMEOUT, Address, Milvus, Row
from pullquote.milvus.moments import GRACE, LEASE, Writers
from pullquote.milvus.reading import MilvusReader
from pullquote.milvus.records import MilvusRecords
from pullquote.milvus.rows import BITS, EVERYBODY, SPAN, article_data, audience, between, chunk_rows, of_version
from pullquote.vector_rows import Vectors


class MilvusLibrary(MilvusReader):
    """The library of one address, shared with all processes that name it. Safe to share between threads."""

    def __init__(self, milvus: Milvus, lease: float = LEASE, grace: float = GRACE) -> None:
        records = MilvusRecords(milvus)
        super().__init__(milvus, records, Writers(milvus, records, lease, grace))
        self._before_close: list[Callable[[], None]] = []
        if chunks := self._writers.moment().chunks:  # which refuses a format that it does not know
            milvus.load(chunks)

    @classmethod
    def open(cls, address: str, token: str = "", timeout: float = TIMEOUT) -> Self:
        """The library at `milvus://host:19530/NAME`, made if it is not there yet.

        `token` is what Milvus knows the app by: "user:password", or a key. Raises `LibraryError` for another address,
        or a library of a newer format, and `LibraryUnreachable`.
        """
        return cls(Milvus(Address.parse(address), token, timeout))

    def seen_by(self, groups: frozenset[str] | None) -> Self:
        seen = copy(self)
        seen._groups = groups
        return seen

    def add(
        self, article: Article, chunks: Sequence[Chunk], vectors: Vectors, encoder: str, given_title: str | None = None
    ) -> None:
        if len(chunks) != len(vectors):
            raise ValueError("every chunk has one vector")
        with self._writers.writing() as moment:
            self.require_encoder(encoder)
            if self.find(sha256=article.sha256) not in (None, article.id):
                raise LibraryError(f"the text of {article.title!r} is here already; `pullquote list` shows it")
            old = self._record_with(name=article.id) or {"given_title": "", "version": 0}
            title, groups = old["given_title"] if given_title is None else given_title, self.groups_of(article.id)
            version, dimension, collection = moment.next, vectors.shape[1], moment.chunks
            if dimension != moment.dimension:
                if moment.dimension and not self.is_empty:
                    raise LibraryError(f"vectors of {dimension} numbers do not go with those of {moment.dimension}")
                collection = self._new_chunks(version, dimension)
            self._put(collection, chunk_rows(article, chunks, vectors, version, groups, self._terms))
            self._put_record(article, version, len(chunks), groups, title)
            where = {"encoder": encoder, "chunks": collection, "dimension": dimension}
            is_new = collection != moment.chunks
            self._writers.commit(moment, moment.chunks if is_new else old["version"], last=version, **where)

    def remove(self, article_id: str) -> None:
        with self._writers.writing() as moment:
            if (old := self._record_with(name=article_id)) is None:
                raise unknown(article_id)
            self._writers.commit(moment, old["version"])
            self.records.remove("tags", article_id)

    def tag(self, article_id: str, tags: Sequence[str]) -> None:
        with self._writers.writing() as moment:
            self.records.put("tags", article_id, {"id": article_id, "tags": [*tags]})
            self._writers.commit(moment)

    def show_to(self, article_id: str, groups: Iterable[str]) -> None:
        named = sorted(set(groups))
        if len(named) > MAX_AUDIENCE:
            raise LibraryError(f"an article on Milvus is shown to {MAX_AUDIENCE} groups at most, or to everybody")
        with self._writers.writing() as moment:
            self.records.put("groups", article_id, named)
            if (old := self._record_with(name=article_id)) is None:
                return  # it heeds them when it is added
            version, before = moment.next, old["version"]
            changes = {"audience": audience(named or [EVERYBODY])}
            rows = self._rows(between([of_version(before)]), (*SPAN, "words", "dense"))
            shift = (version - before) << BITS
            self._put(moment.chunks, (row | changes | {"key": row["key"] + shift} for row in rows))
            self._put_record(self._articles([before])[before], version, old["count"], named, old["given_title"])
            self._writers.commit(moment, before, last=version)

    def replace_vectors(self, keys: Sequence[int], vectors: Vectors, encoder: str) -> None:
        with self._writers.writing() as moment:
            if sorted(keys) != [row["key"] for row in self._rows("", ("key",))]:
                raise LibraryError("the library changed while it was being embedded; run `pullquote reembed` again")
            new = dict(zip(keys, vectors, strict=True))
            version, dimension = moment.next, vectors.shape[1] if new else 0
            collection = self._new_chunks(version, dimension) if new else ""
            rows = self._rows("", (*SPAN, "words", "audience"))
            self._put(collection, (row | {"dense": new[row["key"]].astype("f4").tolist()} for row in rows))
            changes = {"encoder": encoder, "chunks": collection, "dimension": dimension, "last": version}
            self._writers.commit(moment, moment.chunks, **changes)

    def mark_starter(self, sha256: str) -> None:
        self.records.put("starter", sha256, sha256)

    def call_before_close(self, finish: Callable[[], None]) -> None:
        self._before_close.append(finish)

    def close(self) -> None:
        for finish in self._before_close:
            finish()
        self._writers.close()
        self._milvus.close()

    def _put(self, collection: str, rows: Iterable[Row]) -> None:
        rest: Iterator[Row] = iter(rows)
        while batch := list(islice(rest, BATCH)):
            self._writers.stay()
            self._milvus.put(collection, batch)

    def _new_chunks(self, version: int, dimension: int) -> str:
        collection = f"{self._milvus.name}_chunks_{version}"
        self._milvus.create_chunks(collection, dimension)
        return collection

    def _put_record(self, article: Article, version: int, count: int, groups: list[str], given_title: str) -> None:
        self.records.put_long("text", version, article_data(article))
        record = {"id": article.id, "version": version, "count": count, "groups": groups, "given_title": given_title}
        marks = {"name": article.id, "sha256": article.sha256, "origin": article.source}
        self.records.put("article", str(version), record, version, **marks)

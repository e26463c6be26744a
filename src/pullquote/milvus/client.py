"""One Milvus: its collections, asked with a limit in time, and again after a loss. The only module that knows pymilvus.

Everything is written by upsert, which may be done twice, and read with strong consistency: what was acknowledged is
found, by any process.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pullquote.errors import LibraryError, LibraryUnreachable, MissingLibrary

try:
    from grpc import RpcError
    from pymilvus import DataType, Function, FunctionType, MilvusClient, MilvusException
except ImportError as error:
    raise MissingLibrary(
        "a library on Milvus needs one more package; install it with: pip install 'pullquote[milvus]'"
    ) from error

TIMEOUT = 10.0  # seconds for one call, and for trying it again where there is no connection
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0  # seconds between tries
BATCH = 500  # rows of a call, 1 MB of vectors: Milvus takes 64 MB at once
MAX_VALUE = 65_535  # bytes of a text in Milvus
MAX_AUDIENCE = 256  # groups of an article
MOST = 16_384  # rows that Milvus gives at once
MARKS = ("name", "sha256", "origin")  # SHA-256 of what a record is found by
DEFAULT_PORT = 19530
SCHEMES = {"milvus": "http", "milvus+tls": "https"}

Row = dict[str, Any]
Result = TypeVar("Result")

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs is raised too, and told there


@dataclass(frozen=True, slots=True)
class Address:
    """Where a library is: `milvus://host:19530/NAME`, `milvus+tls://…`, or `milvus:///path/file.db` for milvus-lite."""

    uri: str  # as pymilvus has it
    name: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address. Raises `LibraryError`."""
        try:
            parts = urlsplit(text)
            port = parts.port or DEFAULT_PORT
        except ValueError as error:
            raise _no_address(text) from error
        if parts.scheme == "milvus" and not parts.netloc and parts.path.endswith(".db"):
            return cls(parts.path, "pullquote")
        name, is_milvus = parts.path[1:], parts.scheme in SCHEMES and parts.hostname and not parts.username
        if not is_milvus or not re.fullmatch(r"[A-Za-z_]\w{0,99}", name, re.ASCII):
            raise _no_address(text)
        return cls(f"{SCHEMES[parts.scheme]}://{parts.hostname}:{port}", name)


class Milvus:
    """The collections of one library. Safe to share between threads. Raises `LibraryUnreachable`."""

    def __init__(self, address: Address, token: str = "", timeout: float = TIMEOUT) -> None:
        self.name = address.name
        self.is_lite = address.uri.endswith(".db")
        self._uri = address.uri
        self._timeout = timeout
        if self.is_lite:
            Path(address.uri).parent.mkdir(parents=True, exist_ok=True)
        self._client = self._ask(lambda: MilvusClient(address.uri, token=token, timeout=timeout, dedicated=True))

    def collections(self) -> list[str]:
        """The collections of this library."""
        names: list[str] = self._ask(lambda: self._client.list_collections(timeout=self._timeout))
        return [name for name in names if name.startswith(f"{self.name}_")]

    def load(self, collection: str) -> None:
        """Have a collection in memory, where it is searched; a milvus-lite that starts has none there."""
        self._ask(lambda: self._client.load_collection(collection, timeout=self._timeout))

    def drop(self, collection: str) -> None:
        """Drop a collection, if it is there."""
        self._ask(lambda: self._client.drop_collection(collection, timeout=self._timeout))

    def create_records(self, collection: str) -> None:
        """Make a collection of records."""
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("key", DataType.VARCHAR, max_length=100, is_primary=True)
        schema.add_field("kind", DataType.VARCHAR, max_length=20)
        schema.add_field("at", DataType.INT64)
        for mark in MARKS:
            schema.add_field(mark, DataType.VARCHAR, max_length=64)
        schema.add_field("value", DataType.VARCHAR, max_length=MAX_VALUE)
        schema.add_field("unused", DataType.FLOAT_VECTOR, dim=2)  # every collection has a vector
        self._create(collection, schema, {"unused": ("FLAT", "L2", {})})

    def create_chunks(self, collection: str, dimension: int) -> None:
        """Make a collection of chunks. Their words are analysed before they are sent, so any tokenizer will do."""
        schema = MilvusClient.create_schema(auto_id=False)
        schema.add_field("key", DataType.INT64, is_primary=True)
        schema.add_field("article_id", DataType.VARCHAR, max_length=1_000)
        for name in ("start", "end", "position"):
            schema.add_field(name, DataType.INT64)
        text = DataType.VARCHAR
        schema.add_field("audience", DataType.ARRAY, element_type=text, max_capacity=MAX_AUDIENCE, max_length=32)
        schema.add_field(
            "words", text, max_length=MAX_VALUE, enable_analyzer=True, analyzer_params={"tokenizer": "standard"}
        )
        schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(Function("bm25", FunctionType.BM25, ["words"], ["sparse"]))
        # subtle: pymilvus takes one level of "params" away, and milvus-lite looks for them under that very name
        bm25 = {"params": {"bm25_k1": 1.2, "bm25_b": 0.75}}  # as SQLite has them
        self._create(
            collection,
            schema,
            {"dense": ("AUTOINDEX", "IP", {}), "sparse": ("SPARSE_INVERTED_INDEX", "BM25", bm25)},
        )

    def put(self, collection: str, rows: Iterable[Row]) -> None:
        """Write rows, each in place of the one with its key."""
        rest = iter(rows)
        while batch := list(islice(rest, BATCH)):
            self._ask(partial(self._client.upsert, collection, batch, timeout=self._timeout))

    def delete(self, collection: str, where: str) -> None:
        """Delete the rows for which an expression is true."""
        self._ask(lambda: self._client.delete(collection, filter=where, timeout=self._timeout))

    def rows(self, collection: str, where: str, fields: Sequence[str], most: int = MOST) -> list[Row]:
        """Rows for which an expression is true, in no order."""
        found = self._ask(
            lambda: self._client.query(
                collection, filter=where, output_fields=[*fields], limit=most,
                timeout=self._timeout, consistency_level="Strong",
            )
        )  # fmt: skip
        return [dict(row) for row in found]

    def all_rows(self, collection: str, where: str, fields: Sequence[str]) -> Iterator[Row]:
        """All rows for which an expression is true, in the order of their keys."""
        iterator = self._ask(
            lambda: self._client.query_iterator(
                collection, BATCH, filter=where, output_fields=[*fields], timeout=self._timeout,
                consistency_level="Strong",
            )
        )  # fmt: skip
        try:
            while batch := self._ask(iterator.next):
                yield from map(dict, batch)
        finally:
            iterator.close()

    def search(
        self, collection: str, field: str, data: Any, count: int, where: str, fields: Sequence[str]
    ) -> list[tuple[float, Row]]:
        """The `count` rows that are best by a vector or by words, with their scores, best first."""
        found = self._ask(
            lambda: self._client.search(
                collection, [data], filter=where, limit=count, output_fields=[*fields], anns_field=field,
                timeout=self._timeout, consistency_level="Strong",
            )
        )  # fmt: skip
        # subtle: milvus-lite gives BM25 as a distance, so with a minus, and no BM25 is less than 0
        sign = abs if field == "sparse" else float
        return [(sign(float(hit["distance"])), {"key": hit["key"], **hit["entity"]}) for hit in found[0]]

    def close(self) -> None:
        """End the connection, and a milvus-lite that was started for it."""
        self._client.close()
        if self.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self._uri)

    def _create(self, collection: str, schema: Any, indexes: dict[str, tuple[str, str, dict[str, Any]]]) -> None:
        parameters = MilvusClient.prepare_index_params()
        for field, (kind, metric, more) in indexes.items():
            parameters.add_index(field, index_type=kind, metric_type=metric, params=more)
        make = partial(self._client.create_collection, collection, schema=schema, index_params=parameters)
        try:
            self._ask(partial(make, consistency_level="Strong", timeout=self._timeout))
        except LibraryUnreachable:
            if collection not in self.collections():  # another process was faster
                raise

    def _ask(self, call: Callable[[], Result]) -> Result:
        """What the call gives; made again, ever more slowly, while there is no connection and time is left."""
        until, pause = time.monotonic() + self._timeout, FIRST_PAUSE
        while True:
            try:
                return call()
            except (MilvusException, RpcError) as error:
                if not _is_lost(error) or time.monotonic() + pause > until:
                    raise self._unreachable(error) from error
            time.sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)

    def _unreachable(self, error: Exception) -> LibraryUnreachable:
        said = " ".join(_said(error).split())[:300]
        return LibraryUnreachable(
            f"Milvus at {self._uri} did not do what it was asked: {said}; check that it runs and can be reached, "
            "then try again"
        )


def _said(error: Exception) -> str:
    return str(error.message) if isinstance(error, MilvusException) else f"{getattr(error, 'code', str)()}"


def _is_lost(error: Exception) -> bool:
    """Whether there was no connection, rather than an answer that was late or bad."""
    return "Fail connecting" in _said(error) or "UNAVAILABLE" in _said(error)


def _no_address(text: str) -> LibraryError:
    return LibraryError(
        f"{text!r} is no address of a library; write milvus://host:19530/NAME, with a name of letters, digits and _"
    )

"""Both kinds of library for the same tests: a folder's, and one on a milvus-lite that listens on the loopback."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from milvus_lite.adapter.grpc.server import start_server_in_thread
from pymilvus import MilvusClient

from pullquote.library import FILE_NAME, Library
from pullquote.milvus.client import Address, Milvus
from pullquote.milvus.library import MilvusLibrary
from pullquote.milvus.moments import Moment
from pullquote.milvus.records import MilvusRecords
from pullquote.shared_library import AnyLibrary

KINDS = ("sqlite", "milvus")
DIMENSION = 64  # of `BagOfWords`
CHUNKS = ["key", "article_id", "start", "end", "position", "audience", "words", "dense"]

Held = dict[str, list[Any]]


@dataclass(frozen=True)
class Server:
    """A milvus-lite in this process."""

    port: int

    def address(self, name: str) -> str:
        return f"milvus://127.0.0.1:{self.port}/{name}"

    def client(self) -> MilvusClient:
        """Milvus's own client, which knows nothing of ours."""
        return MilvusClient(f"http://127.0.0.1:{self.port}", dedicated=True)

    def rows(self, name: str) -> Held:
        """All that the library of this name holds of articles and chunks, without the counters of changes."""
        with closing(self.client()) as client:
            kept = client.query(f"{name}_records", 'kind in ["article", "text", "starter"]', ["key", "value"])
            chunks: list[Any] = []
            for collection in client.list_collections():
                if collection.startswith(f"{name}_chunks_"):
                    chunks += client.query(collection, "key >= 0", CHUNKS)
        return {"records": sorted(map(str, kept)), "chunks": sorted(map(str, chunks))}

    def wipe(self, name: str) -> None:
        """Make the library of this name empty; the collection of its chunks, which takes a second to make, stays."""
        with closing(self.client()) as client:
            names = [found for found in client.list_collections() if found.startswith(f"{name}_chunks_")]
            fields = {found: client.describe_collection(found)["fields"] for found in names}
            same = [
                found
                for found, them in fields.items()
                if any(one["name"] == "dense" and int(one["params"]["dim"]) == DIMENSION for one in them)
            ]
            for found in set(names) - set(same[:1]):
                client.drop_collection(found)
            for found in same[:1]:
                client.delete(found, filter="key >= 0")
            client.delete(f"{name}_records", filter='kind != "none"')
        with closing(Milvus(Address.parse(self.address(name)))) as milvus:
            moment = Moment(chunks=same[0], dimension=DIMENSION) if same else Moment()
            MilvusRecords(milvus).put("moment", "", asdict(moment))


@contextmanager
def serving_milvus(folder: Path, port: int = 0) -> Iterator[Server]:
    """A milvus-lite over a folder, on a free port if none is given."""
    server, engine, port = start_server_in_thread(str(folder), port=port)
    try:
        yield Server(port)
    finally:
        server.stop(grace=0).wait()
        engine.close()


@dataclass
class Shelf:
    """Where a test's library is kept. `held` tells what is stored there, as an outsider reads it."""

    kind: str
    folder: Path
    server: Server | None = None
    name: str = "shelf"
    _opened: list[AnyLibrary] = field(default_factory=list)

    def open(self, grace: float = 0.0) -> Any:
        """A library like one of another process; closed at the end."""
        library: AnyLibrary
        if self.server is None:
            library = Library(self.folder)
        else:
            library = MilvusLibrary(Milvus(Address.parse(self.server.address(self.name))), grace=grace)
        self._opened.append(library)
        return library

    @property
    def address(self) -> str:
        """What `open_at` knows it by."""
        return self.server.address(self.name) if self.server else str(self.folder)

    def held(self) -> Held:
        if self.server is not None:
            return self.server.rows(self.name)
        columns = {"articles": "*", "chunks": "*", "words": "rowid, text", "starters": "*"}
        with closing(sqlite3.connect(self.folder / FILE_NAME)) as db:
            return {table: db.execute(f"SELECT {what} FROM {table}").fetchall() for table, what in columns.items()}

    def close(self) -> None:
        for library in self._opened:
            library.close()
        if self.server is not None:
            self.server.wipe(self.name)

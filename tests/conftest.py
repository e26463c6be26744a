"""What several tests need: the owner's article, the real models over it, and a fast encoder for the rest."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, sync_playwright

from pullquote import embedding, evaluating
from pullquote.answering import Assistant
from pullquote.datatypes import Article
from pullquote.embedding import WorkerEncoder
from pullquote.ingesting import add_article
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.sources import read_file
from pullquote.vector_index import VectorIndex
from tests.shelves import KINDS, Server, Shelf, serving_milvus

PROJECT = Path(__file__).parent.parent
ARTICLE_FILE = PROJECT / "index" / "articles" / "russia-north-korea-arms.txt"
SHARED = PROJECT.parent / "shared"  # public data that stays outside the project; CI has it

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class BagOfWords:
    """A fast stand-in for an encoder: unit vectors (texts, 64) in which texts that share words are close."""

    name = "bag-of-words"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def open_settings(**more: Any) -> Settings:
    """Settings under which a test asks as often as it likes, at http://pullquote.test."""
    chosen: dict[str, Any] = {"rate": 0, "rate_all": 0, "hosts": "pullquote.test"}
    return Settings(**chosen | more)


def needs_shared(path: str) -> Path:
    """A file of the public data; the test is skipped, and says so, where it is absent."""
    if not (SHARED / path).exists():
        pytest.skip(f"shared/{path} is not here; it runs in CI")
    return SHARED / path


@pytest.fixture(scope="session")
def article() -> Article:
    return read_file(ARTICLE_FILE)


@pytest.fixture(scope="session")
def worker() -> Iterator[WorkerEncoder]:
    """The real encoder in its process, for all tests: to start one takes ten seconds, and 500 MB."""
    with WorkerEncoder() as encoder:
        yield encoder


@pytest.fixture
def one_worker(worker: WorkerEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever embeds in this process does it by the `worker`, which it does not close."""
    for module in (embedding, evaluating):
        monkeypatch.setattr(module, "WorkerEncoder", lambda *_: nullcontext(worker))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, article: Article, worker: WorkerEncoder) -> Path:
    """A folder with a library of the owner's article, embedded by the real encoder."""
    folder = tmp_path_factory.mktemp("store")
    library = Library(folder)
    add_article(library, article, worker, lambda *_: None)
    library.mark_starter(article.sha256)
    VectorIndex.build(library)
    library.close()
    return folder


@pytest.fixture(scope="session")
def assistant(store: Path) -> Iterator[Assistant]:
    library = Library(store)
    yield Assistant.open(library, Settings(cached=0))  # each test sees its question read
    library.close()


@pytest.fixture(scope="session")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A milvus-lite for all tests."""
    with serving_milvus(tmp_path_factory.mktemp("milvus")) as server:
        yield server


@pytest.fixture(params=KINDS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    """A place for a library, of each kind."""
    server = request.getfixturevalue("milvus") if request.param == "milvus" else None
    shelf = Shelf(request.param, tmp_path / "shelf", server)
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, started once for the tests of a module."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()

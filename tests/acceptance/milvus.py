"""The same passages from Milvus as from SQLite and FAISS: `python -m tests.acceptance.milvus`.

The nine articles of articles-dev, moved with their vectors by `pullquote migrate`'s own code to a milvus-lite; 100 of
their questions, all 675 with SIZE=full, asked of the whole library and, as the file means them, of their own article.
Each is held against the passage that holds its answer. Milvus's own ranker, by reciprocal rank (RRF), is asked beside
our fusion of its two scores.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from pymilvus import AnnSearchRequest, MilvusClient, RRFRanker

from pullquote import migrating
from pullquote.articles import make_article, normalise
from pullquote.datatypes import Passage
from pullquote.embedding import QuestionEncoder
from pullquote.library import Library
from pullquote.milvus.library import MilvusLibrary
from pullquote.milvus.rows import Terms
from pullquote.opening import open_at
from pullquote.retrieving import CANDIDATES, Retriever, content_words
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.conftest import SHARED
from tests.shelves import Server, serving_milvus

FILE = SHARED / "eval" / "articles-dev.json"
COUNT = 675 if SIZE == "full" else 100
FIRST = 5  # passages that are compared
APART = 0.02  # of the recall, and of the passages, that may be lost
NAME = "dev"
OWN = "of its own article"

Place = tuple[str, int, int]  # article, start, end
Find = Callable[[dict[str, Any]], list[Place]]
Timed = tuple[list[Place], float]


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def places(passages: Sequence[Passage]) -> list[Place]:
    return [(passage.article.id, passage.chunk.start, passage.chunk.end) for passage in passages]


class Rrf:
    """Milvus's hybrid search and its own ranker, by Milvus's own client."""

    def __init__(self, client: MilvusClient) -> None:
        self._client = client
        self._terms, self._encoder = Terms(), QuestionEncoder()
        [self._chunks] = [name for name in client.list_collections() if name.startswith(f"{NAME}_chunks_")]

    def find(self, asked_for: dict[str, Any]) -> list[Place]:
        question = str(asked_for["question"])
        vector = self._encoder.encode([question])[0].tolist()
        terms = self._terms.of(" ".join(content_words(question))) or "nothing"
        asked = [
            AnnSearchRequest([vector], "dense", {}, CANDIDATES),
            AnnSearchRequest([terms], "sparse", {}, CANDIDATES),
        ]
        fields = ["article_id", "start", "end"]
        [hits] = self._client.hybrid_search(self._chunks, asked, RRFRanker(), limit=FIRST, output_fields=fields)
        return [tuple(hit["entity"][field] for field in fields) for hit in hits]


def holds(question: dict[str, Any], found: Sequence[Place]) -> bool:
    """Whether a passage reaches into the paragraph that answers, at the answer's words."""
    start, end = question["paragraph"]
    return any(key == question["article"] and begin < end and stop > start for key, begin, stop in found)


def compare(local: Library, shared: MilvusLibrary, server: Server, questions: Sequence[dict[str, Any]]) -> bool:
    """Tell how alike the ways are; whether Milvus finds as much as SQLite and FAISS, and the same."""
    here, there = Retriever(local, QuestionEncoder()), Retriever(shared, QuestionEncoder())

    def by(retriever: Retriever, own: bool) -> Find:
        return lambda one: places(retriever.retrieve(one["question"], FIRST, one["article"] if own else None))

    with closing(server.client()) as client:
        ways: dict[str, Find] = {
            "SQLite + FAISS": by(here, own=False),
            "Milvus": by(there, own=False),
            "Milvus, RRF": Rrf(client).find,
            f"{OWN}, SQLite + FAISS": by(here, own=True),
            f"{OWN}, Milvus": by(there, own=True),
        }
        runs = {name: [timed(find, one) for one in questions] for name, find in ways.items()}
    lost = []
    for name, run in runs.items():
        first = runs[f"{OWN}, SQLite + FAISS" if name.startswith(OWN) else "SQLite + FAISS"]
        recall, gold = recall_of(run, questions)
        pairs = [({*one}, {*other}) for (one, _), (other, _) in zip(first, run, strict=True)]
        same = sum(len(one & other) for one, other in pairs) / sum(len(one) for one, _ in pairs)
        tell(
            f"{name}: recall@{FIRST} {recall:.1%} of {gold}, {same:.1%} of the passages of the first, "
            f"median {1e3 * median(taken for _, taken in run):.0f} ms"
        )
        if name.endswith("Milvus"):
            lost += [recall_of(first, questions)[0] - recall, 1 - same]
    tell(f"lost at most: {max(lost):.1%} of recall or passages, {APART:.0%} may be")
    return max(lost) <= APART


def recall_of(run: Sequence[Timed], questions: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """Recall, and of how many questions."""
    gold = [holds(one, found) for one, (found, _) in zip(questions, run, strict=True) if one.get("paragraph")]
    return sum(gold) / len(gold), len(gold)


def timed(find: Find, question: dict[str, Any]) -> Timed:
    began = time.perf_counter()
    return find(question), time.perf_counter() - began


def main() -> int:
    if not FILE.exists():
        tell("shared/eval/articles-dev.json is not here; nothing was compared")
        return 0
    data = json.loads(FILE.read_text("utf-8"))
    questions = data["questions"][:: max(1, len(data["questions"]) // COUNT)]
    with (
        tempfile.TemporaryDirectory() as folder,
        serving_milvus(Path(folder, "milvus")) as server,
        closing(Library(Path(folder, "local"))) as local,
        closing(open_at(server.address(NAME))) as shared,
    ):
        assert isinstance(shared, MilvusLibrary)
        for row in data["articles"]:
            article = make_article(normalise(row["text"]), title=row["title"])
            put_embedded(local, replace(article, id=row["id"]))
        began = time.perf_counter()
        count = migrating.migrate(local, shared)
        tell(f"{count} articles, {local.size()[0]} chunks moved in {time.perf_counter() - began:.1f} s")
        with closing(server.client()) as client:  # into segments with their indexes, as a cluster does by itself
            for name in client.list_collections():
                client.flush(name)
        different = list(migrating.differences(local, shared, QuestionEncoder()))
        is_alike = compare(local, shared, server, questions)
    tell("\n".join(different or ["what was moved is the same: texts, vectors, groups, and ten questions"]))
    return int(bool(different) or not is_alike)


if __name__ == "__main__":
    sys.exit(main())

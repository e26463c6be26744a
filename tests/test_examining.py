"""How much is read of a question, counted by readers that are passed in; nothing is patched."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Article, Passage, Span
from pullquote.examining import ENOUGH, FAR_BEHIND, HOPELESS, RIVAL, SETTLED, SURE, Examiner
from pullquote.judging import FAST, SECOND, Judge, Logistic
from pullquote.library import Library
from pullquote.reading import Reader
from pullquote.retrieving import Retriever
from tests.building import put
from tests.conftest import BagOfWords

# Confidence 1 / (1 + e^-x) of the evidence x alone
JUDGE = Judge(
    Logistic(0.0, dict.fromkeys(FAST, 0.0) | {"evidence": 1.0}, 0.1),
    Logistic(0.0, dict.fromkeys(SECOND, 0.0) | {"second_evidence": 1.0}, 0.1),
    "by hand",
)
SENTENCE = "The {} was opened in the year of the comet by a man from the north whom nobody remembers now."
TEXT = "\n\n".join(" ".join([SENTENCE.format(name)] * 6) for name in ("bridge", "harbour", "tower", "mill"))


def logit(confidence: float) -> float:
    from math import log

    return log(confidence / (1 - confidence))


class Fake:
    """Marks the first word of every sentence, with a confidence for each reading in turn."""

    def __init__(self, *confidences: float) -> None:
        self.confidences = iter(confidences)
        self.read_passages: list[Passage] = []

    def read(self, _question: str, passage: Passage) -> list[Span]:
        self.read_passages.append(passage)
        evidence = logit(next(self.confidences))
        ends = [(sentence, sentence[0] + 3) for sentence in passage.sentences]
        return [Span(passage, sentence, sentence[0], end, evidence, evidence) for sentence, end in ends]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library")
    put(library, make_article(TEXT, title="Town"))
    yield library
    library.close()


def examiner(library: Library, small: Fake, large: Fake | None) -> Examiner:
    retriever = Retriever(library, BagOfWords())
    load = None if large is None else lambda: cast(Reader, large)
    return Examiner(retriever, cast(Reader, small), JUDGE, load)


def passages(library: Library, *fused: float) -> list[Passage]:
    found = Retriever(library, BagOfWords()).retrieve("Who opened the bridge?", 5)
    return [replace(passage, fused=score) for passage, score in zip(found, fused, strict=False)]


def test_reading_stops_when_it_is_enough(library: Library) -> None:
    small = Fake(0.2, ENOUGH + 0.01, 0.9)
    examiner(library, small, None).read("What?", passages(library, 0.9, 0.9, 0.9))
    assert len(small.read_passages) == 2


@pytest.mark.parametrize(("behind", "read"), [(0.21, 1), (0.19, 3)])
def test_the_further_behind_the_next_passage_is_the_sooner_it_is_enough(
    library: Library, behind: float, read: int
) -> None:
    small = Fake(*[ENOUGH - 0.2] * 3)
    examiner(library, small, None).read("What?", passages(library, 0.9, 0.9 - behind, 0.9 - behind))
    assert len(small.read_passages) == read


def test_a_passage_far_behind_is_not_read(library: Library) -> None:
    small = Fake(0.2, 0.2, 0.2)
    reading = examiner(library, small, None).read("What?", passages(library, 0.9, 0.6, 0.89 - FAR_BEHIND))
    assert len(small.read_passages) == 2
    assert len(reading.passages) == 3
    assert not reading.second


@pytest.mark.parametrize("confidence", [SURE + 0.01, 0.95, HOPELESS - 0.01, 0.001])
def test_the_sure_and_the_hopeless_are_not_read_again(library: Library, confidence: float) -> None:
    large = Fake()
    reading = examiner(library, Fake(*[confidence] * 3), large).read("What?", passages(library, 0.9, 0.9, 0.9))
    assert not large.read_passages
    assert not reading.second


def test_a_settled_second_reading_ends_it(library: Library) -> None:
    small, large = Fake(0.1, ENOUGH + 0.1, 0.2), Fake(SETTLED + 0.01)
    reading = examiner(library, small, large).read("What?", passages(library, 0.9, 0.9, 0.9))
    assert (len(small.read_passages), len(large.read_passages)) == (2, 1)
    assert reading.second
    assert reading.verdicts[0].confidence == pytest.approx(SETTLED + 0.01)
    window, chunk = large.read_passages[0].chunk, small.read_passages[1].chunk
    assert chunk.start <= window.start < window.end <= chunk.end


def test_an_unsettled_one_reads_on_and_elsewhere(library: Library) -> None:
    small, large = Fake(0.1, ENOUGH + 0.1, 0.3), Fake(SETTLED - 0.1, 0.8)
    reading = examiner(library, small, large).read("What?", passages(library, 0.9, 0.9, 0.9))
    assert (len(small.read_passages), len(large.read_passages)) == (3, 2)
    second, third = large.read_passages[1].chunk, small.read_passages[2].chunk
    assert third.start <= second.start < second.end <= third.end
    assert reading.verdicts[0].confidence == pytest.approx(0.8)


def test_the_hopeless_elsewhere_is_not_read_again(library: Library) -> None:
    small, large = Fake(0.3, HOPELESS - 0.01, 0.01), Fake(SETTLED - 0.1)
    examiner(library, small, large).read("What?", passages(library, 0.9, 0.9, 0.9))
    assert (len(small.read_passages), len(large.read_passages)) == (3, 1)


@pytest.mark.parametrize(("behind", "heard"), [(RIVAL - 0.01, True), (RIVAL + 0.01, False)])
def test_another_article_that_is_close_is_heard_too(library: Library, behind: float, heard: bool) -> None:
    other = make_article("The bridge was opened by Ada.", title="Other")
    put(library, other)
    found = [passage for passage in passages(library, *[0.9] * 5) if passage.article.id != other.id]
    here = found[:2]
    rival = replace(examiner(library, Fake(), None).retrieve("Who opened the bridge?", other.id)[0], fused=0.9 - behind)
    small, large = Fake(ENOUGH + 0.1, 0.6), Fake(0.9, 0.9)
    reading = examiner(library, small, large).read("What?", [*here, rival])
    assert [passage.article.title for passage in small.read_passages] == ["Town", "Other"][: 1 + heard]
    assert len(large.read_passages) == 1 + heard
    assert (other.id in {verdict.span.passage.article.id for verdict in reading.verdicts}) == heard


def test_without_passages_nothing_is_read(library: Library) -> None:
    reading = examiner(library, Fake(), Fake()).read("What?", [])
    assert (reading.passages, reading.verdicts) == ((), ())


def test_all_is_read_to_fit_a_judge(library: Library) -> None:
    small, large = Fake(*[0.95] * 4), Fake(0.95, 0.95)
    found = passages(library, 0.9, 0.9, 0.1, 0.1)
    fast, second = examiner(library, small, large).read_all("What?", found)
    assert (len(small.read_passages), len(large.read_passages)) == (len(found), 2)
    assert {verdict.is_read_twice for verdict in second} == {True}
    assert {verdict.is_read_twice for verdict in fast} == {False}
    assert len(fast) > len(second) > 0


def test_the_second_reader_is_loaded_once_by_many(library: Library) -> None:
    loaded, gate = list[int](), threading.Barrier(8)

    def load() -> Any:
        loaded.append(1)
        return Fake()

    found = Examiner(Retriever(library, BagOfWords()), cast(Reader, Fake()), JUDGE, load)

    def ask(_: int) -> Reader | None:
        gate.wait()
        return found.second()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(map(id, threads.map(ask, range(8))))) == 1
    assert loaded == [1]


def test_a_filter_by_article_reaches_the_search(library: Library) -> None:
    other: Article = make_article("The bridge was opened by Ada.", title="Other")
    put(library, other)
    found = examiner(library, Fake(), None).retrieve("Who opened the bridge?", other.id)
    assert {passage.article.id for passage in found} == {other.id}

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk, Passage, Span
from pullquote.reading import LARGE, MAX_ANSWER_TOKENS, SMALL, Reader, around, best_span
from pullquote.sentences import sentence_spans
from tests.building import AWKWARD, awkward


@pytest.fixture(scope="module", params=[SMALL, LARGE], ids=["small", "large"])
def reader(request: pytest.FixtureRequest) -> Reader:
    return Reader(request.param)


def passage_of(article: Article, chunk: Chunk) -> Passage:
    spans = [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]
    inside = tuple(span for span in spans if chunk.start <= span[0] and span[1] <= chunk.end)
    return Passage(chunk, article, inside, 0.5, 0.0, 0.5)


def whole(text: str) -> Passage:
    """A passage of a whole text, however long."""
    article = make_article(text, title="T")
    return passage_of(article, Chunk(article.id, 0, len(article.text.rstrip()), 0))


def best(spans: list[Span]) -> Span:
    return max(spans, key=lambda span: span.evidence)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(1, 80), st.integers(0, 2**32 - 1), st.sampled_from([0.1, 3.0, 40.0]), st.sampled_from([0.5, 1.0, 2.0])
)
def test_best_span_is_that_of_a_double_loop(length: int, seed: int, scale: float, temperature: float) -> None:
    start, end = np.random.default_rng(seed).normal(scale=scale, size=(2, length)).astype(np.float32)
    spans = {
        (i, j): float(start[i] + end[j]) for i in range(length) for j in range(i, min(i + MAX_ANSWER_TOKENS, length))
    }
    first, last, score, evidence = best_span(start, end, temperature)
    assert spans[first, last] == score == max(spans.values())
    total = math.fsum(math.exp((value - score) / temperature) for value in spans.values())
    assert evidence == pytest.approx(score + temperature * math.log(total), abs=1e-6)


def test_best_span_is_not_backwards_nor_too_long() -> None:
    start, end = np.zeros((2, 100), dtype=np.float32)
    start[50], end[10] = 9, 9
    first, last, *_ = best_span(start, end, 1.0)
    assert first <= last < first + MAX_ANSWER_TOKENS
    start[10], end[10 + MAX_ANSWER_TOKENS] = 20, 15
    assert best_span(start, end, 1.0)[1] != 10 + MAX_ANSWER_TOKENS
    end[10 + MAX_ANSWER_TOKENS - 1] = 15
    assert best_span(start, end, 1.0)[:2] == (10, 10 + MAX_ANSWER_TOKENS - 1)


def test_best_span_of_one_token() -> None:
    assert best_span(np.array([2], dtype=np.float32), np.array([3], dtype=np.float32), 2.0) == (0, 0, 5.0, 5.0)


def test_the_reader_finds_who_reported_it_first(reader: Reader, article: Article) -> None:
    spans = [
        span
        for chunk in chunk_article(article)
        for span in reader.read("Who was the first to report the intelligence discovery?", passage_of(article, chunk))
    ]
    found = best(spans)
    assert found.text == "The New York Times"
    assert article.text[found.start : found.end] == "The New York Times"
    assert found.score > 0


def test_a_question_that_the_article_does_not_answer_scores_below_null(reader: Reader, article: Article) -> None:
    passages = [passage_of(article, chunk) for chunk in chunk_article(article)]
    spans = [span for passage in passages for span in reader.read("How tall is the Eiffel Tower?", passage)]
    assert best(spans).score < 0


@pytest.mark.parametrize("name", AWKWARD)
def test_spans_lie_in_sentences_one_each(reader: Reader, name: str) -> None:
    article = awkward(name)
    for chunk in chunk_article(article)[:3]:
        passage = passage_of(article, chunk)
        spans = reader.read("What is it?", passage)
        assert len({span.sentence for span in spans}) == len(spans)
        assert {span.sentence for span in spans} <= set(passage.sentences)
        for span in spans:
            assert span.sentence[0] <= span.start < span.end <= span.sentence[1]
            assert article.text[span.start : span.end] == span.text == span.text.strip()
            assert span.evidence >= span.score


def test_offsets_are_those_of_the_article_not_of_the_passage(reader: Reader) -> None:
    text = "🦊 Café Zürich opened 👩‍👩‍👧 here. " * 3 + "\n\nMarie Curie discovered radium in 1898."
    article = make_article(text, title="T")
    start = article.text.index("Marie")
    [span] = reader.read("Who discovered radium?", passage_of(article, Chunk(article.id, start, len(article.text), 0)))
    assert (span.start, span.end) == (start, start + len("Marie Curie"))


def test_a_long_passage_is_read_to_its_end(reader: Reader) -> None:
    filler = " ".join(f"The warehouse number {number} holds several boxes of paper." for number in range(120))
    passage = whole(filler + " The spy was arrested in Vienna.")
    spans = reader.read("Where was the spy arrested?", passage)
    assert {span.sentence for span in spans} == set(passage.sentences)
    assert best(spans).text == "Vienna"
    assert best(spans).sentence == passage.sentences[-1]


@pytest.mark.parametrize("place", [0, 20, 30, 31, 32, 33, 34, 40, 60])
def test_an_answer_is_found_wherever_it_stands(reader: Reader, place: int) -> None:
    """Also where one window ends and the next begins."""
    sentences = [f"The warehouse number {number} holds several boxes of paper." for number in range(60)]
    sentences.insert(place, "The spy was arrested in Vienna.")
    assert best(reader.read("Where was the spy arrested?", whole(" ".join(sentences)))).text == "Vienna"


@pytest.mark.parametrize(
    "question",
    [
        "Where was the spy arrested? " + "I would really like to know this. " * 57,
        "x" * 2_000,
        "é🦊" * 1_000,
        "? " * 1_000,
    ],
    ids=["words", "one word", "emoji", "stops"],
)
def test_a_question_of_2000_characters_is_read(reader: Reader, question: str) -> None:
    passage = whole("Boxes stood there. " * 80 + "The spy was arrested in Vienna.")
    spans = reader.read(question[:2_000], passage)
    assert {span.sentence for span in spans} == set(passage.sentences)
    if question.startswith("Where"):
        assert best(spans).text == "Vienna"


def test_the_determiner_belongs_to_the_answer_but_never_leaves_the_sentence(reader: Reader) -> None:
    question = "Who reported the discovery?"
    assert best(reader.read(question, whole("The Daily Planet reported the discovery."))).text == "The Daily Planet"
    article = make_article("It was seen by the Daily Planet reported the discovery.", title="T")
    start = article.text.index("Daily")
    chunk = Chunk(article.id, start, len(article.text), 0)
    passage = Passage(chunk, article, ((start, len(article.text)),), 0.5, 0.0, 0.5)
    assert best(reader.read(question, passage)).text == "Daily Planet"


def test_two_threads_read_alike(reader: Reader, article: Article) -> None:
    passages = [passage_of(article, chunk) for chunk in chunk_article(article)]
    alone = [reader.read("Who sold the drones?", passage) for passage in passages]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda passage: reader.read("Who sold the drones?", passage), passages * 4))
    assert together == alone * 4


def test_a_sentence_in_two_windows_gives_the_better_of_its_two_spans(reader: Reader) -> None:
    filler = " ".join(f"The warehouse number {number} holds several boxes of paper." for number in range(32))
    start = "On a cold morning in the north, " + "after many weeks of waiting and of reading old letters, " * 8
    passage = whole(f"{filler} {start}the spy was arrested in Vienna.")
    last = passage.sentences[-1]
    assert passage.article.text[slice(*last)].startswith("On a cold")
    assert [span.text for span in reader.read("Where was the spy arrested?", passage) if span.sentence == last] == [
        "Vienna"
    ]


def test_the_null_answer_has_one_logit_in_a_passage_of_one_window(reader: Reader, article: Article) -> None:
    for chunk in chunk_article(article):
        assert len({span.null for span in reader.read("Who reported it?", passage_of(article, chunk))}) == 1


SENTENCES = [
    f"Sentence {word} has exactly six words." for word in ["one", "two", "three", "four", "five", "six", "seven"]
]


@pytest.mark.parametrize("place", range(len(SENTENCES)))
@pytest.mark.parametrize("words", [1, 6, 7, 13, 20, 42, 500])
def test_a_window_is_whole_sentences_around_the_one_asked_for(place: int, words: int) -> None:
    passage = whole("Before it. " + " ".join(SENTENCES))
    sentence = passage.sentences[place + 1]
    window = around(passage, sentence, words)
    assert sentence in window.sentences
    first = passage.sentences.index(window.sentences[0])
    assert window.sentences == passage.sentences[first : first + len(window.sentences)]
    assert window.text == passage.article.text[window.sentences[0][0] : window.sentences[-1][1]]
    count = len(window.text.split())
    longest = max(len(text.split()) for text in SENTENCES)
    assert abs(count - words) <= longest / 2 or window.sentences in ((sentence,), passage.sentences)


def test_a_window_keeps_the_offsets_of_the_article(reader: Reader, article: Article) -> None:
    for chunk in chunk_article(article):
        passage = passage_of(article, chunk)
        for sentence in passage.sentences:
            for span in reader.read("Who reported the intelligence?", around(passage, sentence, 20)):
                assert article.text[span.start : span.end] == span.text
                assert span.sentence in passage.sentences

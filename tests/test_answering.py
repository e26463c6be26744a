"""The path of a question on the real models, held against the file on disk and questions with known answers."""

import json
import random
import re
import string
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pullquote.answering import Assistant, Trace
from pullquote.articles import make_article, normalise
from pullquote.datatypes import Answer, Article, Quote
from pullquote.embedding import BUILT_IN, fingerprint
from pullquote.errors import ArticleError, EncoderMismatch, LibraryError, QuestionError
from pullquote.examining import Examiner
from pullquote.judging import Judge
from pullquote.library import Library
from pullquote.reading import Reader
from pullquote.retrieving import Retriever
from pullquote.settings import Settings
from pullquote.understanding import understand
from tests.building import put
from tests.conftest import ARTICLE_FILE, BagOfWords, needs_shared

ASK = "Who was the first to report the intelligence discovery?"
FIRST = "The New York Times was the first to report the intelligence discovery."
ON_DISK = unicodedata.normalize("NFC", ARTICLE_FILE.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
TEMPLATES = [
    "What about {}?",
    "Who said {}?",
    "When was {} {}?",
    "{} {} {}",
    "Why did {} {}?",
    "how many {}",
    "Whose {} is {}",
]


def squad_plain(text: str) -> str:
    """The normalisation of SQuAD's evaluation script, written anew."""
    letters = text.lower().translate(str.maketrans("", "", string.punctuation))
    return " ".join(word for word in letters.split() if word not in {"a", "an", "the"})


def quotes_of(answer: Answer) -> list[Quote]:
    return [*answer.quotes, *([answer.closest] if answer.closest else [])]


def real(library: Library) -> Assistant:
    """The real models over vectors of words: what is read matters here, not how it was found."""
    retriever = Retriever(library, BagOfWords())
    return Assistant(retriever, Examiner(retriever, Reader(), Judge.load()))


@pytest.fixture(scope="module")
def readers(assistant: Assistant) -> dict[str, Assistant]:
    """The owner’s article, by each reader: a flood goes to the small one, and a part of it to the large one too."""
    return {"best": assistant, "fast": Assistant.open(assistant.library, Settings(cached=0, reader="fast"))}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library")
    yield library
    library.close()


def test_the_question_of_the_front_page(assistant: Assistant) -> None:
    answer = assistant.ask(ASK)
    assert (answer.question, answer.status, answer.text) == (ASK, "answered", "The New York Times")
    assert answer.quotes[0].text == FIRST
    assert FIRST in ON_DISK
    assert answer.confidence > 0.6
    assert set(answer.seconds) == {"retrieve", "read", "total"}
    assert answer.seconds["total"] >= answer.seconds["retrieve"] + answer.seconds["read"] > 0


@pytest.mark.parametrize(("reader", "count"), [("fast", 100), ("best", 25)])
def test_every_quote_of_random_questions_is_a_slice_of_the_file(
    readers: dict[str, Assistant], reader: str, count: int
) -> None:
    chance = random.Random(1894)
    words = re.findall(r"\S+", ON_DISK)
    statuses = set()
    for _ in range(count):
        template = chance.choice(TEMPLATES)
        runs = []
        for _ in range(template.count("{}")):
            first = chance.randrange(len(words))
            runs.append(" ".join(words[first : first + chance.randint(1, 6)]))
        answer = readers[reader].ask(template.format(*runs))
        statuses.add(answer.status)
        assert quotes_of(answer) or answer.status == "guidance"
        for quote in quotes_of(answer):
            assert ON_DISK[quote.start : quote.end] == quote.text
            assert quote.start <= quote.highlight[0] < quote.highlight[1] <= quote.end
        for point in answer.points:
            assert not point.text or point.text in ON_DISK
    assert statuses >= {"answered", "not_found"}


@pytest.mark.parametrize("question", ["", " ", "\n\t \u2003", "\x00\ufeff"])
def test_an_empty_question_is_refused(assistant: Assistant, question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        assistant.ask(question)


def test_the_limit_of_a_question_is_told(assistant: Assistant) -> None:
    with pytest.raises(QuestionError, match=r"2,001 .*2,000"):
        assistant.ask("a" * 2001)
    assert assistant.ask("why " * 499 + "now?").status == "not_found"
    assert understand("  " + "a" * 2000 + "\n\n").text == "a" * 2000


def test_a_question_is_put_on_one_line_and_normalised_like_articles() -> None:
    assert understand("  Who\r\nis\t it, Ame\u0301lie\u2028 ?\x07 ").text == "Who is it, Am\u00e9lie ?"


def test_the_stages_come_in_order_and_the_answer_last(readers: dict[str, Assistant]) -> None:
    assistant = readers["fast"]
    searching, reading, trace = assistant.stages(ASK)
    assert (searching, reading) == ("searching", "reading")
    assert isinstance(trace, Trace)
    assert trace.answer.text == assistant.ask(ASK).text
    summing_up, trace = assistant.stages("What is this about?")
    assert (summing_up, isinstance(trace, Trace)) == ("summing up", True)


def test_naughty_strings_as_questions_get_an_answer_or_a_question_error(assistant: Assistant) -> None:
    strings = json.loads(needs_shared("corpora/naughty-strings.json").read_bytes())
    assert len(strings) == 515
    for question in strings[::12]:  # all of them are asked over HTTP
        try:
            answer = assistant.ask(question)
        except QuestionError:
            assert not question.strip() or len(question) > 2000 or not normalise(question).strip()
            continue
        for quote in quotes_of(answer):
            assert ON_DISK[quote.start : quote.end] == quote.text


def test_naughty_strings_as_articles_are_kept_letter_for_letter(library: Library) -> None:
    strings = json.loads(needs_shared("corpora/naughty-strings.json").read_bytes())
    stored: dict[str, Article] = {}
    for text in strings:
        try:
            article = make_article(text)
        except ArticleError:
            assert not any(char.isalnum() or char == "_" for char in text)
            continue
        if article.sha256 not in stored:
            put(library, article)
        stored.setdefault(article.sha256, article)
        assert article.text == normalise(text)
    reopened = Library(library.folder)
    kept = {article.id: article.text for article, _ in reopened.articles()}
    reopened.close()
    assert kept == {article.id: article.text for article in stored.values()}
    assert len(stored) > 400


def test_an_article_changed_while_it_is_read_gives_an_error_and_no_quote(library: Library, article: Article) -> None:
    put(library, article)
    assistant = real(library)
    stages = assistant.stages(ASK)
    assert [next(stages), next(stages)] == ["searching", "reading"]  # now the passages are taken
    changed = replace(make_article(article.text.replace("Times", "Post")), id=article.id)
    put(library, changed)
    with pytest.raises(LibraryError, match="ask again"):
        next(stages)
    assert assistant.ask(ASK).text == "The New York Post"


def test_an_article_removed_while_it_is_read_gives_an_error_and_no_quote(library: Library, article: Article) -> None:
    put(library, article)
    stages = real(library).stages(ASK)
    assert [next(stages), next(stages)] == ["searching", "reading"]
    library.remove(article.id)
    with pytest.raises(LibraryError):
        next(stages)


def test_an_empty_library_answers_that_nothing_says_so(library: Library) -> None:
    answer = real(library).ask(ASK)
    assert (answer.status, answer.quotes, answer.closest, answer.confidence) == ("not_found", (), None, 1.0)


def test_vectors_of_another_encoder_are_refused(library: Library, article: Article) -> None:
    put(library, article)
    with pytest.raises(EncoderMismatch, match="pullquote reembed"):
        Assistant.open(library, Settings(encoder=BUILT_IN))
    assert library.encoder != fingerprint(BUILT_IN)


def test_a_refused_question_is_read_once_more_with_its_misspelt_words_corrected(assistant: Assistant) -> None:
    trace = assistant.trace("When were the Iranain drnes sent?")
    assert (trace.answer.status, trace.answer.text) == ("answered", "August")
    assert trace.answer.read_as == "When were the Iranian drones sent?"
    assert trace.answer.question == "When were the Iranain drnes sent?"
    assert [reading.question for reading in trace.readings] == [trace.answer.question, trace.answer.read_as]


def test_one_that_is_refused_all_the_same_is_shown_as_it_was_asked(assistant: Assistant) -> None:
    answer = assistant.ask("How much does the inteligence of octopuses weigh?")
    assert (answer.status, answer.read_as) == ("not_found", None)


def test_a_question_at_the_limit_is_not_made_longer_than_it(assistant: Assistant) -> None:
    question = ("What inteligence " + "zq " * 1_000)[:1_999] + "?"
    assert assistant.ask(question).question == question

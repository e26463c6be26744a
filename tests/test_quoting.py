"""Quoting from hand-made verdicts, held against the text they are cut from."""

from pullquote.articles import make_article
from pullquote.datatypes import Chunk, Passage, Quote, Span
from pullquote.judging import Verdict
from pullquote.quoting import CLOSE, MAX_QUOTES, cut, quote_spans

LINES = (
    "The New York Times was first.",
    "Reporters of the New York Times said so.",
    "A 🚀 was seen in Donbas.",
    "Nobody else was there.",
    "The new York times, again!",
)
TEXT = "\n\n".join(LINES)
ARTICLE = make_article(TEXT, title="Reports")
SENTENCES = tuple((TEXT.index(line), TEXT.index(line) + len(line)) for line in LINES)
PASSAGE = Passage(Chunk(ARTICLE.id, 0, len(TEXT), 0), ARTICLE, SENTENCES, 0.0, 0.0, 0.0)


def verdict(line: int, words: str, score: float) -> Verdict:
    start = SENTENCES[line][0] + LINES[line].index(words)
    return Verdict(Span(PASSAGE, SENTENCES[line], start, start + len(words), score, score), score)


def texts(quotes: tuple[Quote, ...]) -> list[str]:
    return [quote.text for quote in quotes]


def test_a_quote_is_its_whole_sentence_with_the_answer_highlighted() -> None:
    quote = cut(2, verdict(2, "Donbas", 1.0).span)
    assert quote.text == TEXT[quote.start : quote.end] == "A 🚀 was seen in Donbas."
    assert TEXT[slice(*quote.highlight)] == "Donbas"
    assert (quote.number, quote.paragraph) == (2, 3)
    assert (quote.article_id, quote.article_title, quote.article_sha256) == (ARTICLE.id, "Reports", ARTICLE.sha256)


def test_the_best_verdict_is_the_first_quote_even_alone_and_weak() -> None:
    (quote,) = quote_spans([verdict(3, "Nobody", -9.0)], threshold=0.0)
    assert (quote.number, quote.text) == (1, "Nobody else was there.")


def test_further_quotes_are_near_in_score_or_say_the_same() -> None:
    verdicts = [
        verdict(0, "The New York Times", 9.0),
        verdict(2, "Donbas", 9.0 - CLOSE),
        verdict(3, "Nobody", 8.9 - CLOSE),
        verdict(4, "The new York times", 0.0),
    ]
    assert texts(quote_spans(verdicts, threshold=0.0)) == [LINES[0], LINES[2], LINES[4]]


def test_a_further_quote_below_the_threshold_is_left_out() -> None:
    verdicts = [verdict(0, "The New York Times", 1.0), verdict(4, "The new York times", -0.1), verdict(2, "🚀", -0.1)]
    assert texts(quote_spans(verdicts, threshold=0.0)) == [LINES[0]]
    assert len(quote_spans(verdicts, threshold=-1.0)) == 3


def test_there_are_three_quotes_at_most_numbered_in_order() -> None:
    verdicts = [verdict(line, LINES[line].split()[0], 5.0 - line / 10) for line in range(5)]
    quotes = quote_spans(verdicts, threshold=0.0)
    assert MAX_QUOTES == 3
    assert texts(quotes) == list(LINES[:3])
    assert [quote.number for quote in quotes] == [1, 2, 3]
    assert all(quote.is_literal(ARTICLE) for quote in quotes)

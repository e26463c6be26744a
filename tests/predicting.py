"""What the tests of an evaluation share: a small article, and predictions about it made by hand."""

from collections.abc import Sequence

from pullquote.answering import Trace
from pullquote.articles import make_article
from pullquote.datatypes import Answer, Chunk, Passage, Point, Quote, Span, Status
from pullquote.evaluating import GoldQuestion, Prediction
from pullquote.examining import Reading
from pullquote.judging import Verdict

TEXT = "The Eiffel Tower, in Paris, opened in 1889. It was built by Gustave Eiffel's company.\n\nIt is 330 metres tall."
ARTICLE = make_article(TEXT, title="Tower")
SENTENCES = ((0, 43), (44, 85), (87, 109))  # of eight, seven and five words
ALL = ("opened", "built", "tall")  # a word of each sentence


def place(words: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """The words' span in TEXT, and that of their sentence."""
    start = TEXT.index(words)
    sentence = next(span for span in SENTENCES if span[0] <= start < span[1])
    return (start, start + len(words)), sentence


def passage(first: str, last: str = "") -> Passage:
    """A passage from the sentence that holds the first words to the one that holds the last."""
    sentences = SENTENCES[SENTENCES.index(place(first)[1]) : SENTENCES.index(place(last or first)[1]) + 1]
    chunk = Chunk(ARTICLE.id, sentences[0][0], sentences[-1][1], position=0)
    return Passage(chunk, ARTICLE, sentences, 0.5, 0.0, 0.5)


def reading(likeliest: Sequence[str], retrieved: Sequence[str] = ALL, twice: bool = False) -> Reading:
    """Passages, and verdicts on marked words, both best first and named by words in them."""
    verdicts = []
    for words in likeliest:
        (start, end), sentence = place(words)
        features = {"second_evidence": 1.0} if twice else {}
        verdicts.append(Verdict(Span(passage(words), sentence, start, end, 1.0, 1.0), features, 0.5))
    return Reading("What?", tuple(map(passage, retrieved)), tuple(verdicts))


def answer(
    said: Sequence[str], status: Status | None = None, confidence: float = 0.9, points: Sequence[int] = (1,)
) -> Answer:
    """The words quoted, each with its sentence, those numbered in `points` as points; none is a refusal."""
    quotes = [Quote.cut(number, ARTICLE, *reversed(place(words))) for number, words in enumerate(said, start=1)]
    status = status or ("answered" if said else "not_found")
    made = tuple(Point(said[number - 1], (number,)) for number in points) if status == "answered" else ()
    text = "; ".join(point.text for point in made)
    return Answer("What?", status, text, confidence, tuple(quotes), made, seconds={"total": 0.1})


def predict(
    kind: str,
    golds: Sequence[str],
    said: Sequence[str],
    confidence: float = 0.9,
    *,
    status: Status | None = None,
    seconds: float = 0.1,
    literal: bool = True,
    readings: Sequence[Reading] | None = None,
    number: int = 0,
) -> Prediction:
    """A prediction; by default all sentences were retrieved, and what was said was found likeliest."""
    made = answer(said, status, confidence)
    made.seconds["total"] = seconds
    gold = GoldQuestion(f"{kind} {number}", "Tower", "What?", kind, tuple(golds))
    readings = [reading(said or ["tall"])] if readings is None else readings
    return Prediction.of(gold, Trace(made, tuple(readings)), TEXT if literal else TEXT.upper())

"""Why an answer is what it is: passages, sentences, scores, the decision, a model's draft, as plain tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from pullquote.answering import Trace
from pullquote.examining import Reading
from pullquote.judging import FAST, SECOND, Judge, Verdict
from pullquote.wording import Wording

SENTENCES = 6  # shown of a reading
WORDS = 14  # of a sentence shown
FEATURES = tuple(dict.fromkeys((*FAST, *SECOND)))

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of its columns, and its rows."""

    title: str
    columns: Row
    rows: tuple[Row, ...]


def explain(trace: Trace, judge: Judge) -> list[Table]:
    """The tables of every reading: what was retrieved, what was marked and judged, and by which scores."""
    found = [
        table
        for reading in trace.readings
        for table in (_passages(reading), _sentences(reading, judge), _scores(reading))
    ]
    return [*found, _wording(trace.wording)] if trace.wording else found


def _wording(wording: Wording) -> Table:
    """What the model wrote, sentence by sentence, and what became of it."""
    kept = len(wording.kept)
    outcome = f"{kept} of {len(wording.checked)} sentences kept" if not wording.failure else "not used"
    rows = [
        (sentence.text, " ".join(f"[{number}]" for number in sentence.citations) or "none", fault or "kept")
        for sentence, fault in wording.checked
    ]
    rows += [("", "", f"the article’s own words are shown: {wording.failure}")] if wording.failure else []
    title = f"Wording by {wording.model}, {wording.seconds:.1f} s: {outcome}"
    return Table(title, ("sentence", "cites", "verdict"), tuple(rows))


def _passages(reading: Reading) -> Table:
    def rows() -> Iterator[Row]:
        for place, passage in enumerate(reading.passages, start=1):
            read = [verdict for verdict in reading.verdicts if verdict.span.passage.chunk == passage.chunk]
            again = any(
                verdict.is_read_twice and passage.chunk.start <= verdict.span.start < passage.chunk.end
                for verdict in reading.verdicts
            )
            dense, lexical = passage.ranks
            yield (
                str(place),
                f"{passage.article.title}, paragraph {passage.article.paragraph_at(passage.sentences[0][0])}",
                f"{passage.dense:.3f} (rank {dense})",
                f"{passage.lexical:.2f} (rank {lexical})" if lexical else "no word",
                f"{passage.fused:.3f}",
                "twice" if again else "once" if read else "not read",
            )

    columns = ("rank", "passage", "by meaning", "by words", "fused", "read")
    return Table(f"Passages for “{reading.question}”", columns, tuple(rows()))


def _sentences(reading: Reading, judge: Judge) -> Table:
    columns = ("#", "sentence", "marked", "confidence", "verdict")
    shown = enumerate(reading.verdicts[:SENTENCES], start=1)
    return Table("Sentences, likeliest first", columns, tuple(_sentence(n, verdict, judge) for n, verdict in shown))


def _sentence(number: int, verdict: Verdict, judge: Judge) -> Row:
    words = verdict.span.passage.article.text[slice(*verdict.span.sentence)].split()
    threshold = judge.threshold(verdict)
    return (
        str(number),
        " ".join(words[:WORDS]) + ("…" if len(words) > WORDS else ""),
        verdict.span.text,
        f"{verdict.confidence:.3f}",
        f"{'kept' if verdict.confidence >= threshold else 'refused'} at {threshold:.3f}",
    )


def _scores(reading: Reading) -> Table:
    """What the judge weighed; span and null are logits of the reader that read the sentence last."""

    def row(number: int, verdict: Verdict) -> Row:
        span = verdict.span
        features = (f"{verdict.features[name]:.2f}" if name in verdict.features else "–" for name in FEATURES)
        reader = "second" if verdict.is_read_twice else "first"
        return str(number), reader, f"{span.score + span.null:.2f}", f"{span.null:.2f}", *features

    columns = ("#", "reader", "span", "null", *(name.replace("_", " ") for name in FEATURES))
    shown = enumerate(reading.verdicts[:SENTENCES], start=1)
    return Table("Their scores", columns, tuple(row(number, verdict) for number, verdict in shown))

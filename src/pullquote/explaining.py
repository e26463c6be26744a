"""Why an answer is what it is: passages, sentences, scores, the decision, a model's draft, as plain tables.

In English, unless other words are given; the names of scores, and a verifier's reasons, are English in any case.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pullquote.answering import Trace
from pullquote.examining import Reading
from pullquote.judging import FAST, SECOND, Judge, Verdict
from pullquote.messages import ENGLISH, Messages
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


def explain(trace: Trace, judge: Judge, _: Messages = ENGLISH) -> list[Table]:
    """The tables of every reading: what was retrieved, what was marked and judged, and by which scores."""
    found = [
        table
        for reading in trace.readings
        for table in (_passages(reading, _), _sentences(reading, judge, _), _scores(reading, _))
    ]
    return [*found, _wording(trace.wording, _)] if trace.wording else found


def _wording(wording: Wording, _: Messages) -> Table:
    """What the model wrote, sentence by sentence, and what became of it."""
    kept = len(wording.kept)
    outcome = _.ngettext(
        "{kept} of {count} sentence kept", "{kept} of {count} sentences kept", len(wording.checked), kept=kept
    )
    rows = [
        (sentence.text, " ".join(f"[{number}]" for number in sentence.citations) or _("none"), fault or _("kept"))
        for sentence, fault in wording.checked
    ]
    failure = _("the article’s own words are shown: {reason}", reason=wording.failure)
    rows += [("", "", failure)] if wording.failure else []
    title = _(
        "Wording by {model}, {seconds} s: {outcome}",
        model=wording.model,
        seconds=f"{wording.seconds:.1f}",
        outcome=_("not used") if wording.failure else outcome,
    )
    return Table(title, (_("sentence"), _("cites"), _("verdict")), tuple(rows))


def _passages(reading: Reading, _: Messages) -> Table:
    def rows() -> Iterator[Row]:
        for place, passage in enumerate(reading.passages, start=1):
            read = [verdict for verdict in reading.verdicts if verdict.span.passage.chunk == passage.chunk]
            again = any(
                verdict.is_read_twice and passage.chunk.start <= verdict.span.start < passage.chunk.end
                for verdict in reading.verdicts
            )
            dense, lexical = passage.ranks
            paragraph = _("paragraph {number}", number=passage.article.paragraph_at(passage.sentences[0][0]))
            yield (
                str(place),
                f"{passage.article.title}, {paragraph}",
                _("{score} (rank {rank})", score=f"{passage.dense:.3f}", rank=dense),
                _("{score} (rank {rank})", score=f"{passage.lexical:.2f}", rank=lexical) if lexical else _("no word"),
                f"{passage.fused:.3f}",
                _("twice") if again else _("once") if read else _("not read"),
            )

    columns = (_("rank"), _("passage"), _("by meaning"), _("by words"), _("fused"), _("read"))
    return Table(_("Passages for “{question}”", question=reading.question), columns, tuple(rows()))


def _sentences(reading: Reading, judge: Judge, _: Messages) -> Table:
    columns = ("#", _("sentence"), _("marked"), _("confidence"), _("verdict"))
    shown = enumerate(reading.verdicts[:SENTENCES], start=1)
    rows = tuple(_sentence(number, verdict, judge, _) for number, verdict in shown)
    return Table(_("Sentences, likeliest first"), columns, rows)


def _sentence(number: int, verdict: Verdict, judge: Judge, _: Messages) -> Row:
    words = verdict.span.passage.article.text[slice(*verdict.span.sentence)].split()
    threshold = judge.threshold(verdict)
    at = f"{threshold:.3f}"
    return (
        str(number),
        " ".join(words[:WORDS]) + ("…" if len(words) > WORDS else ""),
        verdict.span.text,
        f"{verdict.confidence:.3f}",
        _("kept at {score}", score=at) if verdict.confidence >= threshold else _("refused at {score}", score=at),
    )


def _scores(reading: Reading, _: Messages) -> Table:
    """What the judge weighed; span and null are logits of the reader that read the sentence last."""

    def row(number: int, verdict: Verdict) -> Row:
        span = verdict.span
        features = (f"{verdict.features[name]:.2f}" if name in verdict.features else "–" for name in FEATURES)
        reader = _("second") if verdict.is_read_twice else _("first")
        return str(number), reader, f"{span.score + span.null:.2f}", f"{span.null:.2f}", *features

    columns = ("#", _("reader"), "span", "null", *(name.replace("_", " ") for name in FEATURES))
    shown = enumerate(reading.verdicts[:SENTENCES], start=1)
    return Table(_("Their scores"), columns, tuple(row(number, verdict) for number, verdict in shown))

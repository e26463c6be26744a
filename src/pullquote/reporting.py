"""The numbers of an evaluation for people: tables for the terminal, and one self-contained page with plots."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from pullquote.measuring import Bin
from pullquote.scoring import LOWER_IS_BETTER, SURE, Change, Measure, Report

if TYPE_CHECKING:  # matplotlib takes half a second, and only a page needs it
    from matplotlib.axes import Axes

MEASURED = ("measure", "value", "±", "questions")
COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)  # of the risk–coverage curve, told in words

# Part of the report → its measures → what each is called, its unit, what it is. In the order in which they are shown.
PARTS = {
    "Answers": {
        "quote_holds_answer": ("first quote holds answer", "%", "of questions that have one; refused counts as wrong"),
        "any_quote_holds_answer": ("any quote holds answer", "%", "of up to three quotes"),
        "said_holds_answer": ("words said hold answer", "%", "of the same questions, what is said before the quotes"),
        "quote_words": ("words a quote", "", "mean of the first quotes; a longer quote holds more"),
        "exact_match": ("EM", "", "the highlighted words are a gold answer (Rajpurkar et al. 2016)"),
        "f1": ("F1", "", "words shared with the best gold answer (Rajpurkar et al. 2016)"),
    },
    "Refusals": {
        "refusal_precision": ("refusal precision", "%", "of the refusals, those of questions without an answer"),
        "refusal_recall": ("refusal recall", "%", "of the questions without an answer, those refused"),
    },
    "Retrieval": {
        "recall_at_1": ("recall@1", "%", "first passage holds the answer, in its paragraph where that is known"),
        "recall_at_3": ("recall@3", "%", "one of the first three does"),
        "recall_at_5": ("recall@5", "%", "one of the first five does"),
        "mrr": ("MRR", "", "mean of 1/rank of the first that does, × 100 (Voorhees 1999)"),
    },
    "Confidence": {
        "calibration_error": ("ECE", "", "points between confidence and share right, 10 bins (Guo et al. 2017)"),
        "area_under_risk": ("AURC", "", "mean risk over all coverages, × 100; lower is better (Geifman et al. 2019)"),
        "sure_right": (f"right at confidence ≥ {SURE}", "%", "of the answers to questions not written to mislead"),
        "sure_share": (f"answers at confidence ≥ {SURE}", "%", "of the answers to questions not written to mislead"),
    },
    "Promise and speed": {
        "literal": ("literal quotes", "%", "answers whose quotes are all slices of the article"),
        "worded": ("worded by a model", "%", "of the answers that a language model was asked to word"),
        "sentences_dropped": ("sentences dropped", "%", "of those that the model wrote"),
        "second_reader": ("read twice", "%", "questions that went to the second reader"),
        "seconds_median": ("seconds a question", "s", "median"),
        "seconds_p95": ("seconds, slowest", "s", "95th percentile"),
    },
}
NAMES = {key: about[0] for part in PARTS.values() for key, about in part.items()}

# Colours that stand in a plot for the page's own, which follow its light or dark scheme.
_COLOURS = {"#010203": "currentColor", "#010204": "var(--soft)", "#010205": "var(--line)", "#010206": "var(--accent)"}
INK, SOFT, LINE, ACCENT = _COLOURS


@dataclass(frozen=True)
class Table:
    """Words in rows under a title, with what is to be known of them."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


def tables(report: Report, changes: Sequence[Change] = ()) -> list[Table]:
    """The report in words, the worst cases last; empty tables are left out."""
    measures = [row[:4] for part in PARTS for row in measure_rows(report, part)]
    curve, bins = risk_table(report.risk_coverage), reliability_table(report.reliability)
    found = [Table("Measures", MEASURED, measures), kind_table(report), stage_table(report), curve, bins]
    return [table for table in [*found, case_table(report), change_table(changes)] if table.rows]


def measure_rows(report: Report, part: str) -> list[tuple[str, str, str, str, str]]:
    """Name, value, standard error, number of questions and meaning of each measure of a part."""
    return [
        (name, _value(measure, unit), _error(measure, unit), f"{measure.questions}", meaning)
        for key, (name, unit, meaning) in PARTS[part].items()
        for measure in [report.measures[key]]
    ]


def kind_table(report: Report) -> Table:
    """A row for each kind of question."""
    rows = [
        (kind, str(row.questions), *(_number(value) for value in (row.right, row.right_anywhere, row.refused, row.auc)))
        for kind, row in report.kinds.items()
    ]
    note = "AUC: how often a question with an answer is given the higher chance of one (Hanley & McNeil 1982)."
    return Table("By kind, %", ("kind", "questions", "right", "any quote", "refused", "AUC"), rows, note)


def stage_table(report: Report) -> Table:
    """How many gold answers were lost at each stage."""
    note = (
        "Understanding: taken for another kind of question. Retrieval: no passage held it. "
        "Reading: another sentence was found likelier. Judging: it was refused."
    )
    return Table("Gold answers lost at", ("stage", "questions"), [(at, str(n)) for at, n in report.lost.items()], note)


def risk_table(curve: Sequence[tuple[float, float]]) -> Table:
    """The risk–coverage curve at a few coverages."""
    risks = [(share, curve[max(0, round(share * len(curve)) - 1)][1]) for share in COVERAGES]
    rows = [(f"{100 * share:.0f} %", f"{100 * risk:.1f}") for share, risk in risks]
    return Table("Risk by coverage, %", ("most confident", "wrong"), rows)


def reliability_table(bins: Sequence[Bin]) -> Table:
    """The bins of the reliability diagram that are not empty."""
    rows = [
        (f"{one.low:.1f} – {one.high:.1f}", str(one.count), f"{100 * one.confidence:.1f}", f"{100 * one.right:.1f}")
        for one in bins
        if one.count
    ]
    return Table("Reliability, %", ("confidence", "questions", "mean", "right"), rows)


def change_table(changes: Sequence[Change]) -> Table:
    """The comparison with the baseline."""
    return Table(
        "Against the baseline", ("measure", "before", "now", "difference", "verdict"), [*map(_change, changes)]
    )


def case_table(report: Report) -> Table:
    """The worst cases, without the quotes."""
    rows = [
        (case.question, case.said or "(refused)", " / ".join(case.golds), f"{case.confidence:.2f}", case.stage)
        for case in report.worst
    ]
    return Table("Worst cases", ("question", "said", "gold", "confidence", "lost at"), rows)


def page(report: Report, subject: str, facts: Mapping[str, str], changes: Sequence[Change] = ()) -> str:
    """One HTML page with the numbers, the plots and the worst cases; it asks nothing of the network.

    `facts` are what was measured and how, in words. Everything is escaped.
    """
    from jinja2 import Environment

    source = resources.files("pullquote").joinpath("templates/report.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
    return template.render(
        report=report,
        subject=subject,
        facts=facts,
        columns=MEASURED,
        parts={part: measure_rows(report, part) for part in PARTS},
        beside=[table for table in (kind_table(report), stage_table(report)) if table.rows],
        risk=(risk_plot(report.risk_coverage), risk_table(report.risk_coverage)),
        reliability=(reliability_plot(report.reliability), reliability_table(report.reliability)),
        changes=change_table(changes),
    )


def risk_plot(curve: Sequence[tuple[float, float]]) -> str:
    """The risk–coverage curve as SVG."""

    def draw(axes: "Axes") -> None:
        coverages, risks = [100 * coverage for coverage, _ in curve], [100 * risk for _, risk in curve]
        axes.axhline(risks[-1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.fill_between(coverages, risks, color=ACCENT, alpha=0.12, linewidth=0)
        axes.plot(coverages, risks, color=ACCENT, linewidth=2)
        usual = risks[len(risks) // 20 :]  # the risk of the first few is all or nothing
        axes.set(xlim=(0, 100), ylim=(0, max(5.0, 1.15 * max(usual))))
        axes.set_xlabel("coverage: the most confident, % of questions")
        axes.set_ylabel("risk: wrong among them, %")

    return _svg("risk", "Risk–coverage curve", draw)


def reliability_plot(bins: Sequence[Bin]) -> str:
    """The reliability diagram as SVG: a dot for each bin, its area by the number of questions."""

    def draw(axes: "Axes") -> None:
        filled = [one for one in bins if one.count]
        said, right = [100 * one.confidence for one in filled], [100 * one.right for one in filled]
        most = max(one.count for one in filled)
        areas = [25 + 275 * one.count / most for one in filled]  # square points
        axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(said, said, right, color=ACCENT, linewidth=2, alpha=0.5)
        axes.scatter(said, right, s=areas, color=ACCENT, linewidth=0, clip_on=False)
        axes.set(xlim=(0, 104), ylim=(0, 104))
        axes.set_xlabel("confidence, %")
        axes.set_ylabel("were right, %")

    return _svg("reliability", "Reliability diagram", draw)


def _svg(name: str, title: str, draw: "Callable[[Axes], None]") -> str:
    """An SVG element in the page's colours and type, as wide as its place; its ids begin with `name`."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(
        {
            "svg.fonttype": "none",  # words stay words: small, and in the page's own type
            "svg.hashsalt": name,  # the same numbers give the same page
            "font.size": 13,
            "axes.edgecolor": SOFT,
            "axes.labelcolor": INK,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "grid.color": LINE,
            "xtick.color": SOFT,
            "ytick.color": SOFT,
        }
    ):
        figure = Figure(figsize=(6, 4), layout="constrained")
        draw(figure.subplots())
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r'\bid="|(?<=url\()#|(?<=href=")#', lambda match: f"{match[0]}{name}-", text[text.index("<svg") :])
    for colour, own in _COLOURS.items():
        text = text.replace(colour, own)
    return re.sub(r'<svg [^>]*(viewBox="[^"]*")[^>]*>', rf'<svg role="img" aria-label="{title}" \1>', text, count=1)


def _value(measure: Measure, unit: str) -> str:
    if measure.value is None:
        return "–"
    return f"{measure.value:.3f} s" if unit == "s" else f"{measure.value:.1f} {unit}".rstrip()


def _error(measure: Measure, unit: str) -> str:
    return "" if measure.error is None or unit == "s" else f"± {measure.error:.1f}"


def _change(change: Change) -> tuple[str, str, str, str, str]:
    difference = "–" if change.before is None or change.now is None else _signed(change.now - change.before)
    name = NAMES.get(change.name, change.name) + (" (lower is better)" if change.name in LOWER_IS_BETTER else "")
    return name, _number(change.before), _number(change.now), difference, "fell" if change.fell else ""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if abs(value) >= 0.05 else "0.0"

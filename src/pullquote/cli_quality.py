"""The commands that measure and explain. `eval` ends with 4 when it fell behind its baseline."""

import os
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pullquote.datatypes import Article
from pullquote.errors import EvaluationError, LibraryError, PullquoteError
from pullquote.opening import open_library
from pullquote.settings import Settings
from pullquote.terminal import err, out, progress_bars, show_answer, show_table

if TYPE_CHECKING:  # the modules that measure are loaded by the command that needs them
    from pullquote.evaluating import Prediction
    from pullquote.scoring import Change, Report

app = typer.Typer()
FELL = 4


def _writable(path: Path | None) -> Path | None:
    """The path to write to, told at once when it cannot be: the work takes minutes."""
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise typer.BadParameter(f"{path} is not a file")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"No such file or directory: {path.parent}")
    if not os.access(path.resolve().parent, os.W_OK):  # it is written beside its place, then moved there
        raise typer.BadParameter(f"{path.parent} cannot be written to")
    return path


@app.command()
def eval(
    file: Annotated[Path, typer.Argument(help="Questions with answers: Pullquote's own format, or SQuAD 1.1 or 2.0.")],
    articles: Annotated[str, typer.Option(help="Only these articles: titles or ids, separated by commas.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    predictions: Annotated[
        Path | None, typer.Option(callback=_writable, help="Write each answer to this file, one JSON a line.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(callback=_writable, help="Write the numbers, with plots, to this HTML page.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Compare with what --json printed earlier; exit code 4 when a measure fell.")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="Points by which a measure may fall.")] = 1.0,
    llm: Annotated[
        bool, typer.Option("--llm", help="Ask everything again with the language model that is set, and show both.")
    ] = False,
    make_questions: Annotated[
        bool, typer.Option("--make-questions", help="Draft FILE from the library's articles, to be corrected by hand.")
    ] = False,
) -> None:
    """Measure the answers to a file of questions; each is asked of its own article only.

    Exit codes: 0 done, 4 a measure is further behind the baseline than the tolerance, 2 usage, 1 failure.
    """
    names = frozenset(filter(None, (name.strip() for name in articles.split(","))))
    if make_questions:
        if json or predictions or report or baseline or llm:
            raise typer.BadParameter("--make-questions measures nothing; of the other options it takes --articles only")
        _draft(file, names)
        return
    from pullquote import evaluating, rendering, reporting, scoring

    gold, questions = evaluating.load(file, names)
    before = scoring.read_baseline(baseline, questions) if baseline else None
    settings = Settings()
    if llm and not settings.llm_url:
        raise EvaluationError("no language model is set; set PULLQUOTE_LLM_URL and PULLQUOTE_LLM_MODEL")
    with progress_bars() as progress:
        if llm:
            both = list(evaluating.predict_both(gold, questions, settings, progress("asking")))
            found, worded = [own for own, _ in both], [other for _, other in both]
        else:
            found, worded = list(evaluating.predict(gold, questions, settings, progress("asking"))), []
    if predictions:
        told = worded or found
        rows = (f'{{"id": {dumps(row.gold.id)}, "answer": {rendering.to_json(row.answer)}}}\n' for row in told)
        _write(predictions, "".join(rows))
    result = scoring.score(found)
    data = asdict(result)
    other = scoring.score(worded) if worded else None
    if json:
        typer.echo(dumps(data | ({"llm": asdict(other)} if other else {}), indent=2))
    changes = scoring.compare(data, before, tolerance) if before else []
    if report:
        _write(report, reporting.page(result, file.name, _facts(found, settings), changes))
    _show(result, changes, json)
    if other and not json:
        _show_modes(result, other, worded)
    if any(change.fell for change in changes):
        err.print(f"fell behind {baseline} by more than {tolerance:g} points", style="red")
        raise typer.Exit(FELL)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    article: Annotated[str | None, typer.Option("--article", "-a", help="Ask only these: ids or tags.")] = None,
    after: Annotated[
        list[str] | None, typer.Option(help="An earlier question that this one follows; may repeat.")
    ] = None,
    expect: Annotated[
        list[str] | None, typer.Option(help="The right answer, to be told where it was lost; may repeat.")
    ] = None,
) -> None:
    """Show how an answer comes about: passages, readings, scores and the decision."""
    from pullquote import explaining, measuring
    from pullquote.answering import Assistant

    settings = Settings()
    _articles(settings)
    with closing(open_library(settings)) as library:
        assistant = Assistant.open(library, settings)
        trace = assistant.trace(question, after or (), article)
    for table in explaining.explain(trace, assistant.examiner.judge):
        show_table(table.title, table.columns, table.rows)
    show_answer(trace.answer)
    if expect:
        lost = measuring.lost_at(trace, expect)
        out.print(f"\nThe expected answer was lost in {lost}." if lost else "\nThe expected answer is quoted.")


@app.command()
def calibrate(
    file: Annotated[Path, typer.Argument(help="Questions with answers, as for `pullquote eval`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", callback=_writable, help="Write the judge to this file.")
    ] = Path("judge.json"),
) -> None:
    """Fit the judge to your own questions, and say what it is worth on articles that it was not fitted to."""
    from pullquote import calibrating, evaluating

    gold, questions = evaluating.load(file)
    with progress_bars() as progress:
        samples = list(calibrating.gather(gold, questions, Settings(reader="best"), progress("reading")))
    judge = calibrating.fit(samples, f"{len(samples)} questions about {len(gold)} articles of {file.name}")
    show_table(
        "On articles that the fit has not seen",
        ("measure", "value"),
        calibrating.rows(calibrating.cross_validate(samples)),
    )
    _write(output, judge.to_json())
    out.print(f"wrote {output}; use it with PULLQUOTE_JUDGE={output}")


def _draft(file: Path, names: frozenset[str]) -> None:
    from pullquote.suggesting import draft

    if file.exists():
        raise EvaluationError(f"{file} is there already; name another file, or remove it first")
    known = _articles(Settings())
    if missing := names - {name for article in known for name in (article.id, article.title)}:
        raise LibraryError(f"no article is named {', '.join(sorted(missing))}; `pullquote list` shows them all")
    drafted = draft(article for article in known if not names or names & {article.id, article.title})
    _write(file, dumps(drafted, indent=1, ensure_ascii=False) + "\n")
    questions, articles = (_count(len(drafted[key]), key[:-1]) for key in ("questions", "articles"))
    out.print(f"{file}: {questions} about {articles}, made by rule and asked of nobody.")
    out.print("Correct them by hand: the question, its answers, all wordings of an answer that you would accept.")
    out.print('Add some that the article does not answer, of kind "absent", without answers.')
    out.print(f"Then: pullquote eval {file}")


def _show(result: "Report", changes: "list[Change]", json: bool) -> None:
    """The tables; beside JSON, which has standard output for itself, only the comparison, which is the last."""
    from pullquote import reporting

    shown = reporting.tables(result, changes)
    for table in shown if not json else shown[-1:] if changes else []:
        show_table(table.title, table.columns, table.rows, err if json else out)


def _show_modes(own: "Report", other: "Report", worded: "list[Prediction]") -> None:
    """The measures in the articles' own words and in a model's, side by side, and why it was not used."""
    from pullquote import reporting

    rows = [
        (one[0], one[1], two[1], two[3])
        for part in reporting.PARTS
        for one, two in zip(*(reporting.measure_rows(report, part) for report in (own, other)), strict=True)
    ]
    show_table("Both modes", ("measure", "own words", "language model", "of"), rows)
    failures = Counter(row.wording.failure for row in worded if row.wording and row.wording.failure)
    if failures:
        reasons = [(reason, str(count)) for reason, count in failures.most_common()]
        show_table("Answers left in the articles’ own words", ("because", "answers"), reasons)


def _facts(found: "list[Prediction]", settings: Settings) -> dict[str, str]:
    """What was measured, when and how."""
    articles = {row.gold.article for row in found}
    return {
        "measured": f"{_count(len(found), 'question')} about {_count(len(articles), 'article')}",
        "Pullquote": version("pullquote"),
        "reader": settings.reader,
        "encoder": settings.encoder,
        "judge": str(settings.judge or "built-in"),
        "on": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    }


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)


def _articles(settings: Settings) -> list[Article]:
    with closing(open_library(settings)) as library:
        articles = [article for article, _ in library.articles()]
    if not articles:
        raise LibraryError("the library is empty; add an article with `pullquote add PATH`")
    return articles


def _write(path: Path, text: str) -> None:
    """Write the file whole or not at all; what a link leads to is replaced, not the link."""
    target = path.resolve()
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise PullquoteError(f"{path} was not written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)

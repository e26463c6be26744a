"""The part of the `pullquote` command for whoever runs the app: settings, what is amiss, what visitors thought."""

from contextlib import closing
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullquote.cli_library import open_library
from pullquote.errors import PullquoteError
from pullquote.rendering import quote_place
from pullquote.settings import Settings, origin, strangers
from pullquote.terminal import err, out, show_table

if TYPE_CHECKING:  # loaded by the command that needs it
    from pullquote.gaps import Gaps

app = typer.Typer()
feedback = typer.Typer(help="What visitors thought of the answers.", no_args_is_help=True)
app.add_typer(feedback, name="feedback")


@app.command()
def config() -> None:
    """Show every setting as it is, and where it came from. Secrets are not shown."""
    settings = Settings()
    rows = [(name, str(value), origin(name)) for name, value in settings]
    show_table("Settings", ("setting", "value", "from"), rows)
    for name, likely in strangers().items():
        err.print(f"{name} is no setting" + (f"; did you mean {likely}?" if likely else ""), style="red")


@app.command()
def doctor() -> None:
    """Check weights, library, index, disk, port, proxy and embed origins, and say how to mend what is amiss."""
    from pullquote import mending

    findings = mending.examine(Settings())
    for finding in findings:
        mark, style = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "bad": ("✗", "red")}[finding.state]
        out.print(f"{mark} {finding.what}: {finding.found}", style=style)
        if finding.mend:
            out.print(f"    {finding.mend}")
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


@feedback.command(name="list")
def list_feedback() -> None:
    """Show what visitors thought, the latest first."""
    from pullquote.feedback import Feedback

    with open_library(Settings()) as library, closing(Feedback(library)) as kept:
        rows = [(one.at[:16], one.verdict, one.status, one.question, one.reason) for one in kept.all()[::-1]]
    if not rows:
        out.print("Nobody has said anything yet.")
        return
    show_table("Feedback", ("when", "verdict", "status", "question", "reason"), rows)


@feedback.command(name="export")
def export_feedback(target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]) -> None:
    """Draft a file of questions for `pullquote eval` from it, to be corrected by hand."""
    from pullquote.feedback import Feedback, draft

    with open_library(Settings()) as library, closing(Feedback(library)) as kept:
        _write_questions(target, draft(library, kept.all()))
    out.print(f'Give those in "to_complete" their answers, and move them to "questions". Then: pullquote eval {target}')


@app.command(name="gaps")
def show_gaps(
    as_csv: Annotated[bool, typer.Option("--csv", help="Print them as a table, a row for each question.")] = False,
    questions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draft a file of questions for `pullquote eval`.")
    ] = None,
) -> None:
    """Show refused questions, grouped by what they mean, where PULLQUOTE_KEEP_REFUSED_DAYS keeps them."""
    from pullquote import gaps
    from pullquote.embedding import question_encoder
    from pullquote.refused import RefusedQuestions

    settings = Settings()
    if not settings.keep_refused_days:
        raise PullquoteError("refused questions are not kept; set PULLQUOTE_KEEP_REFUSED_DAYS to a number of days")
    with (
        open_library(settings) as library,
        closing(RefusedQuestions(settings.store, settings.keep_refused_days)) as kept,
    ):
        found = gaps.GapFinder(library, kept, question_encoder(settings.encoder)).find()
        if questions:
            _write_questions(questions, gaps.draft(library, found))
            out.print("Give those that an article does answer their answers, and the kind answerable.")
            out.print(f"Then: pullquote eval {questions}")
            return
    if as_csv:
        typer.echo(gaps.to_csv(found), nl=False)
    else:
        _show_gaps(found)


def _show_gaps(found: "Gaps") -> None:
    if not found.gaps:
        out.print(f"In the last {found.days} days no question was refused.")
        return
    rows = [
        (
            str(gap.count),
            gap.last,
            gap.question,
            str(len(gap.questions)),
            quote_place(gap.closest) if gap.closest else "",
        )
        for gap in found.gaps
    ]
    show_table("What the articles do not say", ("times", "last", "question", "wordings", "closest"), rows)


def _write_questions(target: Path, drafted: dict[str, Any]) -> None:
    if target.exists():
        raise PullquoteError(f"{target} is there already; name another file, or remove it first")
    try:
        target.write_text(dumps(drafted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise PullquoteError(f"{target} was not written: {error.strerror or error}") from error
    count, left = len(drafted["questions"]), len(drafted["to_complete"])
    out.print(f"{target}: {count} questions, {left} to be completed by hand.")

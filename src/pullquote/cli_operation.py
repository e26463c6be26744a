"""The part of the `pullquote` command for whoever runs the app: settings, what is amiss, what visitors thought."""

from contextlib import closing
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from pullquote.cli_library import open_library
from pullquote.errors import FeedbackError, PullquoteError
from pullquote.settings import Settings, origin, strangers
from pullquote.terminal import err, out, show_table

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

    if target.exists():
        raise FeedbackError(f"{target} is there already; name another file, or remove it first")
    with open_library(Settings()) as library, closing(Feedback(library)) as kept:
        drafted = draft(library, kept.all())
    try:
        target.write_text(dumps(drafted, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise PullquoteError(f"{target} was not written: {error.strerror or error}") from error
    out.print(
        f"{target}: {len(drafted['questions'])} questions, {len(drafted['to_complete'])} to be completed by hand."
    )
    out.print(f'Give those in "to_complete" their answers, and move them to "questions". Then: pullquote eval {target}')

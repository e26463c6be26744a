"""`pullquote bench`: what is measured of the app, of grown libraries, and how two results differ."""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullquote.articles import make_article
from pullquote.errors import LibraryError
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.terminal import err, out, progress_bars, show_table

if TYPE_CHECKING:  # what measures brings an HTTP client, which no other command waits for
    from pullquote.benchmarking import Figure

app = typer.Typer(invoke_without_command=True)
SLOWER = 4
ASKED = 20  # questions, where no file names any

Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON, for `pullquote bench compare`.")]


@app.callback()
def bench(
    context: typer.Context,
    runs: Annotated[int, typer.Option(min=1, max=50, help="How often to start the app.")] = 5,
    questions: Annotated[
        Path | None, typer.Option(help="Ask the questions of this file, as for `pullquote eval`; else drafted ones.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure the app over the library: start, memory, stages of a question, visitors, adding, beside the limits.

    langchain with FAISS, and txtai, are measured beside it where they are installed.
    """
    if context.invoked_subcommand:
        return
    from pullquote import benchmarking, evaluating, peers, profiling, suggesting
    from pullquote.answering import Assistant

    settings = Settings(cached=0)
    with closing(Library(settings.store)) as library, progress_bars() as progress:
        if library.is_empty:
            raise LibraryError("the library is empty; add an article with `pullquote add PATH`")
        article = library.articles()[0][0]
        drafted = [str(one["question"]) for one in suggesting.draft([article], ASKED)["questions"]]
        asked = [one.question for one in evaluating.load(questions)[1] if one.is_factual] if questions else drafted
        asked = asked or ["Who was the first to report it?"]
        bar = progress("measuring")
        limits = profiling.Limits.measure(settings.threads)
        figures = [*limits.figures, *benchmarking.measure_imports()]
        starts = []
        for run in range(runs):
            bar(run, runs + 5)
            starts.append(benchmarking.measure_start(settings, asked[0]))
        figures += benchmarking.figures_of_starts(starts)
        bar(runs, runs + 5)
        figures += profiling.measure_models(settings, limits)
        bar(runs + 1, runs + 5)
        assistant = Assistant.open(library, settings)
        figures += profiling.measure_stages(assistant, asked, article.id)
        bar(runs + 2, runs + 5)
        figures += profiling.measure_visitors(assistant, asked, article.id)
        bar(runs + 3, runs + 5)
        figures += peers.measure_peers(assistant, asked, article.id)
        bar(runs + 4, runs + 5)
        figures += profiling.measure_ingest(article, settings)
        bar(runs + 5, runs + 5)
    _show("start and questions", figures, settings, json)


@app.command()
def scale(
    questions: Annotated[
        Path, typer.Argument(metavar="FILE", help="Real articles and questions, as for `pullquote eval`.")
    ],
    sizes: Annotated[str, typer.Option(help="Chunks of the libraries, separated by commas.")] = "1000,10000,100000",
    folder: Annotated[
        Path | None, typer.Option(help="Keep the library in this folder, to be grown further another time.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure libraries of growing size: the file's articles among made-up ones. A million chunks take 5 GB of disk."""
    from pullquote import evaluating, growing, profiling, scaling
    from pullquote.embedding import QuestionEncoder
    from pullquote.workers import new_process

    settings, wanted = Settings(), _sizes(sizes)
    gold, asked = evaluating.load(questions)
    real = [make_article(one.text, title=one.title) for one in gold]
    asked = [one for one in asked if one.is_factual]
    titles = {one.id: article.title for one, article in zip(gold, real, strict=True)}
    limits = profiling.Limits.measure(settings.threads)
    figures = limits.figures
    with tempfile.TemporaryDirectory(prefix="pullquote-") as temporary, progress_bars() as progress:
        place = folder or Path(temporary)
        maker = growing.Maker(real, QuestionEncoder())
        for size in wanted:
            _grow(place, maker, size, progress(f"growing to {size:,} chunks"))
            with new_process(comes_after=False) as pool:
                measured = pool.submit(scaling.measure_size, place, asked, titles, limits.scan.best)
                figures += measured.result()
    _show("scale", figures, settings, json)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="What `--json` printed for one version.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="What it printed for another.")],
    tolerance: Annotated[float, typer.Option(min=0, help="By how much a figure may be slower: 0.1 is a tenth.")] = 0.1,
) -> None:
    """Compare two results. Exit code 4 when a figure is clearly slower, or larger, than the tolerance allows.

    Clearly: the best of its runs is behind the median of the other's. Where the limits differ, the machine did.
    """
    from pullquote import benchmarking

    found = benchmarking.compare(benchmarking.read_result(before), benchmarking.read_result(after))
    if not found:
        raise LibraryError("the two have no figure in common; compare results of the same command")
    slow = [
        one
        for one in found
        if one.factor > 1 + tolerance and one.is_clear and not one.name.startswith(benchmarking.MACHINE)
    ]
    rows = [
        (one.name, one.unit, _number(one.before), _number(one.after), f"{one.factor:.2f}", "slower" * (one in slow))
        for one in found
    ]
    show_table(f"{after} against {before}", ("figure", "unit", "before", "after", "times as slow", ""), rows)
    if slow:
        err.print(f"{len(slow)} figures are clearly more than {tolerance:.0%} behind {before}", style="red")
        raise typer.Exit(SLOWER)


def _grow(place: Path, maker: Any, size: int, bar: Callable[[int, int], None]) -> None:
    from pullquote.growing import Grown

    with closing(Library(place)) as library:
        for held in Grown.start(library, maker).grow(size):
            bar(min(held, size), size)


def _sizes(text: str) -> list[int]:
    try:
        sizes = sorted({int(part) for part in text.split(",")})
    except ValueError as error:
        raise typer.BadParameter("sizes are numbers, separated by commas: 1000,100000") from error
    if sizes[0] < 1:
        raise typer.BadParameter("a library has a chunk at least")
    return sizes


def _show(what: str, figures: "Sequence[Figure]", settings: Settings, as_json: bool) -> None:
    from pullquote import benchmarking

    if as_json:
        typer.echo(json.dumps(benchmarking.result(what, figures, settings), indent=1))
        return
    rows = [
        (
            one.name,
            one.unit,
            *map(_number, (one.median, one.best, one.worst)),
            "" if one.limit is None else _number(one.limit),
            "" if one.share is None else f"{one.share:.0%}",
        )
        for one in figures
    ]
    show_table(what, ("figure", "unit", "median", "best", "worst", "limit", "reached"), rows, out)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

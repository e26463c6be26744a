"""What the command line shows: answers, tables and progress bars."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from pullquote.datatypes import Answer, Article, Quote
from pullquote.rendering import ALSO, NOT_FOUND, confidence_words, further_quotes, lead, quote_place, worded_by

# What is piped on stays as it is: no line is broken, for a quote is literal there too.
out = Console(markup=False, emoji=False, highlight=False, soft_wrap=not sys.stdout.isatty())
err = Console(markup=False, emoji=False, highlight=False, soft_wrap=not sys.stderr.isatty(), stderr=True)


def show_answer(answer: Answer) -> None:
    """Print the answer with its quotes, or the refusal with the closest passage."""
    if answer.read_as:
        out.print(f"Read as: {answer.read_as}\n", style="dim")
    if opening := lead(answer):
        out.print(opening, style="bold")
    for point in answer.points:
        if point.question:
            out.print(point.question, style="dim")
        marks = "".join(f" [{number}]" for number in point.citations)
        style = "" if answer.worded_by else "bold"
        out.print(Text(point.text or NOT_FOUND, style=style).append(marks, style="not bold cyan"))
    if whose := worded_by(answer):
        out.print(whose, style="dim")
    further = further_quotes(answer)
    for quote in answer.quotes:
        if further and quote == further[0]:
            out.print(f"\n{ALSO}", style="dim")
        _show_quote(quote, marked=answer.status in ("answered", "related"))
    if answer.closest:
        out.print("\nClosest passage:", style="dim")
        _show_quote(answer.closest, marked=False)
    if words := confidence_words(answer):
        out.print(f"\n{words}", style="italic")


def show_articles(articles: Sequence[tuple[Article, int]], tags: Mapping[str, Sequence[str]]) -> None:
    """Print a table of articles and their numbers of chunks; `tags` are those of each, by its id."""
    fixed, folded = Column("id", no_wrap=True), Column("source", overflow="fold")
    table = _table(fixed, "title", "tags", "words", "chunks", "added", folded)
    for article, chunks in articles:
        own = " ".join(tags.get(article.id, ()))
        words = f"{len(article.text.split()):,}"
        table.add_row(article.id, article.title, own, words, str(chunks), article.added_at[:10], article.source)
    out.print(table if articles else "The library is empty; add an article with `pullquote add PATH`.")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], console: Console = out) -> None:
    """Print a table under its title."""
    table = _table(*columns)
    for row in rows:
        table.add_row(*row)
    console.print(f"\n{title}", style="bold")
    console.print(table)


def _show_quote(quote: Quote, marked: bool) -> None:
    text = Text(quote.text)
    if marked:
        text.stylize("bold", quote.highlight[0] - quote.start, quote.highlight[1] - quote.start)
    out.print(Text(f"\n[{quote.number}] ", style="cyan").append_text(text))
    out.print(f"    {quote_place(quote)}", style="dim")


@contextmanager
def progress_bars() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Gives a maker of progress bars, drawn on standard error: `bar = progress("what")`, then `bar(done, total)`."""
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=err) as bars:

        def start(what: str) -> Callable[[int, int], None]:
            task = bars.add_task(what, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield start


def _table(*columns: str | Column) -> Table:
    return Table(*columns, box=None, header_style="bold")

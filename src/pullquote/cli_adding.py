"""`pullquote add`: one by one, or many by several workers."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pullquote.cli_library import open_library
from pullquote.datatypes import Article
from pullquote.errors import ArticleError
from pullquote.settings import Settings
from pullquote.terminal import err, out, progress_bars

if TYPE_CHECKING:
    from pullquote.embedding import DocumentEncoder

app = typer.Typer()
NOTES = {"new": "", "changed": "  (a new version)", "unchanged": "  (was there already)"}


@app.command()
def add(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders, web addresses, or - for text that is piped in.")
    ],
    title: Annotated[str, typer.Option(help="A title, for one source.")] = "",
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Processes that embed, 500 MB each; more than one for thousands of files."),
    ] = None,
    ray: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Embed on a Ray cluster: auto (on one of its machines), HOST:6379, ray://HOST:10001, or local.",
        ),
    ] = "",
) -> None:
    """Add articles to the library, or replace those whose file or page has changed."""
    from pullquote import sources as reading
    from pullquote.articles import decode, make_article
    from pullquote.embedding import WorkerEncoder
    from pullquote.fetching import Fetcher
    from pullquote.ingesting import add_article
    from pullquote.searching import build_index

    settings = Settings()
    fetcher = Fetcher(settings.fetch_hosts)
    pages = [source for source in sources if source == "-" or reading.is_page(source)]
    names = [*map(str, reading.find_files(Path(source) for source in sources if source not in pages)), *pages]
    if not names:
        raise ArticleError(f"there is no file to read in there ({', '.join(reading.SUFFIXES)}); name one")
    if title and len(names) > 1:
        raise ArticleError(f"one title cannot name {len(names)} articles; add them one by one")

    def read(name: str) -> Article:
        if name == "-":
            return make_article(decode(sys.stdin.buffer.read(reading.MAX_BYTES + 1)), title=title)
        return (
            reading.read_page(name, fetcher, title) if reading.is_page(name) else reading.read_file(Path(name), title)
        )

    if ray or (workers or 1) > 1:
        with _encoders(settings.encoder, ray, workers) as encoders:
            _add_many(settings, names, read, encoders)
        return
    failed = 0
    with open_library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        for name in names:
            try:
                found = read(name)
                article, outcome = add_article(library, found, encoder, progress(found.title))
            except ArticleError as error:
                err.print(str(error), style="red")
                failed += 1
                continue
            out.print(f"{article.id}  {article.title}{NOTES[outcome]}")
        build_index(library)
    if failed:
        err.print(f"{failed} of {len(names)} were not added")
        raise typer.Exit(1)


@contextmanager
def _encoders(name: str, ray: str, workers: int | None) -> "Iterator[Sequence[DocumentEncoder]]":
    """An encoder for each article that is worked on at a time: on a Ray cluster, or in processes of this machine."""
    if ray:
        from pullquote.distributing import on_cluster

        with on_cluster(ray, name, workers) as encoders:
            yield encoders
        return
    from pullquote.embedding import WorkerEncoder

    count = workers or 1
    threads = max(1, (os.cpu_count() or 1) // count)
    with ExitStack() as stack:
        yield [stack.enter_context(WorkerEncoder(name, threads)) for _ in range(count)]


def _add_many(
    settings: Settings, names: list[str], read: Callable[[str], Article], encoders: "Sequence[DocumentEncoder]"
) -> None:
    """Add by several workers; says how many of what there were, and how fast."""
    from pullquote.ingesting import add_many
    from pullquote.searching import build_index

    counts, began = Counter[str](), time.monotonic()
    with open_library(settings) as library, progress_bars() as progress:
        bar, before = progress("adding"), library.size()[0]
        bar(0, len(names))
        for number, result in enumerate(add_many(library, names, read, encoders), start=1):
            if isinstance(result, ArticleError):
                err.print(str(result), style="red")
                counts["failed"] += 1
            else:
                _, article, outcome = result
                out.print(f"{article.id}  {article.title}{NOTES[outcome]}")
                counts[outcome] += 1
            bar(number, len(names))
        seconds, chunks = time.monotonic() - began, library.size()[0] - before
        build_index(library)
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    err.print(f"{said}; {chunks:,} more chunks in {seconds:.0f} s, {chunks / seconds:.1f} a second")
    if counts["failed"]:
        raise typer.Exit(1)

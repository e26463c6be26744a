"""The `pullquote` command. Exit codes: 0 answered or done, 3 not found, 4 behind a baseline, 2 usage, 1 failure."""

import logging
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.logging import RichHandler

from pullquote import cli_quality
from pullquote.errors import ArticleError, LibraryError, PullquoteError
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.terminal import err, out, progress_bars, show_answer, show_articles

app = typer.Typer(
    help="Ask an article a question, get the answer in the article's own words.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_quality.app)
NOT_FOUND = 3


def main(arguments: list[str] | None = None) -> None:
    """Run the command (of `sys.argv` by default); an expected failure is one line on standard error and exit code 1."""
    handler = RichHandler(console=err, show_time=False, show_path=False, show_level=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler])
    try:
        app(arguments)
    except PullquoteError as error:
        err.print(str(error), style="red")
        raise SystemExit(1) from error
    except ValidationError as error:
        for problem in error.errors():
            err.print(f"PULLQUOTE_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", style="red")
        raise SystemExit(2) from error


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    article: Annotated[str | None, typer.Option("--article", "-a", help="Ask only the article with this id.")] = None,
    after: Annotated[
        list[str] | None, typer.Option(help="An earlier question that this one follows; may repeat.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Answer a question with quotes from the library's articles."""
    from pullquote import rendering
    from pullquote.answering import Assistant

    settings = Settings()
    with _library(settings) as library:
        _require_articles(library)
        answer = Assistant.open(library, settings).ask(question, after or (), article)
    if json:
        typer.echo(rendering.to_json(answer, indent=2))
    else:
        show_answer(answer)
    raise typer.Exit(NOT_FOUND if answer.status == "not_found" else 0)


@app.command()
def add(paths: Annotated[list[Path], typer.Argument(help="Files (.txt, .md) or folders of them.")]) -> None:
    """Add articles to the library, or replace those whose file has changed."""
    from pullquote.articles import read_article
    from pullquote.embedding import WorkerEncoder
    from pullquote.ingesting import add_article, find_files
    from pullquote.vector_index import VectorIndex

    settings = Settings()
    files = find_files(paths)
    if not files:
        raise ArticleError("there is no .txt or .md file in there; name a file, or save the text as one first")
    failed = 0
    with _library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        for file in files:
            try:
                read = read_article(file)
                article, is_new = add_article(library, read, encoder, progress(read.title))
            except ArticleError as error:
                err.print(str(error), style="red")
                failed += 1
                continue
            out.print(f"{article.id}  {article.title}" + ("" if is_new else "  (was there already)"))
        VectorIndex.build(library)
    if failed:
        err.print(f"{failed} of {len(files)} files were not added")
        raise typer.Exit(1)


@app.command(name="list")
def list_articles() -> None:
    """Show the library's articles."""
    with _library(Settings()) as library:
        show_articles(library.articles())


@app.command()
def remove(
    article_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `pullquote list` shows.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Remove an article from the library. Its file stays where it is."""
    from pullquote.vector_index import VectorIndex

    with _library(Settings()) as library:
        article = library.article(article_id)
        if not yes and not typer.confirm(f"Remove {article.title!r} from the library?"):
            err.print("nothing was removed")
            raise typer.Exit(1)
        library.remove(article_id)
        VectorIndex.build(library)
    out.print(f"removed {article.title}; bring it back with `pullquote add {article.source}`")


@app.command()
def reembed() -> None:
    """Embed the whole library again with the encoder set now (PULLQUOTE_ENCODER)."""
    from pullquote import ingesting
    from pullquote.embedding import WorkerEncoder
    from pullquote.vector_index import VectorIndex

    settings = Settings()
    with _library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        count = ingesting.reembed(library, encoder, progress(f"embedding with {settings.encoder}"))
        VectorIndex.build(library)
    out.print(f"embedded {count} chunks with {settings.encoder}")


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Start the app in the browser (the same as `python app.py`)."""
    from pullquote.answering import Assistant
    from pullquote.embedding import WorkerEncoder, fingerprint
    from pullquote.ingesting import add_article, new_starters
    from pullquote.vector_index import VectorIndex

    given: dict[str, Any] = {"host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    with _listen(settings.host, settings.port) as listener, _library(settings) as library:
        library.require_encoder(fingerprint(settings.encoder))
        if starters := new_starters(library, settings.articles):
            with WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
                for article in starters:
                    add_article(library, article, encoder, progress(f"indexing {article.title}"))
                    library.mark_starter(article.sha256)
            VectorIndex.build(library)

        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(Assistant.open, library, settings)
            from pullquote.web import server  # importing gradio is most of the start; the models load beside it

            assistant = opening.result()
        server.serve(assistant, listener, lambda url: out.print(f"Pullquote is ready at {url} (stop it with Ctrl+C)"))


@contextmanager
def _library(settings: Settings) -> Iterator[Library]:
    library = Library(settings.store)
    try:
        yield library
    finally:
        library.close()


def _require_articles(library: Library) -> None:
    if library.is_empty:
        raise LibraryError("the library is empty; add an article with `pullquote add PATH`")


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises, before any work is done, when there can be none."""
    try:
        return socket.create_server((host, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PullquoteError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from error


if __name__ == "__main__":
    main()

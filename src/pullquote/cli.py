"""The `pullquote` command. Exit codes: 0 answered or done, 3 not found, 4 behind a baseline, 2 usage, 1 failure."""

import logging
import os
import signal
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.logging import RichHandler

from pullquote import cli_access, cli_adding, cli_bench, cli_library, cli_operation, cli_quality, logs
from pullquote.cli_library import open_library
from pullquote.errors import LibraryError, PullquoteError
from pullquote.settings import Settings
from pullquote.shared_library import AnyLibrary
from pullquote.terminal import err, out, progress_bars, show_answer

app = typer.Typer(
    help="Ask an article a question, get the answer in the article's own words.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_adding.app)
app.add_typer(cli_library.app)
app.add_typer(cli_access.app)
app.add_typer(cli_quality.app)
app.add_typer(cli_operation.app)
app.add_typer(cli_bench.app, name="bench")
NOT_FOUND = 3


def main(arguments: list[str] | None = None) -> None:
    """Run the command (of `sys.argv` by default); an expected failure is one line on standard error and exit code 1."""
    handler = RichHandler(console=err, show_time=False, show_path=False, show_level=False)
    handler.setFormatter(logs.TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        app(arguments)
    except PullquoteError as error:
        err.print(str(error), style="red")
        raise SystemExit(1) from error
    except sqlite3.DatabaseError as error:
        err.print(f"the library is damaged: {error}; set it aside, and `pullquote import` a backup", style="red")
        raise SystemExit(1) from error
    except ValidationError as error:
        for problem in error.errors():
            err.print(f"PULLQUOTE_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", style="red")
        raise SystemExit(2) from error


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    article: Annotated[str | None, typer.Option("--article", "-a", help="Ask only these: ids or tags.")] = None,
    after: Annotated[
        list[str] | None, typer.Option(help="An earlier question that this one follows; may repeat.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Answer a question with quotes from the library's articles."""
    from pullquote import rendering
    from pullquote.answering import Assistant

    settings = Settings()
    with open_library(settings) as library:
        _require_articles(library)
        answer = Assistant.open(library, settings).ask(question, after or (), article)
    if json:
        typer.echo(rendering.to_json(answer, indent=2))
    else:
        show_answer(answer)
    raise typer.Exit(NOT_FOUND if answer.status == "not_found" else 0)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Start the app in the browser (the same as `python app.py`)."""
    from pullquote.answering import Assistant
    from pullquote.embedding import WorkerEncoder, fingerprint
    from pullquote.ingesting import add_article, new_starters
    from pullquote.people import access_mode
    from pullquote.searching import build_index

    given: dict[str, Any] = {"host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    access_mode(settings)  # refuses before any work is done
    if settings.otlp:
        from pullquote import tracing  # noqa: F401  # the same, where its library is missing
    if settings.log == "json":
        logs.write_json(settings.log_questions)
    signal.signal(signal.SIGTERM, _end)
    with _listen(settings.host, settings.port) as listener, open_library(settings) as library:
        library.require_encoder(fingerprint(settings.encoder))
        if starters := new_starters(library, settings.articles):
            with WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
                for article in starters:
                    add_article(library, article, encoder, progress(f"indexing {article.title}"))
                    library.mark_starter(article.sha256)
            build_index(library)

        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(Assistant.open, library, settings)
            from pullquote.web import server  # importing gradio is most of the start; the models load beside it

            assistant = opening.result()
        server.serve(
            assistant,
            settings,
            listener,
            lambda url: out.print(f"Pullquote is ready at {url} (stop it with Ctrl+C)"),
        )


@app.command()
def embed_check(
    page: Annotated[str, typer.Argument(metavar="URL", help="A page that is to show the chat.")],
    at: Annotated[
        str | None, typer.Option("--app", help="The app's address, if the page does not name it yet.")
    ] = None,
) -> None:
    """Say what keeps the chat out of a page, and what to paste where. Exit code 1 when something does."""
    from pullquote import framing

    found = list(framing.check(page, at))
    for one in found:
        out.print(
            f"{'well ' if one.is_well else 'wrong'}  {one.name}" + ("" if one.is_well else f": {one.advice}"),
            markup=False,
        )
    raise typer.Exit(0 if all(one.is_well for one in found) else 1)


@app.command()
def mcp() -> None:
    """Serve the library to a language model's program over MCP, on standard input and output."""
    from pullquote import Pullquote, mcp_server

    with Pullquote.open() as pullquote:
        mcp_server.over_stdio(pullquote)


def _end(*_: object) -> None:
    """What is open is closed in order: a signal by itself would end the process on the spot."""
    raise SystemExit(0)


def _require_articles(library: AnyLibrary) -> None:
    if library.is_empty:
        raise LibraryError("the library is empty; add an article with `pullquote add PATH`")


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises, before any work is done, when there can be none."""
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise PullquoteError(f"cannot listen on {host}:{port}: {reason}; choose another with --port") from error
    # subtle: asyncio does it only where a socket names its protocol; else each answer waits 40 ms for the client's ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


if __name__ == "__main__":
    main()

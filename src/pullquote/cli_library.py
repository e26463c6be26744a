"""The part of the `pullquote` command that fills, changes and keeps the library."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pullquote import opening
from pullquote.errors import ArticleError, LibraryError
from pullquote.library import FILE_NAME
from pullquote.settings import Settings
from pullquote.shared_library import AnyLibrary
from pullquote.tagging import set_tags, tags_by_article, tags_of
from pullquote.terminal import err, out, progress_bars, show_articles

app = typer.Typer()

ArticleId = Annotated[str, typer.Argument(metavar="ID", help="The id that `pullquote list` shows.")]


@app.command(name="list")
def list_articles() -> None:
    """Show the library's articles."""
    with open_library(Settings()) as library:
        show_articles(library.articles(), tags_by_article(library))


@app.command()
def remove(
    article_id: ArticleId, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False
) -> None:
    """Remove an article from the library. Its file stays where it is."""
    from pullquote.searching import build_index

    with open_library(Settings()) as library:
        article = library.article(article_id)
        if not yes and not typer.confirm(f"Remove {article.title!r} from the library?"):
            err.print("nothing was removed")
            raise typer.Exit(1)
        library.remove(article_id)
        build_index(library)
    out.print(f"removed {article.title}; bring it back with `pullquote add {article.source}`")


@app.command()
def rename(article_id: ArticleId, title: Annotated[str, typer.Argument(help="The new title.")]) -> None:
    """Give an article another title, which stays when its file or page is read again."""
    from pullquote import ingesting
    from pullquote.embedding import WorkerEncoder
    from pullquote.searching import build_index

    settings = Settings()
    with open_library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        article = ingesting.rename(library, article_id, title, encoder, progress(title))
        build_index(library)
    out.print(f"{article.id}  {article.title}")


@app.command()
def tag(
    article_id: ArticleId,
    given: Annotated[list[str] | None, typer.Argument(metavar="TAG...", help="None: no tag.")] = None,
) -> None:
    """Give an article these tags and no others; then `pullquote ask --article TAG` asks the articles with a tag."""
    with open_library(Settings()) as library:
        set_tags(library, article_id, given or ())
        found = tags_of(library, article_id)
        out.print(f"{library.article(article_id).title}: {', '.join(found) or 'no tag'}")


@app.command()
def refresh(
    article_ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Only these; all otherwise.")] = None,
) -> None:
    """Read files and pages again, and say what has changed."""
    from pullquote.embedding import WorkerEncoder
    from pullquote.fetching import Fetcher
    from pullquote.ingesting import add_article
    from pullquote.searching import build_index
    from pullquote.sources import has_source, reread

    settings = Settings()
    fetcher, failed = Fetcher(settings.fetch_hosts), 0
    with open_library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        known = [article for article, _ in library.articles() if has_source(article)]
        for article in [library.article(key) for key in article_ids] if article_ids else known:
            try:
                found = reread(article, fetcher, library.given_title(article.id))
                _, outcome = add_article(library, found, encoder, progress(article.title))
            except ArticleError as error:
                err.print(f"{article.id}  {article.title}: {error}", style="red")
                failed += 1
                continue
            out.print(f"{article.id}  {article.title}: {outcome}")
        build_index(library)
    if failed:
        err.print(f"{failed} could not be read again; what the library has of them stays")
        raise typer.Exit(1)


@app.command()
def reembed() -> None:
    """Embed the whole library again with the encoder set now (PULLQUOTE_ENCODER)."""
    from pullquote import ingesting
    from pullquote.embedding import WorkerEncoder
    from pullquote.searching import build_index

    settings = Settings()
    with open_library(settings) as library, WorkerEncoder(settings.encoder) as encoder, progress_bars() as progress:
        count = ingesting.reembed(library, encoder, progress(f"embedding with {settings.encoder}"))
        build_index(library)
    out.print(f"embedded {count} chunks with {settings.encoder}")


@app.command()
def check() -> None:
    """Read everything in the library, and say what is wrong with it."""
    from pullquote import keeping

    with open_library(Settings()) as library:
        problems = keeping.check(library)
        count = len(library.titles())
    for problem in problems:
        err.print(problem, style="red")
    if problems:
        err.print(f"{len(problems)} problems; take a backup in with `pullquote import FILE`, or add the articles again")
        raise typer.Exit(1)
    out.print(f"{count} articles: all is as it was stored")


@app.command()
def export(target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]) -> None:
    """Write the library's articles to one file, for `pullquote import` elsewhere. Tokens are left out."""
    from pullquote import keeping

    with open_library(Settings()) as library:
        keeping.export(library, target)
        out.print(f"wrote {len(library.titles())} articles to {target}")


@app.command(name="import")
def import_articles(source: Annotated[Path, typer.Argument(metavar="FILE", help="An export or a backup.")]) -> None:
    """Take in the articles of another library's export, or of a backup."""
    from pullquote import keeping
    from pullquote.searching import build_index

    with open_library(Settings()) as library:
        new, known = keeping.import_from(library, source)
        build_index(library)
    out.print(f"took in {new} articles" + (f", {known} were there already" if known else ""))


@app.command()
def backup(target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")]) -> None:
    """Copy the whole library to one file, also while the app runs."""
    from pullquote import keeping

    with open_library(Settings()) as library:
        keeping.backup(library, target)
    out.print(f"wrote {target}; `pullquote import {target}` takes it in")


@app.command()
def migrate(
    source: Annotated[str, typer.Argument(metavar="FROM", help="A folder, or milvus://host:19530/NAME.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Likewise; it is made if it is not there.")],
) -> None:
    """Copy a library to another place, with its vectors, and compare the two. What is in the first stays there."""
    from pullquote import migrating
    from pullquote.embedding import fingerprint, question_encoder

    settings = Settings()
    token = settings.milvus_token.get_secret_value()
    if not opening.is_address(source) and not Path(source, FILE_NAME).is_file():
        raise LibraryError(f"there is no library in {source}; name the folder that holds {FILE_NAME}")
    with closing(opening.open_at(source, token)) as old, closing(opening.open_at(target, token)) as new:
        old.require_encoder(fingerprint(settings.encoder))
        count = migrating.migrate(old, new)
        found = list(migrating.differences(old, new, question_encoder(settings.encoder)))
    for difference in found:
        err.print(difference, style="red")
    if found:
        err.print(f"{target} is not the same; remove it, and try again")
        raise typer.Exit(1)
    out.print(f"moved {count} articles to {target}: texts, vectors and answers are the same")
    out.print(f"use it with PULLQUOTE_LIBRARY={target}")


@contextmanager
def open_library(settings: Settings) -> Iterator[AnyLibrary]:
    """The library that the settings name, closed at the end."""
    library = opening.open_library(settings)
    try:
        yield library
    finally:
        library.close()

"""The path of an article: text → sentences → chunks → embeddings → library."""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.embedding import DocumentEncoder, Progress, fingerprint
from pullquote.errors import ArticleError, LibraryError, ModelError
from pullquote.shared_library import AnyLibrary
from pullquote.sources import find_files, has_source, read_file

log = logging.getLogger("pullquote")

Outcome = Literal["new", "changed", "unchanged"]


def add_article(
    library: AnyLibrary, article: Article, encoder: DocumentEncoder, progress: Progress
) -> tuple[Article, Outcome]:
    """Put an article into the library; gives it as stored, and what that changed.

    The same text twice is one article; a file or page that has changed replaces its old text under the same id.
    """
    if known := library.find(sha256=article.sha256):
        return library.article(known), "unchanged"
    known = library.find(source=article.source) if has_source(article) else None
    if known:
        article = dataclasses.replace(article, id=known)
    try:
        _store(library, article, encoder, progress)
    except LibraryError:
        if same := library.find(sha256=article.sha256):  # another worker was faster with the same text
            return library.article(same), "unchanged"
        raise
    return article, "changed" if known else "new"


def add_many(
    library: AnyLibrary, names: Sequence[str], read: Callable[[str], Article], encoders: Sequence[DocumentEncoder]
) -> Iterator[tuple[str, Article, Outcome] | ArticleError]:
    """Read and add articles by several workers, each with its own encoder; gives each as it is done, in no order.

    What is stored before an interruption is passed over the next time, by its text. A worker whose process dies gets
    another one, and does its article again.
    """
    free: SimpleQueue[DocumentEncoder] = SimpleQueue()
    for encoder in encoders:
        free.put(encoder)

    def work(name: str) -> tuple[str, Article, Outcome] | ArticleError:
        encoder = free.get()
        try:
            article = read(name)
            try:
                return name, *add_article(library, article, encoder, lambda *_: None)
            except ModelError:
                return name, *add_article(library, article, encoder, lambda *_: None)
        except ArticleError as error:
            return error
        finally:
            free.put(encoder)

    pool = ThreadPoolExecutor(len(encoders), "ingest")
    try:
        for future in as_completed([pool.submit(work, name) for name in names]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def rename(library: AnyLibrary, article_id: str, title: str, encoder: DocumentEncoder, progress: Progress) -> Article:
    """Give an article another title, which stays when its source is read again. Chunks are embedded with the title.

    Raises `UnknownArticle`, and `ArticleError` for a title without a word.
    """
    title = " ".join(title.split())
    if not title:
        raise ArticleError("an article has a title; type one")
    article = dataclasses.replace(library.article(article_id), title=title)
    _store(library, article, encoder, progress, given_title=title)
    return article


def reembed(library: AnyLibrary, encoder: DocumentEncoder, progress: Progress) -> int:
    """Embed every chunk again with `encoder`; gives their number."""
    chunks = library.all_chunks()
    texts = [embedded_text(library.article(chunk.article_id), chunk) for _, chunk in chunks]
    library.replace_vectors([key for key, _ in chunks], encoder.encode(texts, progress), fingerprint(encoder.name))
    return len(chunks)


def embedded_text(article: Article, chunk: Chunk) -> str:
    """What is embedded for a chunk: its text under its article's title."""
    return f"{article.title}\n{article.text[chunk.start : chunk.end]}"


def new_starters(library: AnyLibrary, folder: Path) -> list[Article]:
    """The articles of the starting folder that this library has never held. One removed later does not come back.

    A file that cannot be read is skipped, with a line in the log.
    """
    articles = []
    for path in find_files([folder]) if folder.is_dir() else []:
        try:
            article = read_file(path)
        except ArticleError as error:
            log.warning("left out: %s", error)
            continue
        if library.is_new_starter(article.sha256):
            articles.append(article)
    return articles


def _store(
    library: AnyLibrary, article: Article, encoder: DocumentEncoder, progress: Progress, given_title: str | None = None
) -> None:
    library.require_encoder(fingerprint(encoder.name))
    chunks = chunk_article(article)
    vectors = encoder.encode([embedded_text(article, chunk) for chunk in chunks], progress)
    library.add(article, chunks, vectors, fingerprint(encoder.name), given_title)

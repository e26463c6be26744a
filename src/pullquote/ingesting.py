"""The path of an article: file → text → sentences → chunks → embeddings → library."""

import dataclasses
import logging
from pathlib import Path

from pullquote.articles import SUFFIXES, read_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.embedding import Progress, WorkerEncoder, fingerprint
from pullquote.errors import ArticleError
from pullquote.library import Library

log = logging.getLogger("pullquote")


def add_article(library: Library, article: Article, encoder: WorkerEncoder, progress: Progress) -> tuple[Article, bool]:
    """Put an article into the library; gives it as stored, and whether it is new.

    The same text twice is one article; a changed file replaces its old text under the same id.
    """
    if known := library.find(sha256=article.sha256):
        return library.article(known), False
    if article.source != "pasted" and (known := library.find(source=article.source)):
        article = dataclasses.replace(article, id=known)
    library.require_encoder(fingerprint(encoder.name))
    chunks = chunk_article(article)
    vectors = encoder.encode([embedded_text(article, chunk) for chunk in chunks], progress)
    library.add(article, chunks, vectors, fingerprint(encoder.name))
    return article, True


def reembed(library: Library, encoder: WorkerEncoder, progress: Progress) -> int:
    """Embed every chunk again with `encoder`; gives their number."""
    chunks = library.all_chunks()
    texts = [embedded_text(library.article(chunk.article_id), chunk) for _, chunk in chunks]
    library.replace_vectors([key for key, _ in chunks], encoder.encode(texts, progress), fingerprint(encoder.name))
    return len(chunks)


def embedded_text(article: Article, chunk: Chunk) -> str:
    """What is embedded for a chunk: its text under its article's title."""
    return f"{article.title}\n{article.text[chunk.start : chunk.end]}"


def find_files(paths: list[Path]) -> list[Path]:
    """The files at these paths: a folder stands for the .txt and .md files in it, in order of name.

    Raises `ArticleError` for a path that is not there.
    """
    found: list[Path] = []
    for path in paths:
        try:
            path.stat()
        except OSError as error:
            raise ArticleError(f"{path}: {error.strerror}; check the path") from error
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        else:
            found.append(path)
    return found


def new_starters(library: Library, folder: Path) -> list[Article]:
    """The articles of the starting folder that this library has never held. One removed later does not come back.

    A file that cannot be read is skipped, with a line in the log.
    """
    articles = []
    for path in find_files([folder]) if folder.is_dir() else []:
        try:
            article = read_article(path)
        except ArticleError as error:
            log.warning("left out: %s", error)
            continue
        if library.is_new_starter(article.sha256):
            articles.append(article)
    return articles

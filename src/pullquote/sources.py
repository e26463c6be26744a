"""Where articles come from: a file, an upload, a web page. Text is read here; everything else in a child process."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from threading import Event

from pullquote import formats
from pullquote.articles import decode, from_blocks, make_article
from pullquote.datatypes import Article
from pullquote.errors import ArticleError
from pullquote.fetching import DOCX, Fetcher
from pullquote.parsing import parse_contained

TEXTS = (".txt", ".md")
SUFFIXES = (*TEXTS, *formats.SUFFIXES)
MAX_BYTES = 20_000_000
MAX_NAME = 200  # characters
KINDS = {
    "text/html": ".html",
    "application/xhtml+xml": ".xhtml",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/pdf": ".pdf",
    DOCX: ".docx",
}


def read_bytes(
    data: bytes,
    name: str,
    source: str = "",
    title: str = "",
    charset: str | None = None,
    cancel: Event | None = None,
) -> Article:
    """The article in a file's bytes; the suffix of `name` says how to read them. `title` wins over its own.

    `source` is the name where nothing else is given. Raises `ArticleError` with what to do.
    """
    name = shown_name(name)
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise ArticleError(
            f"{name}: only {', '.join(SUFFIXES)} files can be added; save it as one of them, or paste it"
        )
    if len(data) > MAX_BYTES:
        raise ArticleError(f"{name}: {len(data):,} bytes; the limit is {MAX_BYTES:,}, split the file")
    source, stem = source or name, Path(name).stem
    if suffix in TEXTS:
        return make_article(decode(data, name), source, stem, title, markdown=suffix == ".md")
    document = parse_contained(data, name, charset, cancel)
    return from_blocks(document.blocks, source, stem, title or document.title)


def read_file(path: Path, title: str = "", cancel: Event | None = None) -> Article:
    """The article in a file. Raises `ArticleError` with what to do when it cannot be one."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise ArticleError(f"{path}: {error.strerror or error}; check the path and its permissions") from error
    if size > MAX_BYTES:
        raise ArticleError(f"{path.name}: {size:,} bytes; the limit is {MAX_BYTES:,}, split the file")
    return read_bytes(data, path.name, _display(path.resolve()), title, cancel=cancel)


def read_page(url: str, fetcher: Fetcher, title: str = "", cancel: Event | None = None) -> Article:
    """The article at a web address. Raises `ArticleError`, `FetchError` among them."""
    fetched = fetcher.fetch(url.strip())
    assert fetched is not None  # it was not asked whether it has changed
    suffix = KINDS[fetched.content_type]
    name = re.sub(r"^\w+://|[/?#]+$", "", fetched.url)
    name = name if name.lower().endswith(suffix) else name + suffix
    return read_bytes(fetched.data, name.replace("/", " · "), fetched.url, title, fetched.charset, cancel)


def reread(article: Article, fetcher: Fetcher, title: str = "", cancel: Event | None = None) -> Article:
    """What the article's source says now. Raises `ArticleError`, also for one that was pasted or uploaded."""
    if is_page(article.source):
        return read_page(article.source, fetcher, title, cancel)
    if not has_source(article):
        raise ArticleError(f"{article.title}: it was pasted or uploaded, so there is nothing to read again")
    return read_file(Path(article.source), title, cancel)


def has_source(article: Article) -> bool:
    """Whether the article comes from a file or a page that can be read again."""
    return is_page(article.source) or Path(article.source).is_absolute()


def is_page(source: str) -> bool:
    """Whether a source is a web address."""
    return source.lower().startswith(("http://", "https://"))


def shown_name(name: str) -> str:
    """A file's name as data to show: no folder, no control or direction character, not over `MAX_NAME` long."""
    bare = re.split(r"[/\\]", name)[-1]
    shown = " ".join("".join(char for char in bare if unicodedata.category(char)[0] != "C").split())
    stem, dot, suffix = shown.rpartition(".")
    return (stem[:MAX_NAME] + dot + suffix[:16] if dot else shown[:MAX_NAME]) or "Untitled"


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The files at these paths: a folder stands for the files in it that can be read, in order of name.

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


def _display(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")

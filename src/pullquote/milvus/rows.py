"""Articles and chunks as plain data, as Milvus keeps them, and the expressions that filter them."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple

from pullquote.datatypes import Article, Chunk, Heading
from pullquote.milvus.client import MAX_VALUE, Row
from pullquote.milvus.records import digest
from pullquote.schema import TOKENIZER
from pullquote.vector_rows import Vectors

BITS = 21  # of a chunk's key say which of its version's it is; the others are the version: milliseconds since 1970
SPAN = ("key", "article_id", "start", "end", "position")  # the fields that make a chunk
EVERYBODY = ""  # stands for a group in the audience of what is shown to all


class Terms:
    """Makes terms of texts: Milvus gets the words of chunks and questions ready to be compared.

    SQLite's own tokenizer makes them, so that words are alike here when they are in a folder. Safe to share between
    threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute(f"CREATE VIRTUAL TABLE text USING fts5 (words, tokenize = '{TOKENIZER}', content = '')")
        self._db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (text, instance)")

    def of(self, text: str) -> str:
        """The terms of a text in order, with blanks between them, as many as Milvus takes."""
        with self._lock:
            self._db.execute("INSERT INTO text (words) VALUES (?)", [text])
            terms = " ".join(term for (term,) in self._db.execute("SELECT term FROM terms ORDER BY offset"))
            self._db.execute("INSERT INTO text (text) VALUES ('delete-all')")
        return terms.encode()[:MAX_VALUE].decode(errors="ignore")


def article_data(article: Article) -> Row:
    """An article as plain data."""
    return asdict(article) | {"headings": [astuple(heading) for heading in article.headings]}


def article_of(data: Row) -> Article:
    """The article of such data."""
    return Article(**data | {"headings": tuple(Heading(*it) for it in data["headings"]), "pages": tuple(data["pages"])})


def chunk_rows(
    article: Article, chunks: Sequence[Chunk], vectors: Vectors, version: int, groups: Sequence[str], terms: Terms
) -> Iterator[Row]:
    """The rows of an article's chunks. Raises `ValueError` where they are not all of this article."""
    for number, (chunk, vector) in enumerate(zip(chunks, vectors, strict=True)):
        if (chunk.article_id, chunk.position) != (article.id, number) or chunk.end > len(article.text):
            raise ValueError("chunks are pieces of their article, in order")
        words = terms.of(article.text[chunk.start : chunk.end])
        more = {"words": words, "dense": vector.astype("f4").tolist(), "audience": audience(groups or [EVERYBODY])}
        yield asdict(chunk) | {"key": (version << BITS) + number} | more


def chunk_of(row: Row) -> Chunk:
    """The chunk of a row."""
    return Chunk(*(row[field] for field in SPAN[1:]))


def audience(groups: Iterable[str]) -> list[str]:
    """Groups as they stand in a filter, in which their names might be syntax."""
    return [digest(group)[:32] for group in groups]


def is_shown(groups: frozenset[str] | None) -> str:
    """What is true of the chunks that members of these groups see."""
    names = ", ".join(f'"{name}"' for name in audience([EVERYBODY, *(groups or ())]))
    return "" if groups is None else f"array_contains_any(audience, [{names}])"


def between(ranges: Sequence[range]) -> str:
    """What is true of the chunks with keys in these ranges."""
    return f"({' or '.join(f'(key >= {keys.start} and key < {keys.stop})' for keys in ranges)})"


def of_version(version: int) -> range:
    """The keys that chunks of a version may have."""
    return range(version << BITS, (version + 1) << BITS)

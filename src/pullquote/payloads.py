"""What is sent and received as plain data, over HTTP and MCP, beside the answer."""

from collections.abc import Sequence

from pydantic import BaseModel, Field
from typing_extensions import TypedDict  # typing's, before Python 3.12, has no fields that pydantic can read

from pullquote.datatypes import Article, Chunk, Passage
from pullquote.settings import MAX_QUESTION

MAX_HISTORY = 200  # earlier questions sent along; the last ten count
# A character that is neither a blank nor dropped at ingest: without one, nothing is asked.
SOMETHING = r"[^\s\u0000-\u001f\u007f-\u009f\ufeff]"


class Question(BaseModel):
    """What is asked, and of what."""

    question: str = Field(max_length=MAX_QUESTION, json_schema_extra={"pattern": SOMETHING})
    history: list[str] = Field(default=[], max_length=MAX_HISTORY, description="the earlier questions, oldest first")
    article: str | None = Field(default=None, description="ids or tags of the articles to ask; all otherwise")


class ArticleRow(TypedDict):
    """An article as plain data, without its text."""

    id: str
    title: str
    source: str
    added_at: str
    words: int
    pages: int | None
    chunks: int
    sha256: str
    tags: list[str]


class ChunkRow(TypedDict):
    """A chunk as plain data, with its text."""

    position: int
    start: int
    end: int
    page: int | None
    heading: str | None
    text: str


class WholeArticle(ArticleRow):
    """An article as plain data, with its text and its chunks. Offsets count Unicode code points of `text`."""

    text: str
    chunk_rows: list[ChunkRow]


class PassageRow(TypedDict):
    """A retrieved passage as plain data. `score` orders the passages of one search, and says nothing beyond."""

    article_id: str
    article_title: str
    start: int
    end: int
    page: int | None
    heading: str | None
    text: str
    score: float


def article_row(article: Article, chunks: int, tags: Sequence[str]) -> ArticleRow:
    """An article, the number of its chunks, and its tags."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "added_at": article.added_at,
        "words": len(article.text.split()),
        "pages": len(article.pages) or None,
        "chunks": chunks,
        "sha256": article.sha256,
        "tags": list(tags),
    }


def whole_article(article: Article, chunks: Sequence[Chunk], tags: Sequence[str]) -> WholeArticle:
    """An article with everything."""
    rows: list[ChunkRow] = [
        {
            "position": chunk.position,
            "start": chunk.start,
            "end": chunk.end,
            "page": article.page_at(chunk.start),
            "heading": article.heading_at(chunk.start),
            "text": article.text[chunk.start : chunk.end],
        }
        for chunk in chunks
    ]
    return {**article_row(article, len(chunks), tags), "text": article.text, "chunk_rows": rows}


def passage_row(passage: Passage) -> PassageRow:
    """A passage, with its place."""
    article, chunk = passage.article, passage.chunk
    return {
        "article_id": article.id,
        "article_title": article.title,
        "start": chunk.start,
        "end": chunk.end,
        "page": article.page_at(chunk.start),
        "heading": article.heading_at(chunk.start),
        "text": passage.text,
        "score": round(passage.fused, 4),
    }

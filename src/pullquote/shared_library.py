"""A library on a server that many processes share: what each kind of it gives, as `Library` does for a folder."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias

from pullquote.datatypes import Article, Chunk
from pullquote.library import Library, Result
from pullquote.vector_rows import Keys, Vectors


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may answer: cosines of all the chunks that were found, BM25 scores of those that hold a word asked for."""

    dense: dict[int, float]
    lexical: dict[int, float]


class Records(Protocol):
    """Small things that are kept beside the articles, as plain data, each under a kind and a key of that kind."""

    def put(self, kind: str, key: str, value: Any, at: int = 0, **marks: str) -> None:
        """Keep a value, in place of the one under that key; `marks` are what else it is found by."""

    def get(self, kind: str, key: str) -> Any:
        """The value; None where there is none."""

    def find(self, kind: str, **marks: str) -> Any:
        """A value with these marks; None where there is none."""

    def all(self, kind: str) -> list[Any]:
        """All values of a kind, by what was given as `at`."""

    def remove(self, kind: str, key: str) -> bool:
        """Remove a value; says whether there was one."""

    def remove_before(self, kind: str, at: int) -> None:
        """Remove the values with a smaller `at`."""


class SharedLibrary(ABC):
    """A library that searches itself, and knows for whom. Safe to share between threads.

    Methods that `Library` has too do the same, and raise the same; where the server does not answer, all of them raise
    `LibraryUnreachable`.
    """

    records: Records

    @property
    @abstractmethod
    def state(self) -> str:
        """What no other moment of this library has."""

    @property
    @abstractmethod
    def revision(self) -> int:
        """A count of the changes made to this library, by any process."""

    @property
    @abstractmethod
    def encoder(self) -> str:
        """Fingerprint of the encoder that made the vectors; "" while there are none."""

    @property
    @abstractmethod
    def is_empty(self) -> bool:
        """Whether there is no article."""

    @abstractmethod
    def require_encoder(self, fingerprint: str) -> None:
        """Raise `EncoderMismatch` when the vectors were made by another encoder than this one."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Everything read inside, by this thread, is of one moment, for some seconds."""

    @abstractmethod
    def at_one_moment(self, read: Callable[[], Result]) -> Result:
        """What `read` gives in a snapshot; read again where that took so long that it may be of two moments."""

    @abstractmethod
    def candidates(
        self, vector: Vectors, words: Sequence[str], count: int, within: Sequence[range] | None
    ) -> Candidates:
        """The `count` nearest chunks to a unit vector, and as many with the words, among those that are shown."""

    @abstractmethod
    def seen_by(self, groups: frozenset[str] | None) -> Self:
        """The library as members of these groups see it; with None, all of it."""

    @abstractmethod
    def groups_of(self, article_id: str) -> list[str]:
        """The groups that an article is shown to; none where it is shown to everybody."""

    @abstractmethod
    def groups_by_article(self) -> dict[str, list[str]]:
        """Id → groups, of every article that is not shown to everybody."""

    @abstractmethod
    def show_to(self, article_id: str, groups: Iterable[str]) -> None:
        """Show an article to these groups only; with none, to everybody."""

    @abstractmethod
    def tagged(self) -> list[tuple[str, str]]:
        """Tags, each with the id of an article that has it and is shown."""

    @abstractmethod
    def tag(self, article_id: str, tags: Sequence[str]) -> None:
        """Give an article these tags and no others."""

    @abstractmethod
    def add(
        self, article: Article, chunks: Sequence[Chunk], vectors: Vectors, encoder: str, given_title: str | None = None
    ) -> None:
        """Add an article, or replace the one with its id, at once for all who read."""

    @abstractmethod
    def remove(self, article_id: str) -> None:
        """Remove an article and all that came of it."""

    @abstractmethod
    def replace_vectors(self, keys: Sequence[int], vectors: Vectors, encoder: str) -> None:
        """Give every chunk a new vector, at once for all who read."""

    @abstractmethod
    def article(self, article_id: str) -> Article:
        """The article with this id."""

    @abstractmethod
    def articles(self) -> list[tuple[Article, int]]:
        """The articles that are shown, with the number of their chunks, oldest first."""

    def titles(self) -> dict[str, str]:
        """The titles of the articles that are shown, by their ids, oldest first."""
        return {article.id: article.title for article, _ in self.articles()}

    @abstractmethod
    def find(self, sha256: str = "", source: str = "") -> str | None:
        """Id of the article whose text has this SHA-256, or that came from this source."""

    @abstractmethod
    def given_title(self, article_id: str) -> str:
        """The title that somebody gave the article, "" while it has its own."""

    @abstractmethod
    def keys(self, article_id: str) -> range:
        """The keys of an article's chunks, which follow each other."""

    @abstractmethod
    def chunks(self, keys: Sequence[int]) -> dict[int, Chunk]:
        """The chunks with these keys; a key that is gone is left out."""

    @abstractmethod
    def chunks_of(self, article_id: str) -> list[Chunk]:
        """An article's chunks in order."""

    @abstractmethod
    def all_chunks(self) -> list[tuple[int, Chunk]]:
        """Every chunk with its key, in the order they were added."""

    @abstractmethod
    def search_words(self, words: Sequence[str], count: int, within: range | None = None) -> list[tuple[int, float]]:
        """Keys and BM25 scores of the chunks that hold any of the words, best first."""

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """How many chunks there are, and the dimension of their vectors; 0 while there are none."""

    @abstractmethod
    def vector_blocks(self) -> Iterator[tuple[Keys, Vectors]]:
        """The keys (n,) and vectors (n, dimension) of all chunks, a block at a time."""

    @abstractmethod
    def vectors_of(self, keys: Sequence[int]) -> Vectors:
        """The vectors (n, dimension) of the chunks with these keys, all of which there are, in their order."""

    @abstractmethod
    def is_new_starter(self, sha256: str) -> bool:
        """Whether a file with this SHA-256 has never been marked as started with."""

    @abstractmethod
    def starters(self) -> list[str]:
        """The SHA-256 of every file that has been marked."""

    @abstractmethod
    def mark_starter(self, sha256: str) -> None:
        """Remember a starting file."""

    @abstractmethod
    def call_before_close(self, finish: Callable[[], None]) -> None:
        """Have something called that has to end before the connection is closed."""

    @abstractmethod
    def close(self) -> None:
        """End the connection; the library is not used afterwards."""


AnyLibrary: TypeAlias = Library | SharedLibrary

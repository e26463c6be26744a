"""The words of a large library, by tantivy, in memory: SQLite's own index scores every chunk with any of the words.

A cache of the library, like the vector index, but kept in memory only, so that no file holds a word that was deleted.
What has changed is taken over in the background; until then SQLite searches what is new. In small libraries it searches
everything.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tantivy
from numpy.typing import NDArray

from pullquote.library import Library
from pullquote.workers import come_after_others

LEAST = 20_000  # chunks from which on words are kept here: below, SQLite takes some milliseconds
BESIDE = 2_000  # chunks that are gone, or new, up to which what is here already still helps
HEAP = 64_000_000  # bytes that tantivy may gather before it writes a segment

_TEXT, _KEY = "text", "key"

log = logging.getLogger("pullquote")


@dataclass(frozen=True, eq=False)
class Moment:
    """The words of one moment of the library."""

    state: str
    revision: int
    last: int  # the highest key so far
    searcher: Any


class WordIndex:
    """Searches the words of one library. Safe to share between threads."""

    def __init__(self, library: Library, least: int = LEAST) -> None:
        self._library = library
        self._least = least
        self._index, self._analyzer = _new_index()
        self._moment: Moment | None = None
        self._lock = threading.Lock()
        self._following: threading.Thread | None = None
        library.call_before_close(self._finish)

    def search(
        self, words: Sequence[str], count: int, size: int, within: range | None = None
    ) -> list[tuple[int, float]]:
        """Keys and BM25 scores of the best chunks with any of the words, in the caller's snapshot, best first.

        `size` is how many chunks the library has; `within` are the keys to look among.
        """
        moment, library = self._moment, self._library
        if size < self._least:
            return library.search_words(words, count, within)
        if moment and moment.state == library.state:
            return self._find(moment, words, count, within)
        self._follow()
        if moment is None or library.revision < moment.revision:
            return library.search_words(words, count, within)
        added, gone = library.changes(moment.revision, moment.last)
        if len(added) + len(gone) > BESIDE:
            return library.search_words(words, count, within)
        left_out = set(gone.tolist())
        found = [pair for pair in self._find(moment, words, count + len(gone), within) if pair[0] not in left_out]
        if new := [key for key in added.tolist() if not within or key in within]:
            found += library.search_words(words, count, range(new[0], new[-1] + 1))
        return sorted(found, key=lambda pair: -pair[1])[:count]

    def wait(self) -> None:
        """Wait until what has been noticed so far is taken over."""
        if following := self._following:
            following.join()

    def _find(self, moment: Moment, words: Sequence[str], count: int, within: range | None) -> list[tuple[int, float]]:
        schema = self._index.schema
        terms = dict.fromkeys(term for word in words for term in self._analyzer.analyze(word))
        if not terms:
            return []
        any_of = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, _TEXT, term, index_option="freq")) for term in terms
        ]
        query = tantivy.Query.boolean_query(any_of)
        if within:
            alone = tantivy.Query.const_score_query(self._between(within[0], within[-1]), 0.0)
            query = tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, alone)])
        hits = moment.searcher.search(query, count, count=False).hits
        keys = moment.searcher.fast_field_values(_KEY, [address for _, address in hits])
        return [(key, score) for key, (score, _) in zip(keys, hits, strict=True)]

    def _between(self, first: int, last: int) -> Any:
        return tantivy.Query.range_query(self._index.schema, _KEY, tantivy.FieldType.Unsigned, first, last)

    def _follow(self) -> None:
        with self._lock:
            if self._following is None:
                self._following = threading.Thread(target=self._take_over, name="words", daemon=True)
                self._following.start()

    def _take_over(self) -> None:
        """Bring the index to the library's present moment: what is new is added, what is gone removed."""
        come_after_others()
        try:
            with self._library.snapshot():
                known = self._moment or Moment("", 0, 0, None)
                state, revision = self._library.state, self._library.revision
                _, gone = self._library.changes(known.revision, known.last)
                writer = self._index.writer(HEAP, 1)
                for first, end in _runs(gone) if known.searcher else []:
                    writer.delete_documents_by_query(self._between(first, end))
                last = known.last
                for last, text in self._library.texts(known.last):
                    document = tantivy.Document()
                    document.add_unsigned(_KEY, last)
                    document.add_text(_TEXT, text)
                    writer.add_document(document)
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()
            self._moment = Moment(state, revision, last, self._index.searcher())
        finally:
            self._following = None

    def _finish(self) -> None:
        self.wait()


def _runs(keys: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The first and last of each run of keys that follow each other."""
    parts = np.split(keys, np.flatnonzero(np.diff(keys) != 1) + 1) if len(keys) else []
    return [(int(part[0]), int(part[-1])) for part in parts]


def _new_index() -> tuple[Any, Any]:
    """An empty index in memory, and what makes terms of a text."""
    schema = tantivy.SchemaBuilder()
    schema.add_unsigned_field(_KEY, stored=False, indexed=True, fast=True)
    schema.add_text_field(_TEXT, stored=False, tokenizer_name="words", index_option="freq")
    index = tantivy.Index(schema.build())
    words = _new_analyzer()
    index.register_tokenizer("words", words)
    return index, words


def _new_analyzer() -> Any:
    """What makes terms of a text: as SQLite's `porter unicode61` does, nearly."""
    analyzer = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    for change in (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("english")):
        analyzer = analyzer.filter(change)
    return analyzer.build()

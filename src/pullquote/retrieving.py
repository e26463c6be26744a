"""From a question to passages: nearest by meaning ⊕ best by words, fused by score."""

import re
from copy import copy
from typing import Self

from pullquote.datatypes import Article, Chunk, Passage
from pullquote.embedding import Encoder
from pullquote.searching import LocalSearch
from pullquote.sentences import sentence_spans
from pullquote.shared_library import AnyLibrary, Candidates, SharedLibrary
from pullquote.tagging import named
from pullquote.timing import stage
from pullquote.vector_rows import Vectors
from pullquote.visibility import seen_by

CANDIDATES = 50  # taken from each of the two searches
LEXICAL_WEIGHT = 0.3  # of BM25 over its maximum, beside a cosine: recall@1 85.0 against 82 by reciprocal rank
MAX_WORDS = 64  # of a question, searched for
STEM = 5  # letters by which forms of a word are known: "reported", "reports"

# Words that say nothing of what a question is about; a search for them reads the whole library.
STOP_WORDS = frozenset(
    """
    a about an and are as at be been being between by can could did do does during for from had has have he her him
    his how i if in into is it its may me might my no not of on or our over s shall she should so t than that the
    their them then there these they this those to under us was we were what when where which while who whom whose
    why will with would you your
    """.split()  # noqa: SIM905
)


class Retriever:
    """Searches one library. Follows its changes: an index of an older revision is replaced before the next search.

    Raises `EncoderMismatch` when the library was embedded anew, by another encoder, since.
    """

    def __init__(self, library: AnyLibrary, encoder: Encoder) -> None:
        self.library = library
        self.encoder = encoder
        self._local = None if isinstance(library, SharedLibrary) else LocalSearch(library)
        self._made_by = library.encoder

    def seen_by(self, groups: frozenset[str] | None) -> Self:
        """The same search, for members of these groups; what is not shown to them is not searched."""
        seen = copy(self)
        seen.library = seen_by(self.library, groups)
        return seen

    def retrieve(self, question: str, count: int, article: str | None = None) -> list[Passage]:
        """The `count` best passages for the question, best first; fewer when the library is small.

        With ids or tags in `article`, of those articles only. Raises `UnknownArticle`.
        """
        with stage("encode"):
            vector = self.encoder.encode([question])[0]
        words = content_words(question)

        def read() -> list[Passage]:
            self.library.require_encoder(self._made_by or self.library.encoder)
            found = self._candidates(vector, words, self._within(article) if article else None)
            with stage("fuse"):
                return self._fuse(found, count)

        return self.library.at_one_moment(read)

    def _within(self, names: str) -> list[range]:
        """The keys of the articles that are named; those of articles that follow each other are one range."""
        merged: list[range] = []
        for keys in sorted(map(self.library.keys, named(self.library, names)), key=lambda keys: keys.start):
            if merged and merged[-1].stop == keys.start:
                keys = range(merged.pop().start, keys.stop)
            merged.append(keys)
        return merged

    def wait(self) -> None:
        """Wait until what has been noticed of the library so far is in the indexes."""
        if self._local:
            self._local.wait()

    def _candidates(self, vector: Vectors, words: list[str], within: list[range] | None) -> Candidates:
        if isinstance(self.library, SharedLibrary):
            return self.library.candidates(vector, words, CANDIDATES, within)
        assert self._local is not None
        return self._local.candidates(self.library, vector, words, CANDIDATES, within)

    def _fuse(self, found: Candidates, count: int) -> list[Passage]:
        """The passages with the highest cosine + weight × BM25 / its maximum."""
        dense, lexical = found.dense, found.lexical
        top = max(lexical.values(), default=1.0)
        fused = {key: dense[key] + LEXICAL_WEIGHT * lexical.get(key, 0.0) / top for key in dense}
        best = sorted(fused, key=lambda key: -fused[key])[:count]
        chunks = self.library.chunks(best)
        places = _places(dense), _places(lexical)
        return [
            self._passage(
                chunks[key], dense[key], lexical.get(key, 0.0), fused[key], (places[0][key], places[1].get(key, 0))
            )
            for key in best
        ]

    def _passage(self, chunk: Chunk, dense: float, lexical: float, fused: float, ranks: tuple[int, int]) -> Passage:
        article = self.library.article(chunk.article_id)
        return Passage(chunk, article, _sentences(article, chunk), dense, lexical, fused, ranks)


def _places(scores: dict[int, float]) -> dict[int, int]:
    """Each key's place by its score, from 1."""
    return {key: place for place, key in enumerate(sorted(scores, key=lambda key: -scores[key]), start=1)}


def content_words(question: str) -> list[str]:
    """The question's words without stop words, in order, each once: data for a search, never its syntax."""
    words = re.findall(r"\w+", question.lower())
    return list(dict.fromkeys(word for word in words if word not in STOP_WORDS))[:MAX_WORDS]


def _sentences(article: Article, chunk: Chunk) -> tuple[tuple[int, int], ...]:
    """The chunk's sentences; headings only when it has nothing else (they name a matter, they say nothing of it)."""
    headings = {heading.start for heading in article.headings}
    inside = [span for span in article.paragraphs if span[0] < chunk.end and span[1] > chunk.start]
    paragraphs = [span for span in inside if span[0] not in headings] or inside
    # A chunk begins and ends where sentences do, so that its part of a long paragraph splits like the whole of it.
    parts = [(max(start, chunk.start), min(end, chunk.end)) for start, end in paragraphs]
    return tuple(span for part in parts for span in sentence_spans(article, part))

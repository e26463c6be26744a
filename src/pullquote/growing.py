"""Libraries of a size: real articles, and made-up ones around them whose words and vectors are spread as real ones are.

Words follow Zipf and Mandelbrot: a word of rank r has the chance ∝ 1 / (r + 2.7)^1.07 (Mandelbrot 1953), the real
articles' words being the most frequent; a fifth of an article's words are its own subject's. Vectors are drawn from the
normal distribution with the mean and covariance of real ones; those of an article are as alike as real articles' are.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.datatypes import Article, Chunk
from pullquote.embedding import BATCH, BUILT_IN, Encoder, fingerprint
from pullquote.ingesting import embedded_text
from pullquote.library import Library
from pullquote.sentences import sentence_spans

VOCABULARY = 200_000  # words, as an English corpus of some ten million has them
SENTENCES, SENTENCE = 6, 20  # of a made-up chunk, and words of each
CHUNKS = 40  # of a made-up article
LEARNT = 600  # sentences, beside the chunks, that the spread of vectors is taken from
SUBJECT, OWN = 30, 0.2  # words of an article's own subject, and their part of its text

Vectors = NDArray[np.float32]


class Maker:
    """Makes articles like the real ones. The n-th is the same each time."""

    def __init__(self, real: Sequence[Article], encoder: Encoder) -> None:
        self.real = real
        self.chunks = [chunk_article(article) for article in real]
        self.vectors = [
            _encode(encoder, [embedded_text(article, chunk) for chunk in chunks])
            for article, chunks in zip(real, self.chunks, strict=True)
        ]
        spans = [(one, span) for one in real for part in one.paragraphs for span in sentence_spans(one, part)]
        spans = spans[:: 1 + len(spans) // LEARNT]
        sentences = _encode(encoder, [article.text[slice(*span)] for article, span in spans])
        self._mean = np.concatenate(self.vectors).mean(axis=0)
        rows = np.concatenate([*self.vectors, sentences])
        spread = np.cov(rows, rowvar=False) + 1e-6 * np.eye(rows.shape[1])
        self._factor = np.linalg.cholesky(spread).T.astype(np.float32)
        self._alike = _alike(self.vectors, self._mean)
        counts = Counter(word for article in real for word in article.text.lower().split() if word.isalpha())
        tail = (f"{a}{b}{c}{d}" for a, b, c, d in itertools.product(_SYLLABLES, repeat=4))
        words = [*(word for word, _ in counts.most_common()), *itertools.islice(tail, VOCABULARY)]
        self._words = np.array(words[:VOCABULARY], dtype=object)
        chances = 1 / (np.arange(len(self._words)) + 2.7) ** 1.07
        self._sums = np.cumsum(chances / chances.sum())

    def article(self, number: int) -> tuple[Article, list[Chunk], Vectors]:
        """A made-up article with its chunks and their vectors."""
        chance = np.random.default_rng(number)
        subject = self._draw(chance, SUBJECT)
        drawn = self._draw(chance, CHUNKS * SENTENCES * SENTENCE)
        own = chance.random(len(drawn)) < OWN
        drawn[own] = chance.choice(subject, own.sum())
        rows = self._words[drawn].reshape(CHUNKS, SENTENCES, SENTENCE)
        texts = [" ".join(" ".join(words).capitalize() + "." for words in chunk) for chunk in rows]
        article = make_article("\n\n".join(texts), title=f"Made up {number}")
        ends = np.cumsum([len(text) + 2 for text in texts]) - 2
        chunks = [
            Chunk(article.id, int(end) - len(text), int(end), place)
            for place, (text, end) in enumerate(zip(texts, ends, strict=True))
        ]
        return article, chunks, self._vectors(chance)

    def _draw(self, chance: np.random.Generator, count: int) -> NDArray[np.int64]:
        return np.minimum(np.searchsorted(self._sums, chance.random(count)), len(self._words) - 1)

    def _vectors(self, chance: np.random.Generator) -> Vectors:
        topic, *own = chance.standard_normal((CHUNKS + 1, len(self._mean)), dtype=np.float32) @ self._factor
        vectors = self._mean + self._alike**0.5 * topic + (1 - self._alike) ** 0.5 * np.array(own)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _encode(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """The texts' vectors, by batches of like length, which pad least."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
    rows = [encoder.encode([texts[place] for place in places]) for places in batches]
    return np.concatenate(rows)[np.argsort(order)]


_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]


def _alike(vectors: Sequence[Vectors], mean: Vectors) -> float:
    """The part of the variance that chunks of an article have in common."""
    within = [((rows - rows.mean(axis=0)) ** 2).sum() / max(len(rows) - 1, 1) for rows in vectors]
    rows = np.concatenate(vectors) - mean
    return float(np.clip(1 - np.mean(within) / ((rows**2).sum() / max(len(rows) - 1, 1)), 0, 0.9))


class Grown:
    """A library that grows to the size asked for."""

    def __init__(self, library: Library, maker: Maker) -> None:
        self.library = library
        self._maker = maker

    @classmethod
    def start(cls, library: Library, maker: Maker) -> Self:
        """The real articles, if they are not there yet."""
        for article, chunks, vectors in zip(maker.real, maker.chunks, maker.vectors, strict=True):
            if not library.find(sha256=article.sha256):
                library.add(article, chunks, vectors, fingerprint(BUILT_IN))
        return cls(library, maker)

    def grow(self, count: int) -> Iterator[int]:
        """Add made-up articles until there are so many chunks; gives their number as it rises."""
        held = len(self.library.all_keys())
        first = max(0, held - sum(map(len, self._maker.chunks))) // CHUNKS
        for number in itertools.count(first):
            yield held
            if held >= count:
                return
            article, chunks, vectors = self._maker.article(number)
            self.library.add(article, chunks, vectors, fingerprint(BUILT_IN))
            held += len(chunks)

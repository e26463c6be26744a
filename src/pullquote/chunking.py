"""Chunks: runs of whole sentences of about `TARGET_WORDS` words that do not cross a heading."""

from collections.abc import Iterator

from pullquote.datatypes import Article, Chunk
from pullquote.sentences import SpanOf, sentence_spans

TARGET_WORDS = 120  # fits the encoder's 256 tokens with its title, and the reader's 384 with a question
SHORTEST_WORDS = 30  # a shorter rest of a section goes with the chunk before it
OVERLAP_WORDS = 60  # a longer last sentence is not repeated in the next chunk


def chunk_article(article: Article) -> list[Chunk]:
    """The article's chunks in order. Every sentence is in one at least; neighbours share one sentence."""
    spans = [span for section in _sections(article) for span in _runs(article.text, section)]
    return [Chunk(article.id, start, end, position) for position, (start, end) in enumerate(spans)]


def _sections(article: Article) -> Iterator[list[SpanOf]]:
    """The sentences of each heading's section, the heading itself first."""
    headings = {heading.start for heading in article.headings}
    section: list[SpanOf] = []
    for paragraph in article.paragraphs:
        if paragraph[0] in headings and section:
            yield section
            section = []
        section += sentence_spans(article, paragraph)
    if section:
        yield section


def _runs(text: str, sentences: list[SpanOf]) -> Iterator[SpanOf]:
    # subtle: a script without blanks has one "word" a sentence, so ten characters count as a word at least
    sizes = [max(len(text[start:end].split()), (end - start) // 10, 1) for start, end in sentences]
    first, words, rest = 0, 0, sum(sizes)
    for last, size in enumerate(sizes):
        words, rest = words + size, rest - size
        if rest and (words < TARGET_WORDS or rest < SHORTEST_WORDS):
            continue
        yield sentences[first][0], sentences[last][1]
        repeated = size <= OVERLAP_WORDS and last > first
        first, words = (last, size) if repeated else (last + 1, 0)

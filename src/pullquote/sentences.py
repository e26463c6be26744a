"""Sentences as spans. The rules are `nupunkt`'s; paragraphs, list items and over-long lines are ours."""

import re
from collections.abc import Iterator

from nupunkt import sent_spans

from pullquote.datatypes import Article

MAX_CHARACTERS = 1_000  # of one sentence: about 160 words, or what the reader can hold in one window

_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+•–|]|\d{1,3}[.)])[ \t])")  # a list item or table row starts a sentence

SpanOf = tuple[int, int]


def sentence_spans(article: Article, paragraph: SpanOf) -> list[SpanOf]:
    """Spans of the sentences of one paragraph, in order, without the white space between them.

    A sentence longer than `MAX_CHARACTERS` is split at white space, or anywhere when there is none.
    """
    spans: list[SpanOf] = []
    for start, end in _items(article.text, paragraph):
        for first, last in sent_spans(article.text[start:end]):
            spans += _pieces(article.text, start + first, start + last)
    return spans


def _items(text: str, paragraph: SpanOf) -> Iterator[SpanOf]:
    start, end = paragraph
    for match in _ITEM.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _pieces(text: str, start: int, end: int) -> Iterator[SpanOf]:
    end = start + len(text[start:end].rstrip())
    while start < end:
        cut = end
        if end - start > MAX_CHARACTERS:
            blank = max(text.rfind(mark, start + 1, start + MAX_CHARACTERS) for mark in " \n\t")
            cut = blank if blank > start else start + MAX_CHARACTERS
        piece = text[start:cut]
        first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        if first < last:
            yield first, last
        start = cut

"""An overview of an article in its own sentences: the central ones, unlike each other, spread over its length.

A sentence counts by its cosine to the centroid of all (Radev et al., "Centroid-based summarization of multiple
documents", 2004, which also favours openings) and is chosen by maximal marginal relevance (Carbonell & Goldstein,
1998). LexRank (Erkan & Radev, 2004) was tried on the same vectors: it likes the short and general sentences more.
The weights were set by reading the overviews of the owner's article and nine of Wikipedia's, in units of a cosine.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pullquote.datatypes import Article, heading_words
from pullquote.embedding import BATCH, Encoder, Vectors
from pullquote.phrases import SUMMARY_WORDS
from pullquote.retrieving import content_words
from pullquote.sentences import SpanOf, sentence_spans

FEWEST, USUAL, MOST = 3, 4, 5  # sentences of an overview: what is read at a glance
SHORT, LONG = 12, 60  # sentences of an article that gets the fewest, or after which it gets the most
MIN_WORDS, MAX_WORDS = 6, 60  # of a sentence: fewer say little alone, more are no summary
MAX_CANDIDATES = 240  # sentences encoded, 0.6 s of one core; a longer article is sampled evenly
MAX_JUDGED = 10_000  # sentences looked at, 0.2 s; a longer article is sampled by a fixed step
MAX_CHARACTERS = 300  # of a sentence encoded: twice the usual, so that a text without stops costs no more

RELEVANCE = 0.8  # of maximal marginal relevance; the rest is for being unlike what is chosen
OPENING = 0.25  # for the first sentence, which in news and encyclopaedias says what it is about
LEADING = 0.07  # for the first sentence of a paragraph
POINTING_BACK = -0.2  # for one that leans on the sentence before it
CROWDED = 0.2  # against each further sentence of a stretch; a stretch with nothing to say may still be left out
SAME = 0.9  # cosine above which two sentences say the same

_ENDS = r"[!\"'”’»)*_]{0,3}(?:\[\w{1,9}\]){0,5}$"  # subtle: bounded, or a line of stops costs its square
_QUESTION = re.compile(rf"[?？؟]{_ENDS}")
_STOP = re.compile(rf"[.!…。！।۔]{_ENDS}")
_FRAGMENT = re.compile(r"(?:[-*+•–|>#]+|\d{1,3}[.)])\s|\W*[a-z]")  # a list item, a table row, half a sentence
_POINTING_BACK = re.compile(
    r"""\W*(?:
      (?:(?:after|among|at|because\ of|before|by|despite|during|for|from|in|of|on|since|to|under|until|with|as)\s+)?
      (?:its?|they|theirs?|them|he|his|him|she|hers?|this|that|these|those|such|both|another|others?|the\ same)
    | (?:after|at|by|during|in|on|since|until)\s+(?:[\w’'-]+,?\s+){1,3}(?:it|they|he|she)
    | \w+ly,\s+(?:it|they|he|she)
    | (?:\w+\s+){1,4}(?:this|these|those|also)
    | the\ (?:other|others|latter|former)
    | additionally|also|and|as\ a\ result|as\ well|besides|but|consequently|even|finally|for\ (?:example|instance)
    | further(?:more)?|hence|here|however|in\ (?:addition|contrast|fact|other\ words)|indeed|instead|later|likewise
    | meanwhile|moreover|nevertheless|nonetheless|nor|on\ the\ other\ hand|or|otherwise|similarly|so|still|then
    | therefore|thus|yet
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SECTION = {"article", "chapter", "heading", "paragraph", "part", "section"}  # said of a section, not its name


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence on one line. `fault`: 0 can be quoted, 1 only when nothing can, 2 only when there is nothing else."""

    span: SpanOf
    text: str
    words: int
    fault: int
    merit: float


def meant(question: str, titles: Mapping[str, str]) -> str | None:
    """The id of the only article, or of the one whose title shares a word with the question; None if there is none.

    `titles` are the articles', by their ids.
    """
    words = set(content_words(question)) - SUMMARY_WORDS
    chosen = [key for key, title in titles.items() if words & set(content_words(title))] or [*titles]
    return chosen[0] if len(chosen) == 1 else None


def overview(article: Article, encoder: Encoder, section: str | None = None) -> list[SpanOf]:
    """Spans of the 3 to 5 sentences that sum up the article, or one section, in its order; fewer when it has fewer.

    `section` is matched with the headings by its words; empty stands for the whole article. The list is empty when no
    heading has them, and when there is nothing but headings. The same article gives the same spans.
    """
    body = _section(article, section) if section and section.strip() else (0, len(article.text))
    fit = _fittest(_candidates(article, body)) if body else []
    if not fit:
        return []
    count = FEWEST if len(fit) < SHORT else USUAL if len(fit) <= LONG else MOST
    sample = _sample(fit)
    chosen = _choose(sample, _encode(encoder, [candidate.text for candidate in sample]), count)
    return [sample[place].span for place in sorted(chosen)]


def _section(article: Article, name: str) -> SpanOf | None:
    """From under the heading likest to `name` to the next of its level or above; of equals, the highest but the title.

    None when no heading is like it.
    """
    asked = _words(name) - _SECTION or _words(name)
    best, found = (0.0, False, 0), None
    for place, heading in enumerate(article.headings):
        words = heading_words(article.text[heading.start : heading.end])
        rank = (_likeness(asked, _words(words)), words != article.title, -heading.level)
        if rank[0] and rank > best:
            best, found = rank, place
    if found is None:
        return None
    heading, after = article.headings[found], article.headings[found + 1 :]
    return heading.end, next((h.start for h in after if h.level <= heading.level), len(article.text))


def _words(name: str) -> set[str]:
    """A name's words without stop words and plural s; all its words when it has no others ("About us")."""
    return {word.removesuffix("s") for word in content_words(name) or re.findall(r"\w+", name.lower())}


def _likeness(asked: set[str], heading: set[str]) -> float:
    """Jaccard's index, or 0 when they do not share more than half the words of the shorter."""
    shared = len(asked & heading)
    return shared / len(asked | heading) if 2 * shared > min(len(asked), len(heading)) else 0.0


def _candidates(article: Article, body: SpanOf) -> list[_Candidate]:
    headings = {heading.start for heading in article.headings}
    inside = [p for p in article.paragraphs if body[0] <= p[0] < body[1] and p[0] not in headings]
    spans = [(span, place == 0) for p in inside for place, span in enumerate(sentence_spans(article, p))]
    return [_candidate(article, span, leads) for span, leads in spans[:: len(spans) // MAX_JUDGED + 1]]


def _candidate(article: Article, span: SpanOf, leads: bool) -> _Candidate:
    raw = article.text[span[0] : span[1]]
    text = " ".join(raw.split())
    words = max(text.count(" ") + 1, len(text) // 10)  # a script without blanks has one "word" a sentence
    is_whole = MIN_WORDS <= words <= MAX_WORDS and _STOP.search(text) and not _FRAGMENT.match(text) and _is_closed(text)
    fault = 0 if is_whole else 1
    if _QUESTION.search(text) or heading_words(raw.partition("\n")[0]) == article.title:
        fault = 2
    merit = LEADING * leads + POINTING_BACK * (_POINTING_BACK.match(text) is not None)
    return _Candidate(span, text[:MAX_CHARACTERS], words, fault, merit)


def _is_closed(text: str) -> bool:
    """Whether the sentence has both ends of its quotations and brackets."""
    return text.count('"') % 2 == 0 and all(text.count(a) == text.count(b) for a, b in ("“”", "()", "[]"))


def _fittest(candidates: list[_Candidate]) -> list[_Candidate]:
    least = min((candidate.fault for candidate in candidates), default=0)
    return [candidate for candidate in candidates if candidate.fault == least]


def _sample(candidates: list[_Candidate]) -> list[_Candidate]:
    """At most `MAX_CANDIDATES`: of as many equal runs, the sentence that stands best alone."""
    runs = min(len(candidates), MAX_CANDIDATES)
    cuts = [len(candidates) * run // runs for run in range(runs + 1)]
    return [max(candidates[a:b], key=lambda c: c.merit) for a, b in pairwise(cuts)]


def _encode(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Vectors in the order of `texts`. subtle: int8 vectors depend a little on their batch, so batches are fixed."""
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # alike lengths pad least
    batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
    vectors = np.concatenate([encoder.encode([texts[place] for place in batch]) for batch in batches])
    return np.asarray(vectors[np.argsort(order)], dtype=np.float32)


def _choose(candidates: list[_Candidate], vectors: Vectors, count: int) -> list[int]:
    """Places of up to `count` sentences, best first; none says the same as one before it."""
    centroid = vectors.mean(axis=0)
    scores = vectors @ centroid / np.linalg.norm(centroid) + [candidate.merit for candidate in candidates]
    scores[0] += OPENING
    words = np.array([candidate.words for candidate in candidates])
    stretches = (words.cumsum() - words) * count // words.sum()
    crowds, nearest = np.zeros(count), np.zeros(len(candidates))
    chosen: list[int] = []
    while len(chosen) < count and (nearest <= SAME).any():
        worth = RELEVANCE * scores - (1 - RELEVANCE) * nearest - CROWDED * crowds[stretches]
        best = int(np.where(nearest > SAME, -np.inf, worth).argmax())
        chosen.append(best)
        nearest = np.maximum(nearest, vectors @ vectors[best])  # 1 to itself
        crowds[stretches[best]] += 1
    return chosen

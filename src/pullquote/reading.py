"""The extractive readers: mark the span of a passage that answers a question, scored against the null answer.

Decoding as for SQuAD 2.0 (Devlin et al. 2019, section 4.3): a span scores start logit + end logit, the null answer
the same two at [CLS]; what counts is the difference. A sentence is as likely as all its spans together, so that
one with several good readings of the same answer beats a lone span elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from pullquote.datatypes import Passage, Span
from pullquote.inference import BERT_TOKENIZER_SHA256, MODELS, OnnxModel

MAX_TOKENS = 384  # of question and passage together
MAX_QUESTION_TOKENS = 96  # the rest of a longer question is not read
STRIDE = 64  # tokens that two windows of a longer passage share
MAX_ANSWER_TOKENS = 30

_DETERMINER = re.compile(r"\b(?:an?|the) \Z", re.IGNORECASE)

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """A reader's folder, the SHA-256 of its two files, and the temperature (logits) of its evidence."""

    folder: Path
    model: str
    tokenizer: str
    temperature: float


# Each temperature is the one, of 1, 1.5, 2 and 2.5, at which the reader picked the right sentence most often.
SMALL = Weights(  # MiniLM-L6, int8
    MODELS / "reader", "23bc27923ccb1b153934da09000e33d33bad838c20d3ef980e485f9dfa60d795", BERT_TOKENIZER_SHA256, 2.0
)
LARGE = Weights(  # MPNet-base, 7-bit weights and 4-bit embeddings
    MODELS / "reader-large",
    "a431e9aa45356d5ea9afea62987db640788d6ae9018cb4824bded0184fd2bd3d",
    "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
    1.0,
)


class Reader:
    """A reader. Safe to share between threads."""

    def __init__(self, weights: Weights = SMALL, threads: int = 2) -> None:
        self._model = OnnxModel(weights.folder, weights.model, threads, weights.tokenizer)
        self._temperature = weights.temperature
        self._model.tokenizer.enable_truncation(MAX_TOKENS, stride=STRIDE, strategy="only_second")

    def read(self, question: str, passage: Passage) -> list[Span]:
        """The best span of every sentence of the passage that has a token the reader knows."""
        encoding = self._model.tokenizer.encode(self._shortened(question), passage.text)
        best: dict[tuple[int, int], Span] = {}
        for window in [encoding, *encoding.overflowing]:
            for span in self._spans(passage, window):
                known = best.get(span.sentence)
                if known is None or span.evidence > known.evidence:
                    best[span.sentence] = span
        return list(best.values())

    def knows(self, word: str) -> bool:
        """Whether the word, in lower case, is one of the vocabulary's, not made of parts."""
        return self._model.tokenizer.token_to_id(word) is not None

    def _shortened(self, question: str) -> str:
        tokens = self._model.tokenizer.encode("", question, add_special_tokens=False)
        return question[: tokens.offsets[MAX_QUESTION_TOKENS - 1][1]] if len(tokens) > MAX_QUESTION_TOKENS else question

    def _spans(self, passage: Passage, window: Encoding) -> Iterator[Span]:
        start, end = (logits[0] for logits in self._model.run([window]))
        null = float(start[0] + end[0])
        places = np.flatnonzero(np.array(window.sequence_ids) == 1)
        offsets = np.array(window.offsets, dtype=np.int64).reshape(-1, 2) + passage.chunk.start
        for sentence in passage.sentences:
            inside = places[(offsets[places, 0] >= sentence[0]) & (offsets[places, 1] <= sentence[1])]
            if len(inside):
                first, last, score, evidence = best_span(start[inside], end[inside], self._temperature)
                begin, stop = int(offsets[inside[first], 0]), int(offsets[inside[last], 1])
                # The reader was trained on answers without their determiner; people read "The New York Times".
                if determiner := _DETERMINER.search(passage.article.text, sentence[0], begin):
                    begin = determiner.start()
                yield Span(passage, sentence, begin, stop, score - null, evidence - null, null)


def around(passage: Passage, sentence: tuple[int, int], words: int) -> Passage:
    """The part of a passage around one of its sentences: whole sentences, before and after in turn, as near to `words`
    as they come.

    A shorter text leaves a reader less to be misled by, and less to read.
    """
    sentences = passage.sentences
    first = last = sentences.index(sentence)
    windows = [(first, last)]
    while last - first + 1 < len(sentences):
        if (len(windows) % 2 and first > 0) or last + 1 == len(sentences):
            first -= 1
        else:
            last += 1
        windows.append((first, last))
    first, last = min(windows, key=lambda ends: abs(_words(passage, sentences[ends[0]], sentences[ends[1]]) - words))
    chunk = replace(passage.chunk, start=sentences[first][0], end=sentences[last][1])
    return replace(passage, chunk=chunk, sentences=sentences[first : last + 1])


def _words(passage: Passage, first: tuple[int, int], last: tuple[int, int]) -> int:
    return len(passage.article.text[first[0] : last[1]].split())


def best_span(start: Logits, end: Logits, temperature: float) -> tuple[int, int, float, float]:
    """The best span (i ≤ j < i + `MAX_ANSWER_TOKENS`) of logits of shape (tokens,): first token, last token, score.

    Fourth comes the evidence of all spans together: their log-sum-exp at `temperature`.
    """
    scores = (start[:, None] + end[None, :]).astype(np.float64)
    scores[_no_spans(len(end))] = -np.inf
    first, last = divmod(int(np.argmax(scores)), len(end))
    best = float(scores[first, last])
    return first, last, best, best + temperature * float(np.log(np.exp((scores - best) / temperature).sum()))


@lru_cache(maxsize=256)  # of sentences' lengths
def _no_spans(length: int) -> NDArray[np.bool_]:
    """Which pairs of first and last token are backwards or too far apart."""
    first, last = np.indices((length, length), sparse=True)
    return (last < first) | (last >= first + MAX_ANSWER_TOKENS)

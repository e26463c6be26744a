"""The extractive reader: marks the span of a passage that answers a question, scored against the null answer.

Decoding as for SQuAD 2.0 (Devlin et al. 2019, section 4.3): a span scores start logit + end logit, the null answer
the same two at [CLS]; what counts is the difference. A sentence is as likely as all its spans together, so that
one with several good readings of the same answer beats a lone span elsewhere.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding

from pullquote.datatypes import Passage, Span
from pullquote.inference import MODELS, OnnxModel

WEIGHTS_SHA256 = "23bc27923ccb1b153934da09000e33d33bad838c20d3ef980e485f9dfa60d795"
MAX_TOKENS = 384  # of question and passage together
MAX_QUESTION_TOKENS = 96  # the rest of a longer question is not read
STRIDE = 64  # tokens that two windows of a longer passage share
MAX_ANSWER_TOKENS = 30
TEMPERATURE = 2.0  # logits; of 1.5, 2 and 2.5 the one that picked the right sentence most often

_DETERMINER = re.compile(r"\b(?:an?|the) \Z", re.IGNORECASE)

Logits = NDArray[np.float32]


class Reader:
    """The small reader (MiniLM-L6, int8)."""

    def __init__(self, threads: int = 2, folder: Path = MODELS / "reader") -> None:
        self._model = OnnxModel(folder, WEIGHTS_SHA256, threads)
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
                first, last, score, evidence = best_span(start[inside], end[inside])
                begin, stop = int(offsets[inside[first], 0]), int(offsets[inside[last], 1])
                # The reader was trained on answers without their determiner; people read "The New York Times".
                if determiner := _DETERMINER.search(passage.article.text, sentence[0], begin):
                    begin = determiner.start()
                yield Span(passage, sentence, begin, stop, score - null, evidence - null)


def best_span(start: Logits, end: Logits) -> tuple[int, int, float, float]:
    """The best span (i ≤ j < i + `MAX_ANSWER_TOKENS`) of logits of shape (tokens,): first token, last token, score.

    Fourth comes the evidence of all spans together: their log-sum-exp at `TEMPERATURE`.
    """
    scores = (start[:, None] + end[None, :]).astype(np.float64)
    spans = np.triu(np.tril(np.ones(scores.shape, dtype=bool), MAX_ANSWER_TOKENS - 1))
    scores[~spans] = -np.inf
    first, last = divmod(int(np.argmax(scores)), len(end))
    best = float(scores[first, last])
    return first, last, best, best + TEMPERATURE * float(np.log(np.exp((scores - best) / TEMPERATURE).sum()))

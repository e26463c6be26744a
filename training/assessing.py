"""How well a reader reads: the measures of SQuAD 2.0 on questions it was not trained on, decoded as in the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from pullquote.measuring import area_under_roc, exact_match, f1
from pullquote.reading import best_span
from training.data import GoldQuestion
from training.model import ReaderModel
from training.tokens import NULL, Row, collated

BATCH = 64


class Reading(NamedTuple):
    """The best span of a passage, and by how much its score is above the null's (logits)."""

    text: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """Percent: EM and F1 over the answerable questions; AUC of span-over-null between them and the others."""

    exact_match: float
    f1: float
    auc: float


def assess(model: ReaderModel, golds: Sequence[GoldQuestion], max_tokens: int) -> Assessment:
    """The measures on questions of which some have answers and some have not."""
    readings = read(model, [(gold.text, gold.context) for gold in golds], max_tokens)
    pairs = list(zip(readings, golds, strict=True))
    answerable = [(reading, gold.answers) for reading, gold in pairs if gold.answers]
    others = [reading.score for reading, gold in pairs if not gold.answers]
    return Assessment(
        exact_match=100 * float(np.mean([exact_match(reading.text, answers) for reading, answers in answerable])),
        f1=100 * float(np.mean([f1(reading.text, answers) for reading, answers in answerable])),
        auc=100 * area_under_roc([reading.score for reading, _ in answerable], others),
    )


@torch.inference_mode()
def read(model: ReaderModel, pairs: Sequence[tuple[str, str]], max_tokens: int) -> list[Reading]:
    """The reading of every pair (question, passage); what is beyond `max_tokens` of a passage is not read."""
    model.eval()
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place][0]) + len(pairs[place][1]))
    readings: dict[int, Reading] = {}
    for first in range(0, len(order), BATCH):
        places = order[first : first + BATCH]
        encoded = model.tokenizer(
            [pairs[place][0] for place in places],
            [pairs[place][1] for place in places],
            truncation="only_second",
            max_length=max_tokens,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )
        rows = [
            Row(ids, types, NULL, NULL)
            for ids, types in zip(encoded["input_ids"], encoded["token_type_ids"], strict=True)
        ]
        batch = collated(rows, int(model.tokenizer.pad_token_id)).to(model.device)
        starts, ends = (logits.cpu().numpy() for logits in model.logits(batch))
        for row, place in enumerate(places):
            inside = np.flatnonzero(np.array(encoded.sequence_ids(row)) == 1)
            begin, stop, score, _ = best_span(starts[row, inside], ends[row, inside], temperature=1.0)
            offsets = encoded["offset_mapping"][row]
            start, end = offsets[inside[begin]][0], offsets[inside[stop]][1]
            null = float(starts[row, NULL] + ends[row, NULL])
            readings[place] = Reading(pairs[place][1][start:end], start, end, score - null)
    return [readings[place] for place in range(len(pairs))]

"""Examples as the model takes them: ids of the tokens of question and passage, and the answer's first and last."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from transformers import PreTrainedTokenizerBase

from training.examples import Example

NULL = 0  # place of the first special token, start and end of "no answer" (Devlin et al. 2019, section 4.3)
CHUNK = 50  # batches whose examples are sorted by length together, so that little is padded
MULTIPLE = 8  # of which a batch's length is one, as tensor cores like it


class Row(NamedTuple):
    """A tokenised example: ids and type ids of equal length, and the places of the answer's first and last token."""

    ids: list[int]
    types: list[int]
    first: int
    last: int


class Batch(NamedTuple):
    """`ids`, `types` and `mask` (1 on tokens, 0 on padding) of shape (rows, length); `first`, `last` of (rows,)."""

    ids: torch.Tensor
    types: torch.Tensor
    mask: torch.Tensor
    first: torch.Tensor
    last: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


def tokenised(examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> list[Row]:
    """The examples as rows of at most `max_tokens`, without those whose answer is in the part cut away."""
    pairs = tokenizer(
        [example.question for example in examples],
        [example.passage for example in examples],
        truncation="only_second",
        max_length=max_tokens,
        return_offsets_mapping=True,
        return_token_type_ids=True,
    )
    rows = []
    for number, example in enumerate(examples):
        offsets, sides = pairs["offset_mapping"][number], pairs.sequence_ids(number)
        places = answer_tokens(example.answer, offsets, sides) if example.answer else (NULL, NULL)
        if places:
            rows.append(Row(pairs["input_ids"][number], pairs["token_type_ids"][number], *places))
    return rows


def answer_tokens(
    answer: tuple[int, int], offsets: Sequence[tuple[int, int]], sides: Sequence[int | None]
) -> tuple[int, int] | None:
    """Places of the first and the last token that the answer touches; None unless they cover it."""
    touching = [
        place
        for place, (start, end) in enumerate(offsets)
        if sides[place] == 1 and start < answer[1] and answer[0] < end
    ]
    covered = touching and offsets[touching[0]][0] <= answer[0] and answer[1] <= offsets[touching[-1]][1]
    return (touching[0], touching[-1]) if covered else None


def batches(rows: Sequence[Row], size: int, pad: int, rng: random.Random) -> Iterator[Batch]:
    """All rows in random order, `size` at a time, rows of about one length together; `pad` is the padding's id."""
    order = rng.sample(range(len(rows)), len(rows))
    groups = []
    for first in range(0, len(order), size * CHUNK):
        alike = sorted(order[first : first + size * CHUNK], key=lambda place: len(rows[place].ids))
        groups += [alike[start : start + size] for start in range(0, len(alike), size)]
    rng.shuffle(groups)
    for group in groups:
        yield collated([rows[place] for place in group], pad)


def collated(rows: Sequence[Row], pad: int) -> Batch:
    """The rows as one batch, padded to their longest, rounded up to `MULTIPLE`."""
    longest = -(-max(len(row.ids) for row in rows) // MULTIPLE) * MULTIPLE

    def padded(lists: list[list[int]], value: int) -> torch.Tensor:
        return torch.tensor([values + [value] * (longest - len(values)) for values in lists])

    return Batch(
        ids=padded([row.ids for row in rows], pad),
        types=padded([row.types for row in rows], 0),
        mask=padded([[1] * len(row.ids) for row in rows], 0),
        first=torch.tensor([row.first for row in rows]),
        last=torch.tensor([row.last for row in rows]),
    )

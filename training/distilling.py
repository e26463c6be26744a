"""Knowledge distillation: the student learns the teacher's start and end distributions (Hinton et al. 2015)."""

from pathlib import Path

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax
from transformers import PreTrainedTokenizerBase

from training.errors import TrainingError
from training.model import Logits, ReaderModel
from training.tokens import Batch

PADDED = -1e4  # logit of padding: no probability is left to it
SPECIAL = ("cls_token", "sep_token", "pad_token", "unk_token", "mask_token")


class Teacher:
    """A trained reader that marks a student's batches, though it may have another vocabulary and pair format.

    Both must cut words alike (WordPiece of one vocabulary, as all of BERT's and MPNet's): tokens are mapped one by one.
    """

    def __init__(self, folder: Path, student: PreTrainedTokenizerBase, device: torch.device) -> None:
        self._model = ReaderModel(folder).to(device).eval()
        self._ids = vocabulary_map(student, self._model.tokenizer).to(device)
        self._separator = int(student.sep_token_id)
        # BERT has [CLS] question [SEP] passage [SEP]; MPNet, as RoBERTa, has two separators in the middle.
        special = [tokenizer.num_special_tokens_to_add(pair=True) for tokenizer in (student, self._model.tokenizer)]
        if special[1] - special[0] not in (0, 1):
            raise TrainingError(f"{folder} puts {special[1]} special tokens around a pair, the student {special[0]}")
        self._doubled = special[1] > special[0]

    @torch.no_grad()
    def logits(self, batch: Batch) -> Logits:
        """The teacher's logits for the student's tokens, shape (rows, length) of the student's batch."""
        ids, types, mask, back = self._ids[batch.ids], batch.types, batch.mask, None
        if self._doubled:
            there, back = doubling(batch.ids, self._separator)
            ids, types, mask = (tensor.gather(1, there) for tensor in (ids, types, mask))
        start, end = self._model(ids, types, mask)
        return (start, end) if back is None else (start.gather(1, back), end.gather(1, back))


def doubling(ids: torch.Tensor, separator: int) -> tuple[torch.Tensor, torch.Tensor]:
    """For ids of shape (rows, n): where each of n + 1 tokens with the first separator doubled comes from, and back."""
    first = (ids == separator).int().argmax(1, keepdim=True)
    places = torch.arange(ids.shape[1] + 1, device=ids.device).expand(len(ids), -1)
    there = torch.where(places <= first, places, places - 1)
    old = places[:, :-1]
    return there, torch.where(old <= first, old, old + 1)


def vocabulary_map(student: PreTrainedTokenizerBase, teacher: PreTrainedTokenizerBase) -> torch.Tensor:
    """The teacher's id of each of the student's tokens, its unknown token's where it has no such token."""
    known, words = teacher.get_vocab(), student.get_vocab()
    special = {getattr(student, name): getattr(teacher, name) for name in SPECIAL}
    ids = torch.full((max(words.values()) + 1,), int(teacher.unk_token_id))
    for word, place in words.items():
        ids[place] = known.get(special.get(word, word), int(teacher.unk_token_id))
    return ids


def answer_loss(logits: Logits, batch: Batch) -> torch.Tensor:
    """Mean cross-entropy of the answer's first and last token, or of the null at position 0 (Devlin et al. 2019)."""
    start, end = (unpadded(values, batch.mask) for values in logits)
    return (cross_entropy(start, batch.first) + cross_entropy(end, batch.last)) / 2


def teacher_loss(logits: Logits, taught: Logits, mask: torch.Tensor, temperature: float) -> torch.Tensor:
    """Mean KL divergence of the student from the teacher at `temperature`, times its square (Hinton et al. 2015)."""
    divergences = [
        kl_div(
            log_softmax(unpadded(own, mask) / temperature, -1),
            softmax(unpadded(other, mask) / temperature, -1),
            reduction="batchmean",
        )
        for own, other in zip(logits, taught, strict=True)
    ]
    return torch.stack(divergences).mean() * temperature**2


def unpadded(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return logits.masked_fill(mask == 0, PADDED)

"""A reader as a torch model: an encoder with a start and an end logit for every token (Devlin et al. 2019, 4.2)."""

import inspect
from pathlib import Path

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from training.tokens import Batch

Logits = tuple[torch.Tensor, torch.Tensor]  # of start and of end, float32, each of shape (rows, length)


class ReaderModel(torch.nn.Module):
    """A transformers model, the folder's unless one is given, with the folder's tokenizer.

    A folder without a start/end head gets a new one.
    """

    def __init__(self, folder: Path, attention: str | None = None, model: PreTrainedModel | None = None) -> None:
        super().__init__()
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        self.transformer = model or AutoModelForQuestionAnswering.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=attention
        )
        self.takes_types = "token_type_ids" in inspect.signature(self.transformer.forward).parameters

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> Logits:
        """Logits of the batch; `types` are left out for a model that knows none (MPNet)."""
        extra = {"token_type_ids": types} if self.takes_types else {}
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            output = self.transformer(input_ids=ids, attention_mask=mask, **extra)
        return output.start_logits.float(), output.end_logits.float()

    def logits(self, batch: Batch) -> Logits:
        return self(batch.ids, batch.types, batch.mask)  # type: ignore[no-any-return]

    def save(self, folder: Path) -> None:
        self.transformer.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

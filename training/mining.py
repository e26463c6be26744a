"""Hard passages: those of a question's group that a sentence encoder finds most alike to it, without its answer.

As the hard negatives of dense retrieval (Karpukhin et al. 2020, section 3.2), with an encoder in place of BM25.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from training.data import Question

MOST = 6  # passages looked at for a question
MAX_TOKENS = 256  # of a text, for the encoder
BATCH = 256  # texts embedded at a time


def hard_passages(questions: Sequence[Question], encoder: Path, device: torch.device) -> list[list[str]]:
    """For each question at most `MOST` passages, the most alike first; none where its group has no other."""
    texts = sorted({question.context for question in questions})
    number = {text: place for place, text in enumerate(texts)}
    groups: dict[str, set[int]] = defaultdict(set)
    for question in questions:
        groups[question.group].add(number[question.context])
    asked, passages = embed([question.text for question in questions], encoder, device), embed(texts, encoder, device)
    found = []
    for question, vector in zip(questions, asked, strict=True):
        others = sorted(groups[question.group] - {number[question.context]})
        best = (passages[others] @ vector).topk(min(MOST, len(others))).indices.tolist()
        near = [texts[others[place]] for place in best]
        found.append([text for text in near if question.answer.lower() not in text.lower()])
    return found


@torch.inference_mode()
def embed(texts: Sequence[str], encoder: Path, device: torch.device) -> torch.Tensor:
    """Unit vectors, shape (texts, dimensions): mean of the token vectors (Reimers & Gurevych 2019), on the CPU."""
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    model = AutoModel.from_pretrained(encoder, dtype=torch.float32).to(device).eval()
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = torch.empty(len(texts), model.config.hidden_size)
    for first in range(0, len(order), BATCH):
        places = order[first : first + BATCH]
        batch = tokenizer(
            [texts[place] for place in places],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        ).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            tokens = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (tokens * mask).sum(1) / mask.sum(1)
        vectors[places] = torch.nn.functional.normalize(mean, dim=-1).cpu()
    return vectors

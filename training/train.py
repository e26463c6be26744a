"""Train a reader, alone or from a teacher.

    python -m training.train --base FOLDER --data FOLDER --out FOLDER [--encoder FOLDER] [--teacher FOLDER]

README.md has the two commands that made the readers of src/pullquote/models. Writes the model, its tokenizer and
result.json (the recipe, and the loss and the measures on the held-out questions after each epoch) to --out.
"""

import argparse
import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import torch
import typer

from pullquote.reading import MAX_TOKENS
from training.assessing import Assessment, assess
from training.data import load_held_out, load_training
from training.distilling import Teacher, answer_loss, teacher_loss
from training.errors import TrainingError
from training.examples import Examples, Shares, windows
from training.mining import hard_passages
from training.model import ReaderModel
from training.tokens import Batch, Row, batches, tokenised

WEIGHT_DECAY = 0.01
WARMUP = 0.08  # share of the steps over which the learning rate rises from 0
MAX_NORM = 1.0  # of the gradient


@dataclass(frozen=True, slots=True)
class Recipe:
    """The hyper-parameters. `alpha` is the share of the teacher's loss, without effect where there is no teacher."""

    epochs: int = 3
    batch: int = 48
    lr: float = 4e-5
    alpha: float = 0.7
    temperature: float = 2.0
    negatives: float = 0.8
    removed: float = 0.3
    swapped: float = 0.4
    max_tokens: int = MAX_TOKENS
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch) < 1 or min(self.lr, self.temperature) <= 0 or not 0 <= self.alpha <= 1:
            raise TrainingError("epochs, batch, lr and temperature must be above 0, and alpha between 0 and 1")

    @property
    def shares(self) -> Shares:
        return Shares(self.negatives, self.removed, self.swapped)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What came of an epoch: its examples, those of them without an answer, mean loss, measures on the held-out."""

    examples: int
    unanswerable: int
    loss: float
    held_out: Assessment


def train(
    recipe: Recipe, base: Path, data: Path, out: Path, encoder: Path | None = None, teacher: Path | None = None
) -> list[Epoch]:
    """Train the model of folder `base` and write it to `out`. The hard passages are `encoder`'s, or the base's own.

    Raises `DataError` when the data is malformed or has anything of the held-out file.
    """
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    questions, held_out = windows(load_training(data), recipe.seed), load_held_out(data)
    hard = hard_passages(questions.answerable, encoder or base, device)
    examples = Examples(questions, hard, recipe.shares, recipe.seed)
    model = ReaderModel(base).to(device)
    optimizer = Optimizer(model, recipe, Teacher(teacher, model.tokenizer, device) if teacher else None)
    epochs = []
    for number in range(recipe.epochs):
        drawn = examples.epoch(number)
        rows = tokenised(drawn, model.tokenizer, recipe.max_tokens)
        loss = optimizer.epoch(rows, random.Random(f"batches {number} of {recipe.seed}"))
        unanswerable = sum(example.answer is None for example in drawn)
        epochs.append(Epoch(len(drawn), unanswerable, loss, assess(model, held_out, recipe.max_tokens)))
        typer.echo(f"epoch {number + 1} of {recipe.epochs}: {epochs[-1]}")
    model.save(out)
    result = {"recipe": asdict(recipe), "epochs": [asdict(epoch) for epoch in epochs]}
    (out / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return epochs


class Optimizer:
    """AdamW (Loshchilov & Hutter 2019) over a model's epochs; the learning rate rises, then falls to 0, linearly."""

    def __init__(self, model: ReaderModel, recipe: Recipe, teacher: Teacher | None) -> None:
        self._model, self._recipe, self._teacher = model, recipe, teacher
        self._adam = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=WEIGHT_DECAY)
        self._step = 0
        self._steps = 0

    def epoch(self, rows: Sequence[Row], rng: random.Random) -> float:
        """One pass over the rows; their mean loss."""
        # subtle: the first epoch sets the last step; later ones are drawn anew and may be a few batches longer.
        self._steps = self._steps or self._recipe.epochs * math.ceil(len(rows) / self._recipe.batch)
        self._model.train()
        losses = []
        for batch in batches(rows, self._recipe.batch, int(self._model.tokenizer.pad_token_id), rng):
            self._set_rate()
            loss = self._loss(batch.to(self._model.device))
            self._adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), MAX_NORM)
            self._adam.step()
            self._step += 1
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def _set_rate(self) -> None:
        rising = (self._step + 1) / (WARMUP * self._steps)
        falling = (self._steps - self._step) / self._steps
        for group in self._adam.param_groups:
            group["lr"] = self._recipe.lr * min(1.0, rising) * max(0.0, falling)

    def _loss(self, batch: Batch) -> torch.Tensor:
        logits = self._model.logits(batch)
        loss = answer_loss(logits, batch)
        if self._teacher is None:
            return loss
        taught = teacher_loss(logits, self._teacher.logits(batch), batch.mask, self._recipe.temperature)
        return (1 - self._recipe.alpha) * loss + self._recipe.alpha * taught


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with a message where the data or the recipe cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description="Train a reader; see README.md.")
    parser.add_argument("--base", type=Path, required=True, help="folder of the model to train")
    parser.add_argument("--data", type=Path, required=True, help="folder of the three data files")
    parser.add_argument("--out", type=Path, required=True, help="folder for the trained model")
    parser.add_argument("--encoder", type=Path, help="folder of the sentence encoder that finds hard passages (base)")
    parser.add_argument("--teacher", type=Path, help="folder of a trained reader to learn from")
    for field in fields(Recipe):
        name = "--" + field.name.replace("_", "-")
        parser.add_argument(name, type=type(field.default), default=field.default, help=f"({field.default})")
    given = vars(parser.parse_args(arguments))
    try:
        recipe = Recipe(**{field.name: given.pop(field.name) for field in fields(Recipe)})
        train(recipe, **given)
    except TrainingError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()

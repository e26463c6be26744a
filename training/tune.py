"""Train the scales of a reader in 4 bits on what it is shown in the product: the sentences around a likely one.

    python -m training.tune --reader FOLDER --data FOLDER --out FOLDER

README.md says what it made of the large reader. Writes model.onnx and tokenizer.json to --out.
"""

import argparse
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
import typer

from pullquote.articles import make_article
from pullquote.datatypes import Chunk, Passage
from pullquote.examining import WINDOW
from pullquote.reading import Reader, around
from pullquote.sentences import sentence_spans
from training import four_bits
from training.assessing import assess
from training.data import GoldQuestion, Question, TrainingData, load_held_out, load_training
from training.errors import TrainingError
from training.examples import Example, names_by_group, strangers, windowed
from training.tokens import tokenised
from training.train import Optimizer, Recipe
from training.variants import swapped

SQUAD2 = "squad2:"  # groups of articles that also have people's unanswerable questions: all are shown
LIKE_THEM = ("sq1:", "new_wiki:")  # groups of encyclopedic articles
SECOND_BEST = 0.25  # share of SQuAD 2.0's questions shown with the second likeliest sentence
RECIPE = Recipe(epochs=1, batch=16, lr=3e-5)
KEPT = 0.5  # share of what the reader was before (WiSE-FT, Wortsman et al. 2022): it stays as good elsewhere


@dataclass(frozen=True, slots=True)
class Counts:
    """How many examples are drawn beside SQuAD 2.0's: of `LIKE_THEM`, with a swapped question, a strange window."""

    like_them: int = 4200
    swapped: int = 2600
    strange: int = 900


class Windows:
    """Shows questions with the sentences around the one that the small reader likes best in their context."""

    def __init__(self, small: Reader, seed: int) -> None:
        self._small = small
        self._rng = random.Random(f"windows around {seed}")

    def examples(self, data: TrainingData, counts: Counts) -> list[Example]:
        """Examples in random order. Where the window has no answer, none is to be marked."""
        rng = self._rng
        squad = [question for question in data.answerable if question.group.startswith(SQUAD2)]
        others = [question for question in data.answerable if question.group.startswith(LIKE_THEM)]
        others = [windowed(question, rng) for question in rng.sample(others, min(counts.like_them, len(others)))]
        answered: list[Question] = []
        drawn = [self._shown(gold, SECOND_BEST)[0] for gold in data.unanswerable]
        for question in [*squad, *others]:
            example, start = self._shown(question, SECOND_BEST if question.group.startswith(SQUAD2) else 0.0)
            inside = question.start - start, question.end - start
            if inside[0] >= 0 and inside[1] <= len(example.passage):
                answered.append(replace(question, context=example.passage, start=inside[0], end=inside[1]))
            elif question.answer not in example.passage:
                drawn.append(example)
        drawn += [Example(question.text, question.context, (question.start, question.end)) for question in answered]
        drawn += self._swapped(answered, counts.swapped)
        for question in rng.choices(answered, k=counts.strange):
            strange = rng.choice(answered).context
            if question.answer.lower() not in strange.lower():
                drawn.append(Example(question.text, strange, None))
        return rng.sample(drawn, len(drawn))

    def _shown(self, question: Question | GoldQuestion, share: float) -> tuple[Example, int]:
        """The question with a window of its context, and where in the context that begins."""
        passage = _passage(question.context)
        likely = sorted(self._small.read(question.text, passage), key=lambda span: -span.evidence)
        sentence = likely[len(likely) > 1 and self._rng.random() < share].sentence
        window = around(passage, sentence, WINDOW)
        return Example(question.text, window.text, None), window.chunk.start

    def _swapped(self, answered: Sequence[Question], count: int) -> list[Example]:
        """Questions with a name, a number or a word swapped, before the window that answers the question unswapped."""
        in_group = names_by_group(answered)
        drawn: list[Example] = []
        for question in self._rng.sample(answered, len(answered)):
            if len(drawn) == count:
                break
            if other := swapped(question, strangers(question, in_group, self._rng), self._rng):
                drawn.append(Example(other, question.context, None))
        return drawn


@lru_cache(maxsize=64)
def _passage(text: str) -> Passage:
    """A context as the product reads it, at the offsets it has."""
    article = replace(make_article(text, title="Context"), text=text)
    spans = tuple(span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph))
    return Passage(Chunk(article.id, 0, len(text.rstrip()), 0), article, spans, 0.0, 0.0, 0.0)


def tune(recipe: Recipe, counts: Counts, reader: Path, data: Path, out: Path) -> list[float]:
    """Train the reader of a folder and write it to `out`; gives the mean loss of each epoch.

    Raises `DataError` when the data is malformed or has anything of the held-out file.
    """
    questions, held_out = load_training(data), load_held_out(data)
    model = four_bits.load(reader)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer, windows = Optimizer(model, recipe, None), Windows(Reader(), recipe.seed)
    losses = []
    for number in range(recipe.epochs):
        rows = tokenised(windows.examples(questions, counts), model.tokenizer, recipe.max_tokens)
        losses.append(optimizer.epoch(rows, random.Random(f"batches {number} of {recipe.seed}")))
        typer.echo(f"epoch {number + 1} of {recipe.epochs}: {len(rows)} examples, loss {losses[-1]:.3f}")
    with torch.no_grad():
        for parameter, old in zip(model.parameters(), before, strict=True):
            parameter.lerp_(old, KEPT)
    out.mkdir(parents=True, exist_ok=True)
    four_bits.save(model, reader, out / "model.onnx")
    shutil.copyfile(reader / "tokenizer.json", out / "tokenizer.json")
    typer.echo(f"held out, whole paragraphs: {assess(model, held_out, recipe.max_tokens)}")
    return losses


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with a message where the data cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m training.tune", description="Tune a reader; see README.md.")
    parser.add_argument("--reader", type=Path, required=True, help="folder of the exported reader, with config.json")
    parser.add_argument("--data", type=Path, required=True, help="folder of the three data files")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.onnx and tokenizer.json")
    given = parser.parse_args(arguments)
    try:
        tune(RECIPE, Counts(), given.reader, given.data, given.out)
    except TrainingError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()

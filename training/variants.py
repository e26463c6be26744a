"""Unanswerable variants of an answerable question, made from its passage or its wording.

SQuAD 2.0 had people write questions that look answerable (Rajpurkar et al. 2018); the same by rule: a negated or
swapped word, number or name turns a question into one that its passage does not answer.
"""

import random
import re
from collections.abc import Sequence
from itertools import pairwise

from training.data import Question

SHORT_NUMBER_STEPS = (-7, -3, 2, 5, 11)  # added to a whole number where the text has no other of its length
NAME_OR_NUMBER = 0.65  # share of them where the question has a word with an opposite as well
NEGATION = 0.15  # share of the questions with nothing else to swap that are negated

_SENTENCE_END = re.compile(r"[.!?][\"')\]]*\s+(?=[A-Z0-9\"'(\[])")
_NAME = re.compile(r"(?<!^)(?<![.?!] )\b[A-Z][\w'’-]+(?: (?:of |the |de )?[A-Z][\w'’-]+)*")
_NUMBER = re.compile(r"\b\d+(?:[.,]\d+)*\b")
_WORD = re.compile(r"\b[a-z]+\b")

_PAIRS = """first last, largest smallest, highest lowest, oldest newest, most least, before after, north south,
east west, northern southern, increase decrease, increased decreased, won lost, best worst, more less, began ended,
start end, founded abolished, allowed forbidden, male female, positive negative, minimum maximum, longest shortest,
early late, upper lower, like dislike, love hate, good bad"""
_OPPOSITE = {word: other for a, b in (pair.split() for pair in _PAIRS.split(",")) for word, other in ((a, b), (b, a))}
_NEGATED = {"can": "cannot"} | {verb: f"{verb} not" for verb in ("is", "are", "was", "did", "does")}


def names(text: str) -> list[str]:
    """Runs of capitalised words, but those that begin a sentence."""
    return _NAME.findall(text)


def numbers(text: str) -> list[str]:
    return _NUMBER.findall(text)


def without_answer(question: Question) -> str | None:
    """The context without the sentences the answer stands in; None when nothing is left, or another one has it too."""
    text = question.context
    cuts = [0, *(found.end() for found in _SENTENCE_END.finditer(text)), len(text)]
    kept = [text[a:b] for a, b in pairwise(cuts) if not (a < question.end and question.start < b)]
    left = "".join(kept).strip()
    return left if left and question.answer.lower() not in left.lower() else None


def swapped(question: Question, other_names: Sequence[str], rng: random.Random) -> str | None:
    """The question with a name, number or word of it replaced; None when it has none to replace.

    A name comes from `other_names`, a number from the context. Neither is in the question, nor in its answer.
    """
    text = question.text
    swaps = _name_swaps(question, other_names) + _number_swaps(question)
    words = [(found.span(), _OPPOSITE[found[0]]) for found in _WORD.finditer(text) if found[0] in _OPPOSITE]
    if swaps and (not words or rng.random() < NAME_OR_NUMBER):
        span, others = rng.choice(swaps)
        return _replaced(text, span, rng.choice(others))
    if not words and rng.random() < NEGATION:
        words = [(found.span(), _NEGATED[found[0]]) for found in _WORD.finditer(text) if found[0] in _NEGATED]
    return _replaced(text, *rng.choice(words)) if words else None


def _name_swaps(question: Question, others: Sequence[str]) -> list[tuple[tuple[int, int], list[str]]]:
    asked, answer = question.text.lower(), question.answer.lower()
    strangers = [
        name
        for name in others
        if name.lower() not in asked and name.lower() not in answer and answer not in name.lower()
    ]
    swaps = []
    for found in _NAME.finditer(question.text):
        alike = [name for name in strangers if abs(len(name.split()) - len(found[0].split())) <= 1]
        if alike:
            swaps.append((found.span(), alike))
    return swaps


def _number_swaps(question: Question) -> list[tuple[tuple[int, int], list[str]]]:
    taken = {*numbers(question.text), *numbers(question.answer)}
    there = [number for number in numbers(question.context) if number not in taken]
    swaps = []
    for found in _NUMBER.finditer(question.text):
        alike = [number for number in there if len(number) == len(found[0])]
        if not alike and found[0].isdecimal():
            near = [str(int(found[0]) + step) for step in SHORT_NUMBER_STEPS if int(found[0]) + step > 0]
            alike = [number for number in near if number not in taken]
        if alike:
            swaps.append((found.span(), alike))
    return swaps


def _replaced(text: str, span: tuple[int, int], other: str) -> str:
    return text[: span[0]] + other + text[span[1] :]

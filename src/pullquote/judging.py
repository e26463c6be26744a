"""From marked spans to verdicts: which sentence answers, and the chance that it is right.

A logistic regression over a few features, one for each way a sentence can have been read: by the small reader only
(`fast`), or by the second one too (`second`). `models/judge.json` holds the coefficients and what they were fitted on;
`pullquote calibrate FILE` fits them anew.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pullquote.datatypes import Span
from pullquote.errors import ModelError
from pullquote.inference import MODELS
from pullquote.retrieving import STEM, content_words
from pullquote.understanding import AnswerType, answer_type, fits

BUILT_IN = MODELS / "judge.json"

# Logits are above the null answer's, whose own is `null`; `evidence` is a sentence's spans taken together, `margin` its
# best span. `numbers` counts those of the question that the passage does not have.
FAST = ("evidence", "margin", "fused", "dense", "misfit", "numbers")
SECOND = ("evidence", "fused", "dense", "numbers", "second_evidence", "second_margin", "second_null")

ECHO = 0.01  # confidence of words that only repeat the question, where it asks for a name, a time or a number


Place = tuple[str, tuple[int, int]]  # article id and sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence that may answer: what speaks for it, and the estimated chance that it does.

    `span` is the second reader's where it read the sentence.
    """

    span: Span
    features: dict[str, float]
    confidence: float

    @property
    def logit(self) -> float:
        """The confidence as log odds."""
        return math.log(self.confidence / (1 - self.confidence))

    @property
    def is_read_twice(self) -> bool:
        return "second_evidence" in self.features


@dataclass(frozen=True, slots=True)
class Logistic:
    """P(right) = 1 / (1 + exp(−(intercept + Σ coefficient × feature))), and the chance below which to refuse."""

    intercept: float
    coefficients: dict[str, float]
    threshold: float

    def __post_init__(self) -> None:
        numbers = [self.intercept, self.threshold, *self.coefficients.values()]
        if not all(isinstance(number, float) and math.isfinite(number) for number in numbers):
            raise ValueError("coefficients, intercept and threshold are numbers")
        if not 0 < self.threshold < 1:
            raise ValueError("the threshold is between 0 and 1")

    def confidence(self, features: Mapping[str, float]) -> float:
        """The chance, kept off 0 and 1 so that its log odds are finite."""
        logit = self.intercept + sum(weight * features[name] for name, weight in self.coefficients.items())
        return 1 / (1 + math.exp(-min(max(logit, -30.0), 30.0)))


@dataclass(frozen=True, slots=True)
class Judge:
    """Both regressions, and in words what they were fitted on."""

    fast: Logistic
    second: Logistic
    fitted_on: str

    def __post_init__(self) -> None:
        for logistic, names in ((self.fast, FAST), (self.second, SECOND)):
            if set(logistic.coefficients) != set(names):
                raise ValueError(f"the features are {', '.join(names)}")

    @classmethod
    def load(cls, path: Path = BUILT_IN) -> Self:
        """The judge of a file. Raises `ModelError` when it is not one."""
        try:
            data: dict[str, Any] = json.loads(path.read_bytes())
            return cls(Logistic(**data["fast"]), Logistic(**data["second"]), str(data["fitted_on"]))
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}; make it with `pullquote calibrate`") from error
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path} is no judge of this version ({error}); make it with `pullquote calibrate`"
            ) from error

    def to_json(self) -> str:
        """What `load` reads."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def threshold(self, verdict: Verdict) -> float:
        """The chance below which this verdict is a refusal."""
        return self.second.threshold if verdict.is_read_twice else self.fast.threshold

    def verdicts(
        self, question: str, spans: Iterable[Span], again: Mapping[Place, Span] | None = None
    ) -> list[Verdict]:
        """One verdict for each sentence, likeliest first; those that the second reader read (`again`) come first.

        Neighbouring chunks share a sentence: its better reading counts.
        """
        best: dict[Place, Verdict] = {}
        asked = _Asked.of(question)
        for span in spans:
            verdict = self._verdict(asked, span, (again or {}).get(place_of(span)))
            if place_of(span) not in best or verdict.confidence > best[place_of(span)].confidence:
                best[place_of(span)] = verdict
        return sorted(best.values(), key=lambda verdict: (not verdict.is_read_twice, -verdict.confidence))

    def _verdict(self, asked: "_Asked", span: Span, second: Span | None) -> Verdict:
        marked = second or span
        features = {
            "evidence": span.evidence,
            "margin": span.score,
            "fused": span.passage.fused,
            "dense": span.passage.dense,
            "misfit": float(not fits(asked.type, marked.text)),
            "numbers": float(asked.numbers_lacking(span.passage.text)),
        }
        if second:
            features |= {"second_evidence": second.evidence, "second_margin": second.score, "second_null": second.null}
        confidence = (self.second if second else self.fast).confidence(features)
        if asked.type and asked.words.issuperset(content_words(marked.text)):
            confidence = min(confidence, ECHO)
        return Verdict(marked, features, confidence)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the judge looks at in a question."""

    type: AnswerType | None
    words: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, question: str) -> Self:
        return cls(answer_type(question), frozenset(content_words(question)), _numbers(question))

    def numbers_lacking(self, text: str) -> int:
        """How many of the question's numbers the text does not have."""
        return len(self.numbers - _numbers(text)) if self.numbers else 0


def place_of(span: Span) -> Place:
    """What tells a sentence from every other."""
    return span.passage.article.id, span.sentence


def speaks_of(words: Sequence[str], verdict: Verdict) -> bool:
    """Whether the sentence has one of the words, in whatever form."""
    sentence = verdict.span.passage.article.text[slice(*verdict.span.sentence)]
    return not {word[:STEM] for word in words}.isdisjoint(word[:STEM] for word in content_words(sentence))


def overlap(one: Verdict, two: Verdict) -> bool:
    """Whether both mark the same words."""
    same = one.span.passage.article.id == two.span.passage.article.id
    return same and one.span.start < two.span.end and two.span.start < one.span.end


def _numbers(text: str) -> frozenset[str]:
    """The numbers in figures, whether thousands are marked by commas or not."""
    return frozenset(number.replace(",", "") for number in re.findall(r"\d(?:[\d.,]*\d)?", text))

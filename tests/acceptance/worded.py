"""A real small language model, bad at the task, over questions of articles-dev: is anything shown that is not verified?

`python -m tests.acceptance.worded`: 60 questions of nine articles, 20 of a sample with SIZE=ci. Literal is held
against the file; verified is checked anew, by rougher means than the verifier's: every figure and every capitalised
word inside a sentence must stand in the quotes that it cites. The control counts what the model wrote that does not
pass that.
"""

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pullquote.answering import Assistant, Trace
from pullquote.articles import make_article, normalise
from pullquote.library import Library
from pullquote.settings import Settings
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.conftest import SHARED
from tests.small_model import MISSING, NAME, is_installed, serving_small_model

FILE = SHARED / "eval" / "articles-dev.json"
QUESTIONS = 60


@dataclass(frozen=True)
class Asked:
    """A question as it was answered, and the article's text."""

    question: str
    trace: Trace
    text: str

    @property
    def not_literal(self) -> int:
        """Quotes that are no slice of the text."""
        answer = self.trace.answer
        quotes = [*answer.quotes, *([answer.closest] if answer.closest else [])]
        return sum(self.text[quote.start : quote.end] != quote.text for quote in quotes)

    @property
    def unverified(self) -> list[str]:
        """Sentences shown that have something their quotes lack."""
        points = self.trace.answer.points if self.trace.answer.worded_by else ()
        return [point.text for point in points if not self._stands(point.text, point.citations)]

    @property
    def written_wrong(self) -> int:
        """Sentences that the model wrote and that have something their quotes lack."""
        checked = self.trace.wording.checked if self.trace.wording else []
        return sum(not self._stands(sentence.text, sentence.citations) for sentence, _ in checked)

    def _stands(self, sentence: str, citations: tuple[int, ...]) -> bool:
        cited = " ".join(quote.text for quote in self.trace.answer.quotes if quote.number in citations).casefold()
        telling = re.findall(r"\d[\d.,]*\d|\d|(?<=\w )[A-Z]\w+", sentence)
        return bool(cited) and all(word.casefold() in cited for word in telling)


def ask(url: str, count: int, articles: int = 9) -> Iterator[Asked]:
    """Questions spread over the kinds and the first so many articles, asked with the model at `url`."""
    data = json.loads(FILE.read_bytes())
    for row in data["articles"][:articles]:
        own = [question for question in data["questions"] if question["article"] == row["id"]]
        share = -(-count // articles)
        chosen = [own[place * len(own) // share] for place in range(share)]
        with tempfile.TemporaryDirectory() as folder, closing(Library(Path(folder))) as library:
            put_embedded(library, make_article(row["text"], title=row["title"]))
            assistant = Assistant.open(library, Settings(llm_url=url, llm_model=NAME))
            for question in chosen:
                yield Asked(question["question"], assistant.trace(question["question"]), normalise(row["text"]))


def main() -> int:
    if not is_installed() or not FILE.exists():
        sys.stdout.write(f"skipped: {MISSING if FILE.exists() else f'{FILE} is not here'}\n")
        return 0
    with serving_small_model() as url:
        found = []
        for one in ask(url, QUESTIONS if SIZE == "full" else 20):
            found.append(one)
            wording = one.trace.wording
            end = "not asked" if not wording else wording.failure or f"worded: {one.trace.answer.text}"
            sys.stdout.write(f"{one.question} → {end}\n")
    asked = [one for one in found if one.trace.wording]
    worded = [one for one in asked if one.trace.answer.worded_by]
    reasons = Counter(one.trace.wording.failure for one in asked if one.trace.wording and one.trace.wording.failure)
    written = [pair for one in asked if one.trace.wording for pair in one.trace.wording.checked]
    kept = sum(fault is None for _, fault in written)
    seconds = [one.trace.wording.seconds for one in asked if one.trace.wording]
    not_literal, unverified = sum(one.not_literal for one in found), [text for one in found for text in one.unverified]
    wrong = sum(one.written_wrong for one in asked)
    why = "; ".join(f"{count} × {reason}" for reason, count in reasons.items())
    sys.stdout.write(
        f"\nquestions {len(found)}, model asked {len(asked)}, worded {len(worded)}, "
        f"fallback {sum(reasons.values())} ({why})\n"
        f"sentences written {len(written)}, kept {kept}; seconds of the model, median {median(seconds):.1f}\n"
        f"not literal {not_literal}, unverified shown {len(unverified)} {unverified}; control: {wrong} written wrong\n"
    )
    return 0 if not not_literal and not unverified and wrong else 1


if __name__ == "__main__":
    sys.exit(main())

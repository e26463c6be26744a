"""Drafts made by hand, right and wrong, over articles of our own: which are shown, which are dropped, and why.

`python -m tests.acceptance.faithful`: `drafts.json` was written before the rules, which were then fitted to it;
`drafts-unseen.json` when they were done. The control shows everything that has a marker, and lets the wrong ones pass.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pullquote.articles import make_article
from pullquote.datatypes import Quote
from pullquote.drafting import sentences
from pullquote.embedding import QuestionEncoder
from pullquote.reading import Reader
from pullquote.verifying import Verifier
from tests.conftest import PROJECT

SETS = ("drafts.json", "drafts-unseen.json")
DROPPED, KEPT = 39, 18  # of 40 wrong and of 20 right ones, asked for of the first set


@dataclass(frozen=True)
class Outcome:
    """A draft, its kind, and why its sentences were dropped; None for one that was kept."""

    id: str
    kind: str
    faults: tuple[str | None, ...]

    @property
    def shown(self) -> bool:
        """Whether a right draft is shown whole, or anything of a wrong one."""
        kept = [fault is None for fault in self.faults]
        return all(kept) if self.kind == "right" else any(kept)


def outcomes(name: str) -> Iterator[Outcome]:
    """What the verifier says of each draft of a file."""
    data = json.loads((PROJECT / "tests" / "data" / name).read_bytes())
    articles = {row["id"]: make_article(row["text"], title=row["title"]) for row in data["articles"]}
    verifier = Verifier(QuestionEncoder(), Reader().read)
    for row in data["drafts"]:
        article, quotes = articles[row["article"]], []
        for number, text in enumerate(row["quotes"], start=1):
            span = (article.text.index(text), article.text.index(text) + len(text))
            quotes.append(Quote.cut(number, article, span, span))
        found = list(sentences([row["draft"]]))
        assert found
        assert all(sentence.citations for sentence in found)  # the control: all of them have markers
        yield Outcome(row["id"], row["kind"], tuple(verifier.fault(sentence, quotes) for sentence in found))


def main() -> int:
    good = True
    for name in SETS:
        found = list(outcomes(name))
        for one in found:
            sys.stdout.write(f"{one.id:12} {'shown' if one.shown else 'dropped'}: {'; '.join(map(str, one.faults))}\n")
        asked = Counter(one.kind for one in found)
        shown = Counter(one.kind for one in found if one.shown)
        wrong = sum(count for kind, count in asked.items() if kind != "right")
        dropped = wrong - sum(shown[kind] for kind in asked if kind != "right")
        kinds = ", ".join(
            f"{kind} {count - shown[kind]} of {count}" for kind, count in asked.items() if kind != "right"
        )
        sys.stdout.write(f"{name}: wrong dropped {dropped} of {wrong} ({kinds}); right kept {shown['right']} of 20\n\n")
        good &= name != SETS[0] or (dropped >= DROPPED and shown["right"] >= KEPT)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

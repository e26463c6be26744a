"""A model's sentence against the quotes that it cites: kept, or dropped with the reason.

First the facts, by rule; then the meaning, by the question encoder; then the round trip, by the extractive reader: the
sentence with a fact left out is a question, and the quotes must give that very fact (Wang et al. 2020, QAGS).
What passes may still be a poor paraphrase. What does not pass is not shown.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pullquote import facts
from pullquote.cloze import cloze, contradicts, has_form
from pullquote.datatypes import Article, Chunk, Passage, Quote, Span
from pullquote.embedding import Encoder

MAX_LENGTH = 400  # characters of a sentence
NEW_WORDS = 0.5  # share of a sentence's words that its quotes may lack
CLOSE = 0.5  # cosine of a sentence and each of its quotes
CERTAIN = 0.0  # logits above the null answer's from which the reader's word counts

Read = Callable[[str, Passage], list[Span]]

_LINK = re.compile(
    r"\w+://\S+|\bwww\.\S+|\b[\w.-]+@[\w-]+\.\w+|\b[\w-]+\.(?:com|org|net|io|info|dev|app|co|example)\b\S*", re.I
)
_MARKUP = re.compile(r"<[a-z/!]|\]\(|!\[|&#?\w+;|```|\bjavascript:", re.IGNORECASE)
_QUOTED = re.compile(r"“([^”]+)”|\"([^\"]+)\"|‘([^’]+)’|(?<!\w)'([^']+)'(?!\w)|«([^»]+)»")
_LEANING = re.compile(
    r"\W*(?:he|she|it|they|his|her|its|their|this|that|these|those|the (?:former|latter|same))\b", re.I
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a draft, its markers taken off: the numbers that they name."""

    text: str
    citations: tuple[int, ...]


class Verifier:
    """Checks sentences. `encoder` gives the questions' vectors, `read` marks spans as `Reader.read` does."""

    def __init__(self, encoder: Encoder, read: Read) -> None:
        self._encoder, self._read = encoder, read

    def fault(self, sentence: Sentence, quotes: Sequence[Quote], before: Sentence | None = None) -> str | None:
        """Why the sentence cannot be shown; None if it can. `before` is the one that would stand before it."""
        if reason := _uncited(sentence, quotes) or _form(sentence.text) or _adrift(sentence, before):
            return reason
        cited = [quote for quote in quotes if quote.number in sentence.citations]
        text = facts.spelt_out(sentence.text)
        said = facts.spelt_out("\n".join(quote.text for quote in cited))
        titles = " ".join(f"{quote.article_title} {quote.heading or ''}" for quote in cited)
        by_rule = (check(text, said) for check in (_quotation, _link, _number, _polarity, _negation, _source))
        return (
            next(filter(None, by_rule), None)
            or _name(text, said, titles)
            or _invention(text, said)
            or self._drift(sentence.text, cited)
            or self._contradiction(text, said)
        )

    def _drift(self, text: str, cited: Sequence[Quote]) -> str | None:
        """Meaning too far from a quote that it cites."""
        vectors = self._encoder.encode([text, *(quote.text for quote in cited)])
        for quote, cosine in zip(cited, vectors[1:] @ vectors[0], strict=True):
            if cosine < CLOSE:
                return f"its meaning is far from quote {quote.number} (cosine {cosine:.2f})"
        return None

    def _contradiction(self, text: str, said: str) -> str | None:
        """A fact that the reader, asked for it, finds otherwise in the quotes."""
        for question, fact in cloze(text, said):
            best = max(self._read(question, _passage(said)), key=lambda span: span.score, default=None)
            if best and best.score > CERTAIN and contradicts(fact, best.text):
                return f"asked “{question}”, its quotes say “{best.text}”"
        return None


def _passage(said: str) -> Passage:
    """The quotes as something to be read, one line each."""
    article = Article("quotes", "Quotes", said, "quotes", "")
    lines = tuple(match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", said))
    return Passage(Chunk("quotes", 0, len(said), 0), article, lines, 0.0, 0.0, 0.0)


def _uncited(sentence: Sentence, quotes: Sequence[Quote]) -> str | None:
    unknown = sorted(set(sentence.citations) - {quote.number for quote in quotes})
    if not sentence.citations:
        return "it cites no quote"
    return f"it cites [{unknown[0]}], which it was not given" if unknown else None


def _adrift(sentence: Sentence, before: Sentence | None) -> str | None:
    """A pronoun that would be read as something of a sentence on other quotes."""
    leans = _LEANING.match(sentence.text) and before and set(before.citations) != set(sentence.citations)
    return "it leans on a sentence that stands on other quotes" if leans else None


def _form(text: str) -> str | None:
    if len(text) > MAX_LENGTH:
        return f"it has over {MAX_LENGTH} characters"
    if text.rstrip().endswith("?"):
        return "it is a question"
    return None if facts.content(text) else "it says nothing"


def _quotation(text: str, said: str) -> str | None:
    """Words between quotation marks that are not literal."""
    for match in _QUOTED.finditer(text):
        words = next(filter(None, match.groups()))
        if _even(words).strip(" .,!?;:") not in _even(said):
            return f"“{words}” is no literal quote"
    return None


def _even(text: str) -> str:
    return " ".join(text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"').split())


def _link(text: str, said: str) -> str | None:
    if _MARKUP.search(text):
        return "it has markup"
    links = (match[0].rstrip(".,;:!?)") for match in _LINK.finditer(text))
    return next((f"{link} is in none of its quotes" for link in links if link not in said), None)


def _number(text: str, said: str) -> str | None:
    """A number that the quotes do not have, or have with another unit."""
    known = facts.numbers(said)
    for number in facts.numbers(text):
        units = {other.unit for other in known if other.value == number.value}
        words = text[number.start : number.end]
        if not units:
            return f"{words} is in none of its quotes"
        if number.unit and number.unit not in units and ("" not in units or number.unit not in {o.unit for o in known}):
            return f"{words} {number.unit}: its quotes have {words} of something else"
    return None


def _name(text: str, said: str, titles: str) -> str | None:
    """A name that the quotes do not have. The first word may be none: there any form of it, a title's too, will do."""
    known = facts.names(said)
    for name in facts.names(text):
        is_word = name.start <= 1 and has_form(name, f"{said} {titles}")
        if not is_word and not any(_in_order(name.words, other.words) for other in known):
            return f"{text[name.start : name.end]} is in none of its quotes"
    return None


def _in_order(some: Sequence[str], all_: Sequence[str]) -> bool:
    rest = iter(all_)
    return all(word in rest for word in some)


def _polarity(text: str, said: str) -> str | None:
    """A word whose opposite the quotes have, or one that takes in more than they do."""
    words, known = set(facts.words(text)), set(facts.words(said))
    for sweeping in facts.SWEEPING:
        if words & sweeping and not known & sweeping:
            return f"its quotes do not say “{min(words & sweeping)}”"
    for pair in facts.OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if words & one and known & other and not known & one and not words & other:
                return f"it says “{min(words & one)}”, its quotes “{min(known & other)}”"
    return None


def _negation(text: str, said: str) -> str | None:
    """A negation that is not the quotes', or one of theirs left out."""
    for clause in _with(facts.NEGATIONS, text):
        if not any(facts.shared(clause, other) or facts.shared(other, clause) for other in _with(facts.SOFT, said)):
            return "its quotes do not deny that"
    denied = " ".join(_with(facts.SOFT, text))
    affirmed = " ".join(clause for clause in facts.clauses(text) if clause not in denied)
    left_out = any(
        facts.shared(clause, affirmed) and not facts.shared(clause, denied) for clause in _with(facts.NEGATIONS, said)
    )
    return "it leaves out a negation" if left_out else None


def _source(text: str, said: str) -> str | None:
    """A statement of somebody's, or a possibility, made a fact."""
    words = set(facts.words(text))
    for line in said.splitlines():
        if set(facts.words(line)) & facts.ATTRIBUTIONS and facts.shared(text, line) and not words & facts.ATTRIBUTIONS:
            return "it leaves out who says so"
    if not words & facts.HEDGES and any(facts.shared(clause, text) for clause in _with(facts.HEDGES, said)):
        return "it makes a fact of what may be"
    return None


def _invention(text: str, said: str) -> str | None:
    """More words of its own than a paraphrase needs."""
    own, known = facts.content(text), set(facts.content(said))
    new = [word for word in own if word not in known]
    return f"{len(new)} of its {len(own)} words are in none of its quotes" if len(new) > NEW_WORDS * len(own) else None


def _with(marks: frozenset[str], text: str) -> list[str]:
    """The clauses that have one of the words."""
    return [clause for clause in facts.clauses(text) if marks & set(facts.words(clause))]

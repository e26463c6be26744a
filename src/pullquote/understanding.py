"""What a message asks for, told by its form: its kind, its parts, and whether it leans on the question before it.

Rules instead of a parser: they take microseconds, and where they are unsure the question stays one fact to be found.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, cast

from pullquote import phrases
from pullquote.articles import normalise
from pullquote.errors import QuestionError
from pullquote.settings import MAX_QUESTION

Kind = Literal["fact", "sentence", "list", "yes_no", "overview", "greeting", "thanks"]
AnswerType = Literal["person", "time", "number", "place"]

LOOKED_BACK = 10  # earlier questions among which the one that a follow-up leans on is looked for


@dataclass(frozen=True, slots=True)
class Question:
    """A message as understood."""

    text: str  # on one line, normalised as articles are
    kind: Kind  # of a compound question, its first part's
    parts: tuple[str, ...]  # what is to be read: the questions of a compound one, else the only one
    section: str | None  # of which an overview is asked
    leans: bool  # says too little alone, or points back to what was asked before
    foreign: bool  # seems to be in another language than English

    @property
    def is_question(self) -> bool:
        """Whether it asks, or could be words to search for: not a lone word, nor a remark that begins with "I"."""
        asks = self.kind != "fact" or "?" in self.text or phrases.ANY_WH.search(self.text) is not None
        return asks or (" " in self.text and re.match(r"(?:i|you|we|it)\b", self.text, re.I) is None)


def understand(text: str) -> Question:
    """What is asked. Raises `QuestionError` for a text that is empty or has more than `MAX_QUESTION` characters."""
    text = _on_one_line(text)
    if not text:
        raise QuestionError(
            "the question is empty; ask who, what, when, where, why or how many, or “What is this about?”"
        )
    if len(text) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(text):,} characters; the limit is {MAX_QUESTION:,}, ask for less at once"
        )
    words = set(re.findall(r"\w+", text.lower()))
    if words <= phrases.HELLO | phrases.THANKS | phrases.FILLERS and words & {*phrases.HELLO, *phrases.THANKS, "you"}:
        return Question(
            text, "thanks" if words & phrases.THANKS else "greeting", (text,), None, leans=False, foreign=False
        )
    asked = _unwrapped(text)
    is_overview, section = _overview(asked)
    if is_overview:
        return Question(text, "overview", (asked,), section, leans=False, foreign=False)
    parts = _parts(asked)
    parts = parts if all(len(part) <= MAX_QUESTION for part in parts) else (text,)
    return Question(text, _kind(parts[0]), parts, None, _leans(asked), _is_foreign(text))


def leant_on(history: Sequence[str]) -> str | None:
    """The last earlier question that stands by itself; what the client sends that is no question is passed over."""
    for text in reversed(history[-LOOKED_BACK:]):
        try:
            earlier = understand(text)
        except QuestionError:
            continue
        if not earlier.leans and earlier.kind not in (*phrases.GUIDANCE, "overview"):
            return earlier.parts[0] if len(earlier.parts) == 1 else earlier.text
    return None


def combine(earlier: str, follow_up: str) -> str:
    """A follow-up read together with the question before it, on one line; a long one loses its start."""
    earlier, follow_up = _unwrapped(_on_one_line(earlier)), _unwrapped(_on_one_line(follow_up))
    follow_up = phrases.CONNECTIVE.sub("", follow_up)
    pointing = phrases.POINTING.fullmatch(follow_up.rstrip(phrases.ENDS))
    anew = _anew(earlier, pointing[1]) if pointing else None
    if anew and len(anew) <= MAX_QUESTION:
        return anew
    earlier += "?" if earlier and earlier[-1] not in ".?!…" else ""
    read = f"{earlier} {follow_up[:1].upper()}{follow_up[1:]}".strip()
    return read if len(read) <= MAX_QUESTION else read[-MAX_QUESTION - 1 :].partition(" ")[2] or read[-MAX_QUESTION:]


def answer_type(question: str) -> AnswerType | None:
    """What the question word asks for, where it is one of these; nothing of the kind for yes or no."""
    core = _core(question)
    word = None if phrases.YES_NO.match(core) else phrases.ANY_WH.search(core)
    match = phrases.TYPED.match(core, word.start()) if word else None
    return cast(AnswerType, match.lastgroup) if match else None


def fits(answer_type: AnswerType | None, answer_text: str) -> bool:
    """Whether an answer looks like one of its type: "when" needs a time word, "who" and "where" a capital letter."""
    if answer_type in ("time", "number"):
        return (phrases.TIME if answer_type == "time" else phrases.NUMBER).search(answer_text) is not None
    name = phrases.BEFORE_NAME.match(answer_text)
    return answer_type is None or (name is not None and name[1].isupper())


def _on_one_line(text: str) -> str:
    return " ".join(normalise(text).split())


def _sentence(text: str) -> str:
    text = text.strip(phrases.ENDS)
    return f"{text[:1].upper()}{text[1:]}?"


def _spelt(text: str) -> str:
    """Without contracted question words, end marks and shouting."""
    text = (
        phrases.CONTRACTION.sub(r"\1 is", text.replace("’", "'"))
        .replace("'re ", " are ")
        .strip(phrases.ENDS + phrases.MARKS)
    )
    return text.lower() if text.isupper() else text


def _core(question: str) -> str:
    """The last question, without connective or clause before its question word."""
    last = phrases.CONNECTIVE.sub("", _spelt(question).rpartition("? ")[2])
    return phrases.CLAUSE_BEFORE.sub("", last)


def _unwrapped(text: str) -> str:
    """Without greeting, politeness and thanks around it."""
    rest = phrases.THANKS_AFTER.sub("", text)
    around = phrases.AROUND.match(rest)
    rest = rest[around.end() if around else 0 :]
    return _sentence(rest) if rest.strip(phrases.ENDS) and rest != text else text


def _overview(asked: str) -> tuple[bool, str | None]:
    """Whether an overview is asked for, and of which section."""
    text, name = _spelt(asked), None
    if section := phrases.SECTION.search(text):
        name = (section["after"] or section["before"]).strip(phrases.MARKS)
        text = text[: section.start()] + ("the article" if section["after"] else "everything") + text[section.end() :]
    is_overview = phrases.OVERVIEW.fullmatch(" ".join(re.findall(r"\w+", text))) is not None
    return is_overview, name if is_overview else None


def _kind(question: str) -> Kind:
    core = _core(question)
    if phrases.YES_NO.match(core):
        return "fact" if phrases.ALTERNATIVE.search(core) else "yes_no"
    return "list" if phrases.LIST.match(core) else "sentence" if phrases.SENTENCE.match(core) else "fact"


def _parts(question: str) -> tuple[str, ...]:
    """The questions of a compound one; just itself where that is not plain to see."""
    if several := phrases.SEVERAL.match(question):
        words = [*several[1].split(", "), several[2]]
        return tuple(_sentence(f"{word} {question[several.end() :]}") for word in words)
    joints = list(islice(phrases.JOINT.finditer(question), 2))
    first = question[: joints[0].start()] if joints else ""
    ends = [*(joint.start() for joint in joints[1:]), len(question)]
    pieces = [question[joint.end() : end].strip(phrases.ENDS) for joint, end in zip(joints, ends, strict=False)]
    parts = [_part(first, joint, piece) for joint, piece in zip(joints, pieces, strict=True)]
    return (_sentence(first), *filter(None, parts)) if joints and all(parts) else (question,)


def _part(first: str, joint: re.Match[str], part: str) -> str | None:
    """A later part, complete; None where it may be a clause of the first, or cannot be read without it."""
    core = _core(first)
    start, word = phrases.STARTS.match(core), phrases.STARTS.match(part)
    if not start or not word:
        return None
    inner = [inner.lower() for inner in phrases.ANY_WH.findall(core, start.end())]
    if re.fullmatch(phrases.ELLIPSIS, part, re.I):
        anew = _anew(first, part) or (None if joint["stop"] else _sentence(f"{part}: {first[0].lower()}{first[1:]}"))
        return None if inner else anew
    if joint["stop"]:
        hangs = _leans(part)
    else:  # a relative clause has no auxiliary before its subject, or the question word of the one beside it
        hangs = inner != [] and (word[0].lower() in inner or not re.match(rf" (?:{phrases.AUX})\b", part[word.end() :]))
    return _sentence(part) if phrases.CONTENT.search(part) and not hangs else None


def _anew(question: str, asked: str) -> str | None:
    """`asked` ("when", "by whom") of what a question tells of; None where only a parser could."""
    question = question.strip(phrases.ENDS)
    if not re.fullmatch(phrases.ADVERBIAL, asked, re.I):
        return None
    if match := phrases.CLAUSE.fullmatch(question):
        return _sentence(f"{asked} {match[1].lower()} {match[2]}")
    if match := phrases.OBJECT.fullmatch(question):
        return _sentence(f"{asked} {match[1].lower()} {match[2]} {match[3]} it")
    if match := phrases.SUBJECT.fullmatch(question):
        thing, verb = phrases.SUBJECTS.get(match[3], match[3]), match[2].lower()
        be = "were" if phrases.MANY.match(thing) else "was"
        return _sentence(
            " ".join(filter(None, (asked, be, thing, match[1] or match[4], phrases.CHANGED.get(verb, verb))))
        )
    return None


def _leans(question: str) -> bool:
    core = _spelt(question)
    if phrases.BACK.match(core) or not phrases.CONTENT.search(core):
        return re.search(r"\w", core) is not None
    return any(_points_back(core, match) for match in phrases.POINTER.finditer(core))


def _points_back(core: str, match: re.Match[str]) -> bool:
    """Whether a pronoun has nothing before it that it can stand for."""
    if match.lastgroup in (None, "pointer"):
        return match.lastgroup is not None
    before = core[: match.start()]
    if match.lastgroup == "subject":
        clause = phrases.EARLIER_CLAUSE.match(before)
        before = clause[0] if clause else ""
    return phrases.ANTECEDENT.search(phrases.OF_IT.sub("", before)) is None


def _is_foreign(text: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+|¿", text.lower()))
    letters = "".join(filter(str.isalpha, text))
    others = re.findall(r"[^\u0000-\u024f\u1e00-\u1eff]", letters)
    strange = 2 * len(others) > len(letters) or (
        words & phrases.FOREIGN and len(words & (phrases.FOREIGN | phrases.IN_NAMES_TOO)) > 1
    )
    return bool(strange) and not words & phrases.ENGLISH

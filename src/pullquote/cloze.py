"""A sentence as questions, each with one of its facts left out, and whether what is found for one is another fact."""

import re
from collections.abc import Iterator

from pullquote import facts, phrases

_YEAR = re.compile(r"1\d{3}|20\d\d")
_DAY = re.compile(
    rf"\b(?P<day>\d\d?)(?:st|nd|rd|th)?(?: of)? (?:{'|'.join(facts.MONTHS.values())})\b"
    rf"|\b(?:{'|'.join(facts.MONTHS.values())}) (?:the )?(?P<day_after>\d\d?)(?:st|nd|rd|th)?\b"
)
_JOINT = re.compile(r"; |, (?:and|while|whereas|but) (?!\w+$)")  # between main clauses
_NO_SUBJECT = rf"(?!(?:{phrases.OF}|{phrases.AUX}|{phrases.WH})\b)"
_SUBJECT = re.compile(rf"({_NO_SUBJECT}\w+(?: {_NO_SUBJECT}[a-z-]+){{0,3}}?) (?:{phrases.AUX})\b", re.IGNORECASE)


def cloze(text: str, said: str) -> Iterator[tuple[str, str]]:
    """Questions with the facts left out of them: a number (the others made "some"), a date, the subject, a name.

    `said` is where they will be asked: it tells which words are names.
    """
    for clause in _JOINT.split(text):
        yield from _cloze(clause, said)


def _cloze(text: str, said: str) -> Iterator[tuple[str, str]]:
    """The questions of one main clause."""
    days = {match.start("day"): match.span() for match in _DAY.finditer(text)}
    days |= {match.start("day_after"): match.span() for match in _DAY.finditer(text)}
    numbers = facts.numbers(text)
    for number in numbers:
        fact = text[number.start : number.end]
        if fact.lower() in facts.ORDINALS:
            continue
        word = "what date" if number.start in days else "what year" if _YEAR.fullmatch(fact) else "how many"
        places = {(other.start, other.end): "some" for other in numbers if other.start not in days}
        place = days.get(number.start, (number.start, number.end))
        yield _asked(text, places | {place: word}), fact
    subject = _SUBJECT.match(text)
    if subject and facts.content(subject[1]) and set(facts.words(subject[1])) <= set(facts.words(said)):
        yield _asked(text, {subject.span(1): "who or what"}), subject[1]
    inside = {word for name in facts.names(said) if name.start > 1 for word in name.words}
    for name in facts.names(text):
        if name.start <= 1 and name.words[0] not in inside and has_form(name, said):
            continue  # not known to be a name
        place = name.start, name.end
        yield _asked(text, {place: "who or what" if name.start < 5 else "what"}), text[slice(*place)]


def _asked(text: str, places: dict[tuple[int, int], str]) -> str:
    """The text as a question, with other words in these places."""
    for (start, end), word in sorted(places.items(), reverse=True):
        text = f"{text[:start]}{word}{text[end:]}"
    text = text.strip().rstrip(".!")
    return f"{text[:1].upper()}{text[1:]}?"


def contradicts(fact: str, found: str) -> bool:
    """Whether what was found is of the fact's sort, a number or a name if it is one, and has nothing of it."""
    if facts.numbers(fact):
        values = {number.value for number in facts.numbers(found)}
        return bool(values) and values.isdisjoint(number.value for number in facts.numbers(fact))
    is_of_its_sort = facts.names(found) if facts.names(fact) else facts.content(found)
    return bool(is_of_its_sort) and set(facts.words(fact)).isdisjoint(facts.words(found))


def has_form(name: facts.Name, text: str) -> bool:
    """Whether the text has a form of the one word that the name has."""
    return len(name.words) == 1 and facts.stem(name.words[0]) in {facts.stem(word) for word in facts.words(text)}

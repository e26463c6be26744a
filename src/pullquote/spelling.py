"""A question's misspelt words, in the spelling of the passages that were found for it."""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches

SHORTEST = 5  # letters of a word that is corrected: of shorter ones too many are alike
LIKE = 0.8  # least ratio of `difflib`, for about one letter in five
MOST = 8  # words looked at: who asks with more of them is not misspelling

_WORD = re.compile(r"[^\W\d_]+")


def corrected(question: str, texts: Iterable[str], is_word: Callable[[str], bool]) -> str:
    """The question with what is no word, nor in the texts, in the spelling of their likest word with its first letter.

    A word that holds the other and two letters more is another word ("unfinished", "finished"), not a misspelt one.
    `is_word` is asked in lower case.
    """
    spelling = {word.lower(): word for text in texts for word in _WORD.findall(text)}
    asked = {word.lower() for word in _WORD.findall(question) if len(word) >= SHORTEST}
    strange = sorted(word for word in asked if word not in spelling and not is_word(word))[:MOST]
    instead = {word: _likest(word, spelling) for word in strange}
    return _WORD.sub(lambda match: spelling.get(instead.get(match[0].lower(), ""), match[0]), question)


def _likest(word: str, words: Iterable[str]) -> str:
    """The likest of the words; "" where none is like enough."""
    known = [other for other in words if other[0] == word[0] and not _is_part(*sorted((word, other), key=len))]
    return next(iter(get_close_matches(word, known, 1, LIKE)), "")


def _is_part(short: str, long: str) -> bool:
    return short in long and len(long) > len(short) + 1

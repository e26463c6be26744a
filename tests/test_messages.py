"""The catalogues against the source, as Babel extracts it, and the languages against the Unicode CLDR."""

import gettext
import io
import re
import tomllib
from collections import Counter
from functools import cache

import pytest
from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from pullquote.messages import ENGLISH, FOLDER, LANGUAGES, messages_in, negotiate
from tests.conftest import PROJECT

OTHERS = [code for code in LANGUAGES if code != "en"]
EACH = pytest.mark.parametrize("language", OTHERS)
MARKS = re.compile(r"</?\w+|\*\*|`[^`]*`|\[|\]\(|href=\"\{\w+\}\"|[A-Z]+_[A-Z_]+|allow-same-origin|[\w-]+-src\b")
Key = str | tuple[str, ...]


@cache
def in_source() -> frozenset[Key]:
    """What the source says, one string or a singular and a plural each."""
    mappings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(mapping["pattern"], mapping["method"]) for mapping in mappings]
    found = extract_from_dir(PROJECT / "src" / "pullquote", methods, keywords={**DEFAULT_KEYWORDS, "N_": None})
    return frozenset(message for _file, _line, message, *_ in found)


def catalogue(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def translated(language: str) -> list[Message]:
    """The messages, without the header, which gettext keeps as that of an empty text."""
    return [message for message in catalogue(language) if message.id]


def places(text: str) -> Counter[str]:
    return Counter(re.findall(r"\{\w+\}", text))


@EACH
def test_every_message_is_translated_and_no_other(language: str) -> None:
    found = catalogue(language)
    assert {message.id for message in translated(language)} == in_source()
    assert not found.obsolete
    for message in translated(language):
        assert not message.fuzzy, message.id
        forms = [message.string] if isinstance(message.string, str) else message.string or []
        assert all(form.strip() for form in forms), message.id


@EACH
def test_places_and_marks_are_those_of_the_english(language: str) -> None:
    """A form for one or two may name the number itself."""
    for message in translated(language):
        if isinstance(message.id, str):
            assert isinstance(message.string, str)
            assert places(message.string).keys() == places(message.id).keys(), message.id
            assert Counter(MARKS.findall(message.string)) == Counter(MARKS.findall(message.id)) or (
                "pullquote add" in message.id  # where what stands for the path is a word
            ), message.id
            continue
        assert isinstance(message.string, tuple)
        expected = places(message.id[1]).keys()
        for form in message.string:
            assert expected - {"{count}"} <= places(form).keys() <= expected, message.id
        assert places(message.string[-1]).keys() == expected, message.id


@EACH
def test_each_number_has_the_form_that_cldr_gives_it(language: str) -> None:
    """One form for each of CLDR's categories of whole numbers, in its order: what the scripts in the page rely on."""
    found, rule = catalogue(language), Locale.parse(language).plural_form
    for message in found:
        if isinstance(message.id, tuple):
            message.string = tuple(map(str, range(found.num_plurals)))
    compiled = io.BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    spoken = gettext.GNUTranslations(compiled)
    used = {rule(number) for number in range(200)}
    order: list[str] = [name for name in ("zero", "one", "two", "few", "many", "other") if name in used]
    assert found.num_plurals == len(order)
    one, many = next(message.id for message in found if isinstance(message.id, tuple))
    for number in range(200):
        assert spoken.ngettext(one, many, number) == str(order.index(rule(number))), number


def test_every_form_is_made_with_its_number() -> None:
    for language in LANGUAGES:
        messages = messages_in(language)
        for number in (0, 1, 2, 3, 11, 100, 1_234):
            said = messages.ngettext("{count} word", "{count} words", number)
            assert "{" not in said
            assert language == "ar" or messages.number(number) in said
    assert ENGLISH.ngettext("{count} word", "{count} words", 1_234) == "1,234 words"


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "DE-ch", "de"),
        ("", "en-GB,de;q=0.9", "en"),
        ("", "nl, de;q=0.3, en;q=0.7", "en"),
        ("", "zh-CN,zh;q=0.9", "en"),
        ("", "de;q=0, en;q=0.1", "en"),
        ("", "de;q=0.000", "en"),
        ("", "*", "en"),
        ("", "nl, *;q=0.5, de;q=0.1", "en"),
        ("", "de ; q=0.5 , nl", "de"),
        ("de", "en", "de"),
        ("de-DE", "en", "de"),
        ("nl", "de", "de"),
        ("../../etc/passwd", "de", "de"),
        ("", ";;;q=,=,\x00, de", "de"),
        ("x" * 10_000, "," * 100_000 + "de", "en"),
    ],
)
def test_the_language_is_negotiated(asked: str, accepted: str, language: str) -> None:
    assert negotiate(asked, accepted) == language


def test_what_was_made_from_a_template_is_made_from_its_translation() -> None:
    german = messages_in("de")
    templates = ("Read as: {question}", "Ask about “{title}”")
    assert german.said("Read as: Why {not}?\nNow.", templates) == "Verstanden als: Why {not}?\nNow."
    assert german.said("Something else", templates) == "Something else"


def test_an_empty_text_stays_empty() -> None:
    """gettext keeps the catalogue's header under it."""
    assert [messages_in(language)("") for language in LANGUAGES] == [""] * len(LANGUAGES)


def test_days_and_numbers_are_written_as_in_the_language() -> None:
    german = messages_in("de")
    assert (german.date("2026-11-24"), german.number(1_234)) == ("24.11.2026", "1.234")
    assert (ENGLISH.date("2026-11-24"), ENGLISH.number(1_234)) == ("2026-11-24", "1,234")

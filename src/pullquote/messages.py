"""What the interface says, in the language of who reads it: gettext catalogues (`locales/`), read by Babel.

English is in the source, where `_("…")` gives the words of a `Messages`. Babel is imported only where another language
is spoken: the command line, which speaks English, does not wait for it.
"""

import io
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "ru", "ar")
FOLDER = Path(__file__).parent / "locales"
MAX_HEADER = 1_000  # characters of Accept-Language that are looked at
_RANGE = re.compile(r"\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?", re.IGNORECASE)


class Messages:
    """The words of one language. `direction` is that of its lines, "ltr" or "rtl".

    `scripts` are the messages of the pages' scripts, by their English: one translation, or one for each plural form.
    """

    def __init__(
        self, language: str, direction: str, translations: NullTranslations, scripts: Mapping[str, Any]
    ) -> None:
        self.language = language
        self.direction = direction
        self.scripts = scripts
        self._translations = translations

    def __call__(self, text: str, **values: object) -> str:
        """The English `text` in this language, with the values at its {places}; itself where nobody translated it."""
        found = self._translations.gettext(text) if text else ""
        return found.format(**values) if values else found

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """The form that goes with a number, which stands at {count}."""
        return self._translations.ngettext(one, many, count).format(count=self.number(count), **values)

    def said(self, text: str, templates: Iterable[str]) -> str:
        """An English text that was made from one of the templates, made from its translation; else the text itself."""
        for template in templates:
            places = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*)", re.escape(template))
            if match := re.fullmatch(places, text, re.DOTALL):
                return self(template, **match.groupdict())
        return text

    def number(self, value: int) -> str:
        """A number with its digits grouped."""
        from babel.numbers import format_decimal

        return format_decimal(value, locale=self.language)

    def date(self, day: str) -> str:
        """A day (ISO 8601), as it is written; in English as it is, for no two countries write it alike.

        From right to left it is isolated (U+2068, U+2069): its own marks of direction would reach into what is around.
        """
        from babel.dates import format_date

        if self.language == LANGUAGES[0]:
            return day
        written = format_date(date.fromisoformat(day), "medium", self.language)
        return f"\u2068{written}\u2069" if self.direction == "rtl" else written


ENGLISH = Messages(LANGUAGES[0], "ltr", NullTranslations(), {})


def N_(text: str) -> str:
    """The text itself, marked to be translated where it is shown (gettext's `N_`)."""
    return text


@cache
def messages_in(language: str) -> Messages:
    """The words of one of `LANGUAGES`, read once."""
    if language == ENGLISH.language:
        return ENGLISH
    from babel.core import Locale
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (FOLDER / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    in_scripts = [one for one in catalogue if any(file.endswith(".js") for file, _ in one.locations)]
    scripts = {one.id if isinstance(one.id, str) else one.id[0]: one.string for one in in_scripts}
    return Messages(language, Locale.parse(language).text_direction, GNUTranslations(compiled), scripts)


def own_names() -> dict[str, str]:
    """What each language calls itself, by its code."""
    from babel.core import Locale

    return {code: str(Locale.parse(code).display_name) for code in LANGUAGES}


@lru_cache(maxsize=1_000)
def negotiate(asked: str, accepted: str = "") -> str:
    """The one of `LANGUAGES` to speak: the one that is asked for by its code, else the first that is accepted.

    `accepted` is the header Accept-Language (RFC 9110, 12.5.4). English where neither names one that there is.
    """
    from babel.core import negotiate_locale

    wanted = [asked[:MAX_HEADER], *_preferred(accepted[:MAX_HEADER])]
    wanted = [ENGLISH.language if code == "*" else code for code in wanted]
    return (negotiate_locale(wanted, LANGUAGES, sep="-") or ENGLISH.language).lower()


def _preferred(accepted: str) -> Iterable[str]:
    """The language ranges of the header, most wanted first."""
    found = [match for part in accepted.split(",") if (match := _RANGE.fullmatch(part))]
    weights = [(float(match[2] or 1), match[1]) for match in found]
    return [code for weight, code in sorted(weights, key=lambda one: -one[0]) if weight]

"""Which pages of other origins may show the chat: `PULLQUOTE_EMBED_ORIGINS`. What is not listed may not."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Self

PORTS = {"http": ":80", "https": ":443"}  # left out by browsers
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
ORIGIN = re.compile(rf"(https?)://((?:\*\.)?{LABEL}(?:\.{LABEL})*|\[[0-9a-f:]+\])(:[0-9]{{1,5}})?/?")
ANY_LABELS = rf"{LABEL}(?:\.{LABEL})*"


@dataclass(frozen=True)
class Origins:
    """The allowlist. It is asked for frame-ancestors, for CORS, and before the chat is served to a page.

    An entry is an origin, `https://intranet.example:8443`, or stands for all names under one, `https://*.corp.example`:
    by whole labels, as in a Content-Security-Policy, so neither `evilcorp.example` nor `corp.example` itself.
    """

    entries: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The entries of a list with commas or blanks between them. Raises `ValueError`, which names the entry."""
        return cls(tuple(dict.fromkeys(_entry(word) for word in re.split(r"[,\s]+", text) if word)))

    @cached_property
    def pattern(self) -> str:
        """A regular expression that fits the listed origins from end to end, and nothing where none is listed."""
        fits = (re.escape(entry).replace(r"\*", ANY_LABELS) for entry in self.entries)
        return "|".join(fits) or r"(?!)"

    def allows(self, origin: str | None) -> bool:
        """Whether a browser's `Origin` is listed. "null" (a sandboxed frame, a file) never is."""
        return origin is not None and re.fullmatch(self.pattern, origin) is not None

    @property
    def ancestors(self) -> str:
        """The sources of `frame-ancestors` for the chat: the app's own pages, and what is listed."""
        return " ".join(("'self'", *self.entries))


def _entry(word: str) -> str:
    """An entry as browsers write origins: lower case, without the usual port."""
    match = ORIGIN.fullmatch(word.lower())
    if not match or (match[2].startswith("*.") and "." not in match[2][2:]):
        raise ValueError(f"{word!r} is no origin; write it like https://intranet.example or https://*.corp.example")
    scheme, host, port = match.groups(default="")
    return f"{scheme}://{host}{'' if port == PORTS[scheme] else port}"

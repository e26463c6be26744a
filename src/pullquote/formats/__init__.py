"""Files that are more than text, taken apart into blocks. Only a child process calls `parse`: see `pullquote.parsing`.

Each parser is imported when a file needs it, so that naming a format costs nothing.
"""

import re
from dataclasses import dataclass

from pullquote.errors import FormatError

SUFFIXES = (".html", ".htm", ".xhtml", ".pdf", ".docx")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, table row ("a | b") or heading: level 1 to 6 for a heading, `page` counted from 1."""

    text: str
    level: int = 0
    page: int | None = None

    def __post_init__(self) -> None:
        if not self.text.strip() or not 0 <= self.level <= 6 or (self.page is not None and self.page < 1):
            raise ValueError("a block has a text, a level from 0 to 6, and a page from 1 if any")


@dataclass(frozen=True, slots=True)
class Document:
    """The blocks of a file in reading order, and the title it gives itself ("" where it gives none)."""

    title: str
    blocks: tuple[Block, ...]


def parse(data: bytes, suffix: str, charset: str | None = None) -> Document:
    """What `data` says, by the parser for `suffix`; `charset` is what a server called a web page's.

    Raises `FormatError` with what to do, and whatever a parser raises on a damaged file.
    """
    if suffix in (".html", ".htm", ".xhtml"):
        from pullquote.formats.web_page import read_web_page

        document = read_web_page(data, charset)
    elif suffix == ".pdf":
        from pullquote.formats.pdf import read_pdf

        document = read_pdf(data)
    elif suffix == ".docx":
        from pullquote.formats.word import read_word

        document = read_word(data)
    else:
        raise FormatError(f"only {', '.join(SUFFIXES)} files can be read; save it as one of them, or paste its text")
    if not any(re.search(r"\w", block.text) for block in document.blocks):
        raise FormatError("there is no text in it; check that it is the right file")
    return document

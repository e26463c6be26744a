"""From bytes, a string or the blocks of a document to an `Article`: decoding, one normalisation, title, headings."""

import re
import unicodedata
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from pullquote.datatypes import Article, Heading, heading_words
from pullquote.errors import ArticleError
from pullquote.formats import Block

MAX_CHARACTERS = 20_000_000
MAX_TITLE = 150  # characters; a longer first line is a paragraph, not a title

# What charset-normalizer may find: left to all it knows, it reads "café" as two Chinese characters.
_CODECS = """cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 koi8_r gb18030 big5 shift_jis euc_jp euc_kr"""

_BETWEEN = "\n\n"  # stands between two blocks of a document

_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ud800-\udfff]")


def make_article(
    text: str, source: str = "pasted", name: str = "Untitled", title: str = "", markdown: bool = False
) -> Article:
    """An article of `text`, normalised. `title` wins over its own heading or first line, `name` is the last resort.

    Raises `ArticleError` for a text without a word in it.
    """
    text, title, name = normalise(text), normalise(title), normalise(name)
    headings = _markdown_headings(text) if markdown else ()
    found, with_title = _find_title(text, headings)
    if not title or title == found:
        title, headings = found, with_title
    return _article(text, title, source, name, headings, ())


def from_blocks(blocks: Iterable[Block], source: str, name: str, title: str = "") -> Article:
    """An article of a document's blocks, each a paragraph. `title` wins over its first heading; `name` as above.

    Raises `ArticleError` for one without a word in it.
    """
    pieces: list[str] = []
    headings: list[Heading] = []
    pages: list[int] = []
    size = 0
    for block in blocks:
        text = re.sub(r"\n\s*\n", "\n", normalise(block.text).strip())
        if not text:
            continue
        pages += [size] * ((block.page or 0) - len(pages))
        if block.level:
            text = " ".join(text.split())
            headings.append(Heading(size, size + len(text), block.level))
        pieces.append(text)
        size += len(text) + len(_BETWEEN)
    if pages:
        pages[0] = 0
    text, found = _BETWEEN.join(pieces), normalise(title).strip()
    if not found and headings:
        found = text[headings[0].start : headings[0].end]
    elif not found:
        found, marked = _find_title(text, ())
        found = "" if found.endswith((".", "。")) else found  # a file has a name, which says more than a sentence
        headings = list(marked)
    return _article(text, found, source, normalise(name), tuple(headings), tuple(pages))


def _article(
    text: str, title: str, source: str, name: str, headings: tuple[Heading, ...], pages: tuple[int, ...]
) -> Article:
    if not re.search(r"\w", text):
        raise ArticleError(f"{name}: there is no text in it; check that the file is not empty or an image")
    if len(text) > MAX_CHARACTERS:
        raise ArticleError(f"{name}: {len(text):,} characters; the limit is {MAX_CHARACTERS:,}, split it")
    return Article(
        id=uuid.uuid4().hex[:12],
        title=" ".join(title.split()) or " ".join(name.split()) or "Untitled",
        text=text,
        source=source,
        added_at=datetime.now(UTC).isoformat(timespec="seconds"),
        headings=headings,
        pages=pages,
    )


def decode(data: bytes, name: str = "text") -> str:
    """The text in `data`: UTF-8 or UTF-16 by their marks, else UTF-8, else what charset-normalizer finds likeliest.

    Raises `ArticleError` when it is no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codecs = ["utf-16"]
    elif b"\x00" in data:  # a stray one, or UTF-16 without a mark (its blanks are half zero), or no text at all
        big_endian = data[::2].count(0) > data[1::2].count(0)
        codecs = ["utf-8", *(["utf-16-be", "utf-16-le"] if big_endian else ["utf-16-le", "utf-16-be"])]
    else:
        codecs = ["utf-8"]
    for codec in codecs:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        guessed = codec.startswith("utf-16-")  # any bytes are UTF-16, but only text has blanks in it
        if (codec == "utf-8" and b"\x00" not in data) or (
            _looks_like_text(text) and (not guessed or re.search(r"\s", text))
        ):
            return text
    likeliest = _likeliest(data) if b"\x00" not in data else None
    if likeliest is None:
        raise ArticleError(f"{name}: this is not a text file; export it as plain text (UTF-8) first")
    return likeliest


def normalise(text: str) -> str:
    """The one normalisation at ingest; quotes are literal to its result. Applying it twice changes nothing.

    Control characters, byte-order marks and lone surrogates are dropped (tab stays), every line end becomes LF,
    then Unicode NFC.
    """
    return unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", _DROPPED.sub("", text)))


def _likeliest(data: bytes) -> str | None:
    """What charset-normalizer finds likeliest, but Western before Central European where both are as clean."""
    from charset_normalizer import from_bytes

    matches = from_bytes(data, cp_isolation=_CODECS.split())
    best = matches.best()
    if best is not None and best.encoding == "cp1250":
        best = next((match for match in matches if match.encoding == "cp1252" and match.chaos <= best.chaos), best)
    return str(best) if best else None


def _looks_like_text(text: str) -> bool:
    sample = text[:4000]
    odd = sum(unicodedata.category(char) in {"Cn", "Co", "Cs"} or _DROPPED.match(char) is not None for char in sample)
    return odd <= 1 + len(sample) // 20


def _find_title(text: str, headings: tuple[Heading, ...]) -> tuple[str, tuple[Heading, ...]]:
    """The first top heading, or a first line short enough to be a title (which then is a heading); "" for neither."""
    top = next((heading for heading in headings if heading.level == 1), None)
    if top:
        return heading_words(text[top.start : top.end]), headings
    match = re.search(r"\S[^\n]*", text)
    line = match.group().rstrip() if match else ""
    if match is None or len(line) > MAX_TITLE or not re.search(r"\w", line):
        return "", headings
    alone = re.match(r"\s*?\n\s*?\n", text[match.end() :]) is not None
    if not alone or (headings and headings[0].start <= match.start()):
        # A line right above its text names it when it ends like a name and the next begins like a sentence.
        names = re.match(r"[ \t]*\n\s*(\w)", text[match.end() :]) if line[-1] not in ".,;:!?" else None
        begins = names is not None and not names[1].islower()
        return (heading_words(line) if alone or headings or begins else ""), headings
    if line.endswith((".", "。")):  # a sentence may name the article, but it can be quoted, which a heading cannot
        return "" if re.search(r"\w\w[.!?] [A-Z]|。.", line) else line, headings
    return heading_words(line), (Heading(match.start(), match.start() + len(line), 1), *headings)


def _markdown_headings(text: str) -> tuple[Heading, ...]:
    """Headings as CommonMark sees them, so that a `#` inside a fence of code is none."""
    from markdown_it import MarkdownIt

    line_starts = [0, *(match.end() for match in re.finditer("\n", text)), len(text) + 1]
    found = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "heading_open" and token.map and token.level == 0:
            start, end = line_starts[token.map[0]], line_starts[token.map[1]] - 1
            lines = text[start:end]
            end -= len(lines) - len(lines.rstrip())
            start += len(lines) - len(lines.lstrip())
            found.append(Heading(start, end, int(token.tag[1:])))
    return tuple(found)

"""PDF by pdfium: lines to paragraphs by their place and size, hyphens joined, running heads left out."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pypdfium2

from pullquote.errors import FormatError
from pullquote.formats import Block, Document

MAX_PAGES = 5_000
EDGE = 3  # lines at the top and at the bottom of a page that may be its running head or foot
OFTEN = 0.4  # share of pages on which such a line stands (left and right pages may differ)
APART = 1.35  # times the usual distance of lines: a paragraph ends
LARGER = 1.15  # times the usual size of letters: a heading
SHORT = 0.8  # of the width of a page's text: a line that ends a sentence there ends its paragraph
MAX_HEADING = 150  # characters

_HYPHEN = "\ufffe"  # pdfium's mark where a word was broken at the end of a line
_LIST_MARK = re.compile(r"(?:[•‣▪–*-]|\d{1,3}[.)])\s")
_ENDS_SENTENCE = re.compile(r"[.!?:][\"”’)]?$")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it was set: its edges in points from the page's left and bottom, the size of its first letter."""

    text: str
    left: float
    right: float
    base: float
    size: float


def read_pdf(data: bytes) -> Document:
    """The paragraphs and headings of a PDF with their pages. Raises `FormatError` for a locked or scanned one."""
    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        advice = "it is locked by a password; save it without one" if locked else "it is damaged, or no PDF"
        raise FormatError(f"{advice}, or paste its text") from error
    if len(pdf) > MAX_PAGES:
        raise FormatError(f"it has {len(pdf):,} pages; the limit is {MAX_PAGES:,}, split it")
    pages = [_lines(pdf[number]) for number in range(len(pdf))]
    if not any(pages):
        raise FormatError("there is no text in it, so it seems to be a scan; run text recognition (OCR) on it first")
    title = pdf.get_metadata_dict().get("Title", "").strip()
    pages = _without_running_heads(pages)
    sizes = Counter[float]()
    for line in (line for page in pages for line in page):
        sizes[round(line.size, 1)] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 1.0
    whole = "\n".join(line.text for page in pages for line in page)
    blocks = [block for number, page in enumerate(pages, start=1) for block in _blocks(page, number, body, whole)]
    return Document(title if len(title.split()) > 1 else "", tuple(_with_levels(blocks)))


def _lines(page: pypdfium2.PdfPage) -> list[_Line]:
    text_page = page.get_textpage()
    text = text_page.get_text_range()
    lines, offset = [], 0
    for raw in text.splitlines(keepends=True):
        bare = raw.strip()
        if bare:
            first = offset + len(raw) - len(raw.lstrip())
            lines.append(_line(text_page, bare, first, first + len(bare) - 1))
        offset += len(raw)
    text_page.close()
    page.close()
    return lines


def _line(text_page: pypdfium2.PdfTextPage, text: str, first: int, last: int) -> _Line:
    # subtle: pdfium counts in UTF-16, so behind a rare letter the box is a neighbour's; only the layout depends on it
    count = text_page.count_chars()
    left, base, _, top = text_page.get_charbox(min(first, count - 1), loose=True)
    right = text_page.get_charbox(min(last, count - 1), loose=True)[2]
    return _Line(text, left, right, base, max(top - base, 0.1))


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """The pages without the lines at their edges that come again, but for their numbers, on many of them."""
    seen = Counter[str](key for page in pages for key in {_key(line) for line in _edges(page)})
    often = max(3, OFTEN * len(pages))
    kept = []
    for number, page in enumerate(pages, start=1):
        edges = {id(line) for line in _edges(page)}
        numbers = {str(number), f"page {number}", f"- {number} -", f"page {number} of {len(pages)}"}
        kept.append(
            [
                line
                for line in page
                if id(line) not in edges
                or not (seen[_key(line)] >= often or (len(pages) > 1 and line.text.lower() in numbers))
            ]
        )
    return kept if any(kept) else pages


def _edges(page: list[_Line]) -> list[_Line]:
    """The outermost lines by their height on the page; none of a page that has little more than those."""
    by_height = sorted(page, key=lambda line: -line.base)
    return [*by_height[:EDGE], *by_height[-EDGE:]] if len(page) > EDGE else by_height


def _key(line: _Line) -> str:
    return re.sub(r"\d+", "#", " ".join(line.text.lower().split()))


def _blocks(page: list[_Line], number: int, body: float, whole: str) -> list[tuple[Block, float]]:
    """A page's paragraphs, each with the size of its letters; a heading has size above `body`."""
    pitches = [one.base - two.base for one, two in pairwise(page) if one.base > two.base]
    pitch = median(pitches) if pitches else 0.0
    edge = max((line.right for line in page), default=0.0)
    groups: list[list[_Line]] = []
    for line in page:
        if groups and not _begins(groups[-1], line, pitch, edge):
            groups[-1].append(line)
        else:
            groups.append([line])
    found = []
    for group in groups:
        text = _join([line.text for line in group], whole)
        size = median(line.size for line in group)
        is_heading = size >= LARGER * body and len(text) <= MAX_HEADING and re.search(r"\w", text)
        if text:
            found.append((Block(text, page=number), size if is_heading else 0.0))
    return found


def _begins(group: list[_Line], line: _Line, pitch: float, edge: float) -> bool:
    """Whether the line begins a paragraph after those of the group."""
    above = group[-1]
    step = above.base - line.base
    moved = step < -above.size or step > APART * pitch
    resized = not 1 / LARGER < line.size / above.size < LARGER
    indented = line.left - above.left > above.size and len(group) > 1 and above.left - group[0].left < 1
    ended = bool(_ENDS_SENTENCE.search(above.text)) and above.right < SHORT * edge
    return moved or resized or indented or ended or _LIST_MARK.match(line.text) is not None


def _join(lines: list[str], whole: str) -> str:
    text = lines[0] if lines else ""
    for line in lines[1:]:
        broken = re.search(r"\w[-\u00ad]$", text) and line[:1].isalnum()
        text = f"{text[:-1]}{_HYPHEN}{line}" if broken else f"{text} {line}"
    return re.sub(rf"(\w*){_HYPHEN}(\w*)", lambda match: _mended(match[1], match[2], whole), text).strip()


def _mended(first: str, second: str, whole: str) -> str:
    """A word broken at the end of a line; its hyphen stays before a capital or a figure, and if it has it elsewhere."""
    keeps = not second[:1].islower() or f"{first}-{second}" in whole
    return f"{first}-{second}" if keeps else first + second


def _with_levels(blocks: list[tuple[Block, float]]) -> list[Block]:
    """The blocks; larger headings have a higher level, down to the third."""
    sizes = sorted({round(size) for _, size in blocks if size}, reverse=True)
    return [
        Block(block.text, min(sizes.index(round(size)) + 1, 3) if size else 0, block.page) for block, size in blocks
    ]

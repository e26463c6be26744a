"""Web pages: the main text by trafilatura, or everything a reader sees where that finds no main text."""

import codecs
import re
from typing import Any

from charset_normalizer import from_bytes
from lxml import etree, html
from trafilatura import bare_extraction

from pullquote.errors import FormatError
from pullquote.formats import Block, Document

# trafilatura's tags and HTML's own: `head` is its heading (its own `rend` says the level), `list` and `item` its lists.
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_ITEMS = {"item", "li", "dt", "dd"}
_LISTS = {"list", "ul", "ol", "dl", "menu"}
_ROWS, _CELLS, _BREAKS, _LINES = {"row", "tr"}, {"cell", "td", "th"}, {"lb", "br"}, {"pre", "code", "listing"}
_INSIDE = frozenset(
    """
    a abbr acronym b bdi bdo big cite code data del dfn em font hi i ins kbd label mark nobr q ref s samp
    small span strike strong sub sup time tt u var wbr
    """.split()  # noqa: SIM905
)
_UNSEEN = frozenset(
    """
    script style noscript template head title meta link iframe object embed svg math canvas audio video select
    textarea button noframes
    """.split()  # noqa: SIM905
)
_LAYOUT = etree.XPath(".//*[self::table or self::list or self::ul or self::ol or self::h1 or self::h2 or self::h3][1]")
_BREAK = "\v"  # subtle: where the page itself breaks a line; a line end in the source of a page is only a blank

_ENOUGH = 200  # characters; less of a page that has several times more is a miss of the main text, not its text
_META_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)


def read_web_page(data: bytes, charset: str | None = None) -> Document:
    """The headings, paragraphs, list items and table rows of a page. Raises `FormatError` for one that is empty."""
    source = decode(data, charset).encode("utf-8", "replace")
    tree = _tree(source)
    if tree is None:
        raise FormatError("there is no text in it; check that the page shows text without scripts")
    body = tree.find(".//body")
    title, whole = _title(tree), _blocks(tree if body is None else body)
    found = bare_extraction(_tree(source), include_comments=False, include_tables=True)
    main = _blocks(found.body) if found is not None and not isinstance(found, dict) else []
    size, all_of_it = (sum(len(block.text) for block in blocks) for blocks in (main, whole))
    return Document(title, tuple(whole if size < _ENOUGH and size * 2 < all_of_it else main))


def read_fragment(source: str) -> Document:
    """The blocks of HTML that is all text, as another format's reader makes it."""
    tree = _tree(source.encode("utf-8", "replace")) if source.strip() else None
    return Document("", tuple(_blocks(tree)) if tree is not None else ())


def decode(data: bytes, charset: str | None = None) -> str:
    """A page's characters: by its mark, as UTF-8, as the server says, as the page says, then the likeliest."""
    for mark, codec in [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")]:
        if data.startswith(mark):
            return data.decode(codec, "replace").removeprefix("\ufeff")
    said = _META_CHARSET.search(data[:4096])
    zeros = data[:4096].count(0) > len(data[:4096]) // 4  # UTF-16 without a mark
    guesses: list[str | None] = ["utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"] if zeros else ["utf-8"]
    for encoding in [*guesses, charset, said[1].decode("ascii", "replace") if said else None]:
        try:
            text = data.decode(encoding) if encoding else ""
        except (UnicodeError, LookupError):
            continue
        if text:
            return text
    return str(from_bytes(data).best() or data.decode("cp1252", "replace"))


def _tree(source: bytes) -> Any:
    """The page as lxml reads it; None for one without an element."""
    try:
        return html.document_fromstring(source, parser=html.HTMLParser(encoding="utf-8", remove_comments=True))
    except etree.ParserError:
        return None


def _title(tree: Any) -> str:
    """What the page calls itself: for sharing, in its only top heading, or in the tab of a browser."""
    shared = tree.xpath("//meta[@property='og:title']/@content")
    tops, tabs = tree.findall(".//h1"), tree.findall(".//title")
    names = [*shared[:1], *("".join(top.itertext()) for top in tops if len(tops) == 1)]
    names += ["".join(tab.itertext()) for tab in tabs[:1]]
    return next((" ".join(name.split()) for name in names if name.strip()), "")


def _blocks(body: Any) -> list[Block]:
    gathering = _Gathering()
    # subtle: a walk of events, not a recursion: pages nest deeper than Python calls may
    walk = etree.iterwalk(body, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        unseen = not tag or (tag in _UNSEEN and "rend" not in element.attrib)
        if event == "start" and unseen:
            walk.skip_subtree()
        elif event == "start":
            gathering.start(tag, element)
            gathering.pieces.append(gathering.whitespace(element.text))
        elif not unseen:
            gathering.end(tag)
        if event == "end" and element is not body:
            gathering.pieces.append(gathering.whitespace(element.tail))
    gathering.flush()
    return gathering.blocks


class _Gathering:
    """The state of a walk over a page: the text since the last block ended, and what that text will be."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.pieces: list[str] = []
        self.level = 0  # of the heading we are in
        self.mark = ""  # of the list item that begins
        self.lists: list[int] = []  # the number reached in each list we are in; -1: it has bullets
        self.cells: list[str] | None = None  # of the table row we are in
        self.keeps_lines = 0  # how many elements that keep line ends we are in

    def whitespace(self, text: str | None) -> str:
        return (text or "").replace("\n", _BREAK) if self.keeps_lines else text or ""

    def start(self, tag: str, element: Any) -> None:
        if tag in _LINES:
            self.keeps_lines += 1
        if tag in _BREAKS:
            self.pieces.append(_BREAK)
        if tag in _INSIDE or tag in _BREAKS:
            return
        if tag not in _CELLS:
            self.flush()
        self.level = _HEADINGS.get(element.get("rend", "") if tag == "head" else tag, self.level)
        if tag in _LISTS:
            self.lists.append(0 if tag == "ol" or element.get("rend") == "ol" else -1)
        elif tag in _ITEMS:
            self._begin_item()
        elif tag in _ROWS and self.cells is None and not _LAYOUT(element):
            self.cells = []

    def end(self, tag: str) -> None:
        if tag in _LINES:
            self.keeps_lines -= 1
        if tag in _INSIDE or tag in _BREAKS:
            return
        if tag in _CELLS and self.cells is not None:
            self.cells.append(self._take().replace("\n", " "))
            return
        self.flush()
        if tag in _HEADINGS or tag == "head":
            self.level = 0
        elif tag in _LISTS and self.lists:
            self.lists.pop()
        elif tag in _ITEMS:
            self.mark = ""
        elif tag in _ROWS and self.cells is not None:
            row, self.cells = " | ".join(self.cells), None
            self._add(row if re.search(r"\w", row) else "")

    def flush(self) -> None:
        """End the block; inside a row of a table that is only a blank."""
        if self.cells is not None:
            self.pieces.append(" ")
        else:
            self._add(self._take())

    def _begin_item(self) -> None:
        if self.lists and self.lists[-1] >= 0:
            self.lists[-1] += 1
        self.mark = f"{self.lists[-1]}. " if self.lists and self.lists[-1] > 0 else "- "

    def _take(self) -> str:
        lines = [" ".join(line.split()) for line in "".join(self.pieces).split(_BREAK)]
        self.pieces.clear()
        return "\n".join(line for line in lines if line)

    def _add(self, text: str) -> None:
        if text:
            self.blocks.append(Block(self.mark + text, self.level))
            self.mark = ""

"""Web pages, PDFs and Word files whose text is known, because it was written into them here."""

import re
from collections.abc import Sequence

import pytest

from pullquote.articles import from_blocks
from pullquote.errors import ArticleError, FormatError
from pullquote.formats import SUFFIXES, Block, parse
from tests.documents import docx, paragraph, pdf_of

LINES = [
    "The harbour of Veldt was dug between 1902 and 1911 by four hun-",
    "dred men, of whom most had come from the north. It is deep, it is",
    "well-known for its cranes, and no ship has ever run aground in it.",
]


def page(
    lines: Sequence[str], top: float = 700, left: float = 60, size: float = 11
) -> list[tuple[float, float, float, str]]:
    return [(left, top - 14 * number, size, line) for number, line in enumerate(lines)]


def texts(data: bytes, suffix: str) -> list[str]:
    return [block.text for block in parse(data, suffix).blocks]


# PDF


def test_lines_become_a_paragraph_and_broken_words_whole() -> None:
    more = ["Every ship that is well-", "known there pays two crowns, and nothing in 1914-", "1918."]
    found = texts(pdf_of([page(LINES) + page(more, top=600)]), ".pdf")
    assert found == [
        "The harbour of Veldt was dug between 1902 and 1911 by four hundred men, of whom most had come from the north. "
        "It is deep, it is well-known for its cranes, and no ship has ever run aground in it.",
        "Every ship that is well-known there pays two crowns, and nothing in 1914-1918.",
    ]


def test_every_block_names_its_page_and_larger_letters_are_headings() -> None:
    first = [(60.0, 750.0, 24.0, "The harbour"), *page(LINES), (60.0, 620.0, 15.0, "Fares"), *page(LINES, top=590)]
    document = parse(pdf_of([first, [], page(["A last page has one sentence only."])], "The harbour of Veldt"), ".pdf")
    assert document.title == "The harbour of Veldt"
    assert [(block.level, block.page) for block in document.blocks] == [(1, 1), (0, 1), (2, 1), (0, 1), (0, 3)]
    article = from_blocks(document.blocks, "harbour.pdf", "harbour", document.title)
    assert [article.page_at(article.text.index(words)) for words in ("The harbour", "Fares", "A last page")] == [
        1,
        1,
        3,
    ]
    assert article.heading_at(article.text.rindex("cranes")) == "Fares"


@pytest.mark.parametrize("foot", ["Page {n} of 6", "{n}", "Annual report 2026, {n}"])
def test_running_heads_and_feet_are_left_out(foot: str) -> None:
    things = ["anchors", "bells", "cranes", "docks", "eels", "ferries"]
    pages = []
    for number, thing in enumerate(things, start=1):
        body = [f"In {1900 + number} there were many {thing}, of", f"which the {thing} of the north were the best."]
        pages.append([(60.0, 780.0, 9.0, "The Veldt Gazette"), *page(body), (280.0, 20.0, 9.0, foot.format(n=number))])
    assert texts(pdf_of(pages), ".pdf") == [
        f"In {1900 + number} there were many {thing}, of which the {thing} of the north were the best."
        for number, thing in enumerate(things, start=1)
    ]


def test_a_short_book_whose_pages_say_the_same_keeps_its_words() -> None:
    assert texts(pdf_of([page(["The same words."])] * 4), ".pdf") == ["The same words."] * 4


def test_two_columns_are_read_one_after_the_other() -> None:
    left = page(["The left column has a line,", "and here is its second line."])
    right = page(["On the right is another,", "which is read after it."], left=330)
    assert texts(pdf_of([left + right]), ".pdf") == [
        "The left column has a line, and here is its second line.",
        "On the right is another, which is read after it.",
    ]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pdf_of([[]]), "scan"),
        (b"%PDF-1.7 nothing more", "damaged"),
        (b"", "damaged"),
        (b"<html>no pdf</html>", "damaged"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        parse(data, ".pdf")


# Word


def styled(style: str, text: str) -> bytes:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'.encode()


STYLES = (
    b'<?xml version="1.0"?><w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    + b"".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/></w:style>'.encode()
        for level in (1, 2)
    )
    + b"</w:styles>"
)


def test_a_word_file_gives_headings_paragraphs_and_rows() -> None:
    cells = b"".join(b"<w:tc>" + paragraph(text) + b"</w:tc>" for text in (b"Line", b"End"))
    body = styled("Heading1", "The tram") + paragraph(b"It runs often.") + styled("Heading2", "Stops")
    body += b"<w:tbl><w:tr>" + cells + b"</w:tr><w:tr>" + cells.replace(b"Line", b"4") + b"</w:tr></w:tbl>"
    document = parse(docx(body, styles=STYLES), ".docx")
    assert [(block.text, block.level) for block in document.blocks] == [
        ("The tram", 1),
        ("It runs often.", 0),
        ("Stops", 2),
        ("Line | End", 0),
        ("4 | End", 0),
    ]


def test_what_is_crossed_out_is_not_in_the_text_and_what_is_put_in_is() -> None:
    run = b"<w:r><w:t xml:space='preserve'>%s</w:t></w:r>"
    kept, gone = run % b"The fare is ", b"<w:del><w:r><w:delText>three</w:delText></w:r></w:del>"
    body = (
        b"<w:p>"
        + kept
        + gone
        + b"<w:ins>"
        + run % b"four"
        + b"</w:ins>"
        + run % b" crowns.</w:p>".replace(b"</w:p>", b"")
    )
    assert texts(docx(body + b"</w:p>"), ".docx") == ["The fare is four crowns."]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "password"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"", "damaged"),
        (docx(b"") + b"", "no text"),
        (docx(paragraph(b"&x;"), b"<!DOCTYPE x [<!ENTITY x 'y'>]>"), "document type"),
        (docx(paragraph(b"x"), notes="<!DOCTYPE x>".encode("utf-16-le")), "document type"),
        (docx(paragraph(b"x" * 2_000_000)), "unpacks"),
        (docx(b"", **{f"part{number}": b"" for number in range(2_001)}), "limit is 2,000"),
    ],
    ids=["locked", "cut", "nothing", "empty", "entity", "utf-16", "ratio", "parts"],
)
def test_a_word_file_that_cannot_be_read_says_why(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says):
        parse(data, ".docx")


# Web pages


def test_a_page_gives_its_title_headings_lists_and_rows_and_not_its_frame() -> None:
    words = "The tram to the harbour runs every nine minutes, and on Sundays every twenty. " * 6
    source = f"""<html><head><title>Tram | Veldt</title></head><body><nav><a href="/">Home page</a></nav><main><article>
    <h1>The tram</h1><p>{words}</p><h2>Stops</h2><ul><li>Harbour square</li><li>Old mill lane</li></ul>
    <table><tr><th>Line</th><th>End</th></tr><tr><td>Four</td><td>Mill</td></tr></table><p>{words.lower()}</p>
    </article></main><footer>All rights reserved</footer><script>var hidden = 1</script></body></html>"""
    document = parse(source.encode(), ".html")
    assert document.title == "The tram"
    found = [(block.level, block.text) for block in document.blocks]
    assert (2, "Stops") in found
    assert (0, "- Harbour square") in found
    assert (0, "Four | Mill") in found
    whole = " ".join(text for _, text in found)
    assert words.strip() in whole
    assert not re.search("Home page|All rights|hidden", whole)


@pytest.mark.parametrize(
    ("encoded", "charset"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", None),
        ("utf-16-le", None),
        ("iso-8859-1", "iso-8859-1"),
        ("cp1252", "nonsense"),
        ("iso-8859-2", "iso-8859-2"),
    ],
)
def test_letters_come_through_in_every_encoding(encoded: str, charset: str | None) -> None:
    words = "Der Hafen von Düsseldorf öffnet früh, und schließt spät. " * 5
    source = f"<html><body><p>{words}</p></body></html>"
    assert texts(source.encode(encoded), ".html") == [words.strip()] or charset
    document = parse(source.encode(encoded), ".html", charset)
    assert document.blocks[0].text == words.strip()


@pytest.mark.parametrize("source", [b"", b"   ", b"<html></html>", b"<script>x</script>", b"<!-- -->", b"<p>...</p>"])
def test_a_page_without_words_is_refused(source: bytes) -> None:
    with pytest.raises(FormatError, match="no text"):
        parse(source, ".html")


# All


def test_other_suffixes_are_refused_with_those_that_can_be_read() -> None:
    for suffix in (".doc", ".xlsx", "", ".txt"):
        with pytest.raises(FormatError, match="only " + re.escape(", ".join(SUFFIXES))):
            parse(b"words", suffix)


@pytest.mark.parametrize("values", [("",), (" \n",), ("x", 7), ("x", -1), ("x", 0, 0)])
def test_a_block_refuses_a_bad_self(values: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="a block has"):
        Block(*values)  # type: ignore[arg-type]


# To an article


def test_blocks_become_paragraphs_headings_and_pages() -> None:
    blocks = [
        Block("The  harbour\n of Veldt", 1, 1),
        Block("First.\n\n \nSecond line.\r\nThird\x00.", 0, 1),
        Block("Cafe\u0301", 2, 3),
        Block("Last words.", 0, 3),
    ]
    article = from_blocks(blocks, "h.pdf", "h")
    assert article.text == "The harbour of Veldt\n\nFirst.\nSecond line.\nThird.\n\nCafé\n\nLast words."
    assert (article.title, article.source) == ("The harbour of Veldt", "h.pdf")
    assert [article.text[slice(*span)] for span in article.paragraphs] == article.text.split("\n\n")
    assert [(article.text[h.start : h.end], h.level) for h in article.headings] == [
        ("The harbour of Veldt", 1),
        ("Café", 2),
    ]
    assert [article.page_at(article.text.index(words)) for words in ("The", "First", "Café", "Last")] == [1, 1, 3, 3]
    assert from_blocks(blocks, "h.pdf", "h", "Given").title == "Given"


def test_a_document_that_begins_on_a_later_page_keeps_its_numbers() -> None:
    article = from_blocks([Block("Words.", 0, 3), Block("More.", 0, 4)], "a.pdf", "a")
    assert [article.page_at(0), article.page_at(article.text.index("More"))] == [3, 4]


@pytest.mark.parametrize("blocks", [[], [Block("\x07", 0)], [Block("---")]])
def test_blocks_without_a_word_are_no_article(blocks: list[Block]) -> None:
    with pytest.raises(ArticleError, match=r"a\.pdf: there is no text"):
        from_blocks(blocks, "a.pdf", "a.pdf")


def test_a_document_without_headings_is_named_by_its_first_line_or_its_file() -> None:
    assert from_blocks([Block("A name"), Block("Some words follow.")], "a.docx", "file").title == "A name"
    assert from_blocks([Block("word " * 200)], "a.docx", "file").title == "file"

import hashlib
import os
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullquote.articles import decode, make_article, normalise
from pullquote.datatypes import Article
from pullquote.errors import ArticleError
from pullquote.sources import MAX_BYTES, read_file
from tests.building import AWKWARD
from tests.conftest import ARTICLE_FILE

ENGLISH = "The café’s “naïve” owner said no — twice. It cost €5, and the fiancée’s résumé was – of course – late. "
FRENCH = "L’été dernier, les élèves sont allés à la plage où ils ont mangé des glaces très sucrées. "
GERMAN = "Die Straße führt über grüne Hügel nach Köln, wo schöne Häuser stehen und die Bürger grüßen. "
POLISH = "Zażółć gęślą jaźń. Wczoraj wieczorem poszliśmy do kościoła, gdzie śpiewał chór dziecięcy. "
RUSSIAN = "Вчера вечером мы пошли в театр, где играли новую пьесу. Она нам очень понравилась. "
CHINESE = "昨天晚上我们去了剧院，那里正在上演一部新戏。\n我们 非常 喜欢。"
JAPANESE = "昨日の夜、私たちは劇場に行きました。新しい劇が上演されていました。とても気に入りました。"

any_text = st.text(st.characters(), max_size=60)  # lone surrogates and control characters too
line_ends = st.sampled_from(["\r", "\n", "\r\n", "\r\x00\n", "\u2028", "\x85", "\ufeff", "\x00", "e\u0301", "\ud800"])
awkward_text = st.lists(any_text | line_ends, max_size=12).map("".join)


def as_by_hand(text: str) -> str:
    """What the stored text of a well-behaved file must be, without the code under test."""
    return unicodedata.normalize("NFC", text.removeprefix("\ufeff").replace("\r\n", "\n"))


@settings(deadline=None)
@given(awkward_text)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@settings(deadline=None)
@given(awkward_text)
def test_normalised_text_is_nfc_and_holds_no_control_character_or_mark(text: str) -> None:
    result = normalise(text)
    assert unicodedata.is_normalized("NFC", result)
    assert not [c for c in result if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\t\n"]
    assert not set("\ufeff\u2028\u2029") & set(result)
    result.encode("utf-8")


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=60))
def test_normalising_well_behaved_text_is_only_nfc(text: str) -> None:
    assert normalise(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\r\r\nb", "a\n\nb"),
        ("a\r\x00\nb", "a\nb"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", "a\nb\nc\nd\ne\nf"),
        ("\ufeffa\ufeffb", "ab"),
        ("tab\tstays", "tab\tstays"),
        ("bell\x07 escape\x1b[0m", "bell escape[0m"),
        ("cafe\u0301", "café"),
        ("e\x00\u0301", "é"),
        ("half \ud83d of a pair", "half  of a pair"),
        ("👩‍👩‍👧 and a\u200bb", "👩‍👩‍👧 and a\u200bb"),
        ("", ""),
    ],
)
def test_normalise(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_the_owners_article_is_the_file_word_for_word(article: Article) -> None:
    assert article.text == as_by_hand(ARTICLE_FILE.read_bytes().decode("utf-8"))
    assert article.sha256 == hashlib.sha256(article.text.encode()).hexdigest()
    assert article.title == ARTICLE_FILE.read_text("utf-8").splitlines()[0]
    assert article.source == str(ARTICLE_FILE)


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_awkward_text_comes_back_from_its_file(tmp_path: Path, name: str, codec: str) -> None:
    text = AWKWARD[name].encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    path = tmp_path / "article.txt"
    path.write_bytes(text.encode(codec))
    assert read_file(path).text == normalise(text)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (ENGLISH, "utf-8"),
        (ENGLISH, "utf-8-sig"),
        (ENGLISH, "utf-16"),
        (ENGLISH, "utf-16-le"),
        (ENGLISH, "utf-16-be"),
        ("\ufeff" + ENGLISH, "utf-16-be"),
        (RUSSIAN, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "utf-16-be"),
        ("Hi 👍🏽", "utf-16-le"),
        (ENGLISH, "cp1252"),
        (ENGLISH * 30, "cp1252"),
        (FRENCH, "cp1252"),
        (FRENCH * 30, "cp1252"),
        (GERMAN, "latin-1"),
        ("café", "cp1252"),
        (POLISH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (CHINESE, "gb18030"),
        (JAPANESE, "shift_jis"),
    ],
)
def test_decoding_finds_what_pythons_own_codec_wrote(text: str, codec: str) -> None:
    assert decode(text.encode(codec)).removeprefix("\ufeff") == text.removeprefix("\ufeff")


@pytest.mark.parametrize("text", ["Hello there\x00 world, and more.", "Hello there\x00 world, and more", "Hi\x00 you"])
def test_a_stray_nul_does_not_make_utf_8_into_utf_16(text: str) -> None:
    assert make_article(decode(text.encode())).text == text.replace("\x00", "")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 8,
        Path(sys.executable).read_bytes()[:4_000],
        bytes(4_000),
        bytes((i * i * 31 + i * 7 + i // 256) % 255 + 1 for i in range(4_000)),
        "UTF-32 is not read".encode("utf-32"),
        b"\xff\xfe\x00\xd8\x41\x00",  # a lone surrogate in UTF-16
    ],
    ids=["png", "program", "zeros", "noise", "utf-32", "broken utf-16"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(data)
    with pytest.raises(ArticleError, match=r"picture"):
        read_file(path)


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", b"... --- !!!", b"\x01\x02\x03"])
def test_a_file_without_a_word_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "empty.txt"
    path.write_bytes(data)
    with pytest.raises(ArticleError, match="there is no text in it"):
        read_file(path)


def test_other_suffixes_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "page.rtf").write_bytes(b"{}")
    for name, reason in [("page.rtf", "save it as one of them"), ("gone.txt", "No such file"), ("folder.txt", "Is a")]:
        with pytest.raises(ArticleError, match=reason):
            read_file(tmp_path / name)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ArticleError, match=re.escape(f"{MAX_BYTES + 1:,} bytes; the limit is {MAX_BYTES:,}")):
        read_file(path)


def test_a_file_name_that_is_not_unicode_still_gives_an_article(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(("word " * 100).encode())
    article = read_file(path)
    assert article.title == "caf"
    assert article.source == f"{tmp_path}/caf\\xe9.txt"


def test_a_suffix_in_capitals_is_known(tmp_path: Path) -> None:
    (tmp_path / "A.MD").write_text("# Big\n\ntext", "utf-8")
    assert read_file(tmp_path / "A.MD").headings


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("A title\n\nThen text.", "A title"),
        ("  A\ttitle  \n \t\n\nThen text.", "A title"),
        ("Line one of a paragraph\nand line two.\n\nMore.", "Untitled"),
        ("Only one line.", "Untitled"),
        ("w" * 151 + "\n\nThen text.", "Untitled"),
        ("w" * 150 + "\n\nThen text.", "w" * 150),
        ("* * *\n\nThen text.", "Untitled"),
        ("# Marked\n\nThen text.", "Marked"),
        ("#hashtag stays\n\nThen text.", "#hashtag stays"),
        ("\ufeff\r\nAfter a mark\r\n\r\nThen text.", "After a mark"),
    ],
)
def test_title_of_plain_text_is_its_heading(text: str, title: str) -> None:
    article = make_article(text)
    assert article.title == title
    assert len(article.headings) == (title != "Untitled")
    assert article.heading_at(len(article.text)) is None


def test_a_first_sentence_names_the_article_and_is_no_heading() -> None:
    article = make_article("Paris is the capital of France.\n\nIt has two million people.")
    assert article.title == "Paris is the capital of France."
    assert article.headings == ()
    several = make_article("It opened in 1932 on the St. Olaf. It is long.\n\nMore.", name="guide")
    assert (several.title, several.headings) == ("guide", ())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Team meeting, Tuesday\nWe agreed on little. It took long.", "Team meeting, Tuesday"),
        ("A line that is wrapped at some width and goes\non in the next. Then it ends.", "Untitled"),
        ("We met in Rome,\nParis and Oslo. Then we left.", "Untitled"),
        ("We met.\nThen we left.", "Untitled"),
    ],
)
def test_a_line_right_above_its_text_may_name_it_and_can_still_be_quoted(text: str, title: str) -> None:
    article = make_article(text)
    assert article.title == title
    assert article.headings == ()


@pytest.mark.parametrize(
    ("text", "title", "headings"),
    [
        ("# One\n\ntext", "One", ["# One"]),
        ("# One #\n## Two ##\ntext", "One", ["# One #", "## Two ##"]),
        ("# C#\n\ntext", "C#", ["# C#"]),
        ("Setext\n======\n\ntext\n\nSub\n---\n", "Setext", ["Setext\n======", "Sub\n---"]),
        ("Two\nlines\n===\ntext", "Two lines", ["Two\nlines\n==="]),
        ("text first\n\n## Sub\n\n# Top\n", "Top", ["## Sub", "# Top"]),
        ("## Sub\n\ntext", "Sub", ["## Sub"]),
        ("```\n# no heading\n```\n\n# Yes\n", "Yes", ["# Yes"]),
        ("~~~ text\n# no\n~~~\n\n    # no\n\n# Yes\n", "Yes", ["# Yes"]),
        ("# Real\n\n```python\n# a comment\nx = 1", "Real", ["# Real"]),
        ("> # quoted\n\n- # listed\n\n# Yes", "Yes", ["# Yes"]),
        ("#no blank\n\n####### seven\n\n# Yes", "Yes", ["# Yes"]),
        ("   # Indented\n\ntext", "Indented", ["# Indented"]),
        ("Plain title\n\ntext\n\n## Sub\n", "Plain title", ["Plain title", "## Sub"]),
        ("# One\r\n\r\ntext\r\n\r\n## Two\r\n", "One", ["# One", "## Two"]),
    ],
)
def test_headings_of_markdown(text: str, title: str, headings: list[str]) -> None:
    article = make_article(text, markdown=True)
    assert article.title == title
    assert [article.text[h.start : h.end] for h in article.headings] == headings


def test_a_given_title_that_the_text_begins_with_is_its_heading() -> None:
    text = "Zorbs of the north\n\nThey roll."
    assert [text[h.start : h.end] for h in make_article(text, title="Zorbs of the north").headings] == [text[:18]]
    assert make_article(text, title="Another").headings == ()


@pytest.mark.parametrize(
    ("title", "name", "expected"),
    [
        ("Given", "file", "Given"),
        (" Two\r\n lines\x00 ", "file", "Two lines"),
        ("", "file", "file"),
        ("\ud800", "", "Untitled"),
        ("\ufeff", "bad\udce9name", "badname"),
        ("cafe\u0301", "file", "café"),
    ],
)
def test_a_given_title_is_normalised_too(title: str, name: str, expected: str) -> None:
    assert make_article("One line of text.", title=title, name=name).title == expected


def test_each_article_has_an_id_of_its_own() -> None:
    assert len({make_article("The same text.").id for _ in range(100)}) == 100


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["# A", "## B ##", "Line", "===", "---", "```", "~~~", "> # q", "- # l", "", "    # c", "word #"]
        ),
        min_size=1,
        max_size=14,
    )
)
def test_any_markdown_gives_headings_in_order_each_a_paragraph_of_its_own(lines: list[str]) -> None:
    article = make_article("Word.\n\n" + "\n".join(lines), markdown=True)
    assert all(h.start < h.end and 1 <= h.level <= 6 for h in article.headings)
    assert {(h.start, h.end) for h in article.headings} <= set(article.paragraphs)
    assert article.title
    assert "\n" not in article.title

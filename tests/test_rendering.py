"""Rendering, judged by a Markdown parser, by the documented JSON, and letter by letter."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from urllib.parse import quote as percent_encoded

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pullquote.articles import make_article, normalise
from pullquote.datatypes import Answer, Article, Point, Quote
from pullquote.markdown import escape, to_markdown
from pullquote.rendering import (
    ALSO,
    LEADS,
    NOT_FOUND,
    article_blocks,
    confidence_words,
    quote_place,
    quote_url,
    source_link,
    to_json,
    to_text,
)
from tests.conftest import needs_shared

PARSERS = [
    MarkdownIt("commonmark"),
    MarkdownIt("gfm-like", {"linkify": False}),
    MarkdownIt("js-default", {"html": True}),
]
AWKWARD = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[click](javascript:alert(1))",
    "![pixel](https://example.com/p.png)",
    "<https://example.com> and www.example.com and me@example.com",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "**bold** _it_ ~~gone~~ `code` ***",
    "```python\nprint('x')\n```",
    "# Title\n\n## Sub",
    "1. one\n2) two\n- three\n+ four\n* five",
    "a\n===\nb\n---",
    r"$$E = mc^2$$ and $x$ and \(y\) and \[z\]",
    "List<String> & Map<K, V> &amp; &lt; &#65;",
    "> quoted\n>> twice",
    "a\\\nb  \nc\n\n\nd",
    "[ref]: https://example.com 'x'",
    "tab\there, é, ß, 漢字, 🚀, “quotes”, \u00a0no-break\u00a0, عربى",
    "<br>, <strong>, </strong>, <!-- comment -->, <![CDATA[x]]>, <?php ?>",
]

TEXT = "Raket*ten* 🚀 & <b>Co</b>\n\nIt is 5 > 3.\nA line | more.\n\n## Später\n\nThe [end](x) of $it$."
ARTICLE = make_article(TEXT, source="https://example.com/a", title="A [link](x) & more", markdown=True)


class Seen(HTMLParser):
    """What a reader of the HTML sees, a line end for each <br>, and the tags that it took."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", list[str]()
        self.feed(source)
        self.close()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(" ".join([tag, *(f"{name}={value}" for name, value in attrs)]))
        self.text += "\n" * (tag == "br")


def quote(number: int, words: str, mark: str, article: Article = ARTICLE) -> Quote:
    start = article.text.index(words)
    first = start + words.index(mark)
    return Quote.cut(number, article, (start, start + len(words)), (first, first + len(mark)))


@pytest.fixture
def answer() -> Answer:
    quotes = (quote(1, "It is 5 > 3.\nA line | more.", "5 > 3"), quote(2, "The [end](x) of $it$.", "[end](x)"))
    points = (Point("5 > 3", (1,)), Point("[end](x)", (2,)))
    seconds = {"total": 0.0954321}
    return Answer("How many?", "answered", "5 > 3; [end](x)", 0.97123456, quotes, points, seconds=seconds)


def assert_shown_as_it_is(text: str) -> None:
    for parser in PARSERS:
        seen = Seen(parser.render(f"x{escape(text)}x"))
        assert seen.text == f"x{text}x\n"
        assert set(seen.tags) <= {"p", "br"}
        alone = Seen(parser.render(escape(text.strip())))  # at the start of a line, where blocks begin
        assert alone.text.removesuffix("\n") == text.strip()
        assert set(alone.tags) <= {"p", "br"}


@pytest.mark.parametrize("text", AWKWARD)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    assert_shown_as_it_is(text)


def test_no_payload_survives_escaping() -> None:
    payloads = needs_shared("corpora/xss-payloads.txt").read_text(encoding="utf-8").splitlines()
    sample = [normalise(payload) for payload in payloads[::25] if payload.strip()]
    assert len(sample) > 100
    for payload in sample:
        assert_shown_as_it_is(payload)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40))
def test_any_normalised_text_survives_escaping(text: str) -> None:
    text = normalise(text)
    seen = Seen(PARSERS[0].render(f"x{escape(text)}x"))
    assert seen.text == f"x{text}x\n"
    assert set(seen.tags) <= {"p", "br"}


def test_escaped_source_has_no_markup_of_its_own() -> None:
    every = "".join(map(chr, range(32, 127)))
    source = re.sub(r"&#\d+;|<br>", "", escape(every + "\n"))
    assert source == " " + "".join(char for char in every if char.isalnum())
    assert html.unescape(escape(every)) == every


def test_markdown_of_an_answer_shows_its_words_and_quotes(answer: Answer) -> None:
    rendered = PARSERS[0].render(to_markdown(answer))
    seen = Seen(rendered)
    assert seen.text.startswith("5 > 3 [1]\n[end](x) [2]\n")
    for cited in answer.quotes:
        assert cited.text in seen.text
        assert quote_place(cited) in seen.text
    assert re.findall(r"<strong>(.*?)</strong>", rendered) == ["5 &gt; 3", "[end](x)", "5 &gt; 3", "[end](x)"]
    allowed = {"p", "br", "em", "strong", "blockquote"} | {f"a href={quote_url(cited)}" for cited in answer.quotes}
    assert set(seen.tags) == allowed
    assert seen.tags.count("blockquote") == 2


def test_markdown_of_a_refusal_shows_the_closest_passage_and_marks_nothing_in_it() -> None:
    closest = quote(1, "The [end](x) of $it$.", "$it$")
    for found in (closest, None):
        rendered = PARSERS[0].render(to_markdown(Answer("Why?", "not_found", "", 0.95, closest=found)))
        seen = Seen(rendered)
        assert seen.text.startswith(NOT_FOUND)
        assert re.findall(r"<strong>(.*?)</strong>", rendered) == [NOT_FOUND]
        assert (closest.text in seen.text) == (found is not None)


def test_text_holds_each_quote_where_it_says(answer: Answer) -> None:
    text, starts = to_text(answer)
    assert set(starts) == {quote.number for quote in answer.quotes}
    for quote in answer.quotes:
        assert text[starts[quote.number] :].startswith(f"{quote.text}”\n{quote_place(quote)}")
        assert text[: starts[quote.number]].endswith(f"[{quote.number}] “")
    assert text.startswith(f"{answer.points[0].text} [1]")
    assert "&#" not in text


def test_text_of_a_refusal_numbers_nothing() -> None:
    closest = quote(1, "It is 5 > 3.", "5")
    text, starts = to_text(Answer("Why?", "not_found", "", 0.99, closest=closest, read_as="Why so?"))
    assert starts == {}
    assert text.split("\n\n")[:2] == ["Read as: Why so?", NOT_FOUND]
    assert f"Closest passage:\n“{closest.text}”\n{quote_place(closest)}" in text


def test_json_has_the_documented_keys_and_values(answer: Answer) -> None:
    data = json.loads(to_json(answer))
    assert list(data) == [
        *("question", "status", "text", "confidence", "quotes"),
        *("points", "closest", "read_as", "differ", "worded_by", "seconds"),
    ]
    assert data["points"][0] == {"text": "5 > 3", "citations": [1], "question": None}
    assert list(data["quotes"][0]) == [
        *("number", "article_id", "article_title", "article_date", "text", "start", "end"),
        *("highlight", "paragraph", "page", "heading", "source_url", "article_sha256"),
    ]
    first, second = data["quotes"]
    assert TEXT[first["start"] : first["end"]] == first["text"] == "It is 5 > 3.\nA line | more."
    assert TEXT[slice(*first["highlight"])] == "5 > 3"
    assert (first["paragraph"], first["page"], first["heading"]) == (2, None, None)
    assert second["heading"] == "Später"
    assert second["source_url"] == "https://example.com/a#:~:text=" + percent_encoded(second["text"], safe="")
    assert (data["confidence"], data["seconds"], data["closest"]) == (0.9712, {"total": 0.095}, None)


def test_json_keeps_letters_as_they_are(answer: Answer) -> None:
    assert "Später" in to_json(answer)
    assert json.loads(to_json(answer, indent=2)) == json.loads(to_json(answer))
    closest = json.loads(to_json(Answer("Why?", "not_found", "", 0.9, closest=answer.quotes[0])))["closest"]
    assert closest["text"] == answer.quotes[0].text


def test_confidence_in_words_follows_the_number(answer: Answer) -> None:
    likely = {confidence_words(replace(answer, confidence=value)) for value in (0.6, 1.0)}
    probable = {confidence_words(replace(answer, confidence=value)) for value in (0.3, 0.5999)}
    unsure = {confidence_words(replace(answer, confidence=value)) for value in (0.0, 0.2999)}
    absent = {confidence_words(Answer("Why?", "not_found", "", value)) for value in (0.95, 1.0)}
    perhaps = {confidence_words(Answer("Why?", "not_found", "", value)) for value in (0.0, 0.94)}
    assert all(len(words) == 1 for words in (likely, probable, unsure, absent, perhaps))
    assert len(likely | probable | unsure | absent | perhaps) == 5


def test_nothing_is_claimed_of_an_overview_or_of_guidance(answer: Answer) -> None:
    for other in (
        replace(answer, status="overview", text="", points=()),
        Answer("hello", "guidance", "Ask away.", 1.0),
    ):
        assert confidence_words(other) == ""
        assert seen(other).text.strip().endswith(("paragraph 4", "Ask away."))


def seen(answer: Answer) -> Seen:
    return Seen(PARSERS[0].render(to_markdown(answer)))


def test_two_articles_that_differ_stand_with_their_names_and_dates(answer: Answer) -> None:
    other = replace(make_article("It is 4 > 3.", title="Other"), added_at="2020-02-29T00:00:00+00:00")
    quotes = (answer.quotes[0], quote(2, "It is 4 > 3.", "4 > 3", other))
    points = (Point("5 > 3", (1,)), Point("4 > 3", (2,)))
    text = seen(replace(answer, quotes=quotes, points=points, differ=True)).text
    assert text.startswith("Two articles differ:\n")
    assert "5 > 3 [1] — A [link](x) & more, " in text
    assert "4 > 3 [2] — Other, 2020-02-29" in text


def test_each_part_of_a_compound_question_has_its_line(answer: Answer) -> None:
    points = (Point("5 > 3", (1,), "How *many*?"), Point("", (), "And when?"))
    text = seen(replace(answer, points=points, quotes=answer.quotes[:1])).text
    assert text.startswith(f"How *many*?\n5 > 3 [1]\nAnd when?\n{NOT_FOUND}")


def test_a_follow_up_says_how_it_was_read(answer: Answer) -> None:
    assert seen(replace(answer, read_as="When *was* it?")).text.startswith("Read as: When *was* it?\n")


def test_a_quote_that_no_point_stands_on_is_offered_as_one(answer: Answer) -> None:
    text = seen(replace(answer, points=answer.points[:1], text="5 > 3")).text
    first, also, second = (text.index(words) for words in (answer.quotes[0].text, ALSO, answer.quotes[1].text))
    assert first < also < second


def test_evidence_and_overviews_are_the_articles_words(answer: Answer) -> None:
    for status in ("related", "overview"):
        text = seen(replace(answer, status=status, text="", points=())).text
        assert text.startswith(LEADS[status])
        assert all(quote.text in text for quote in answer.quotes)


def test_a_whole_sentence_is_not_said_twice(answer: Answer) -> None:
    sentence = answer.quotes[0].text
    text = seen(replace(answer, points=(Point(sentence, (1,)), answer.points[1]), text=sentence)).text
    assert text.count(sentence) == 1


def test_the_place_names_title_heading_and_paragraph() -> None:
    assert quote_place(quote(1, "It is 5 > 3.", "5")) == "A [link](x) & more · paragraph 2"
    assert quote_place(quote(1, "The [end](x) of $it$.", "it")) == "A [link](x) & more · Später · paragraph 4"


def test_the_address_of_a_quote_holds_its_offsets() -> None:
    cited = quote(1, "It is 5 > 3.", "5 > 3")
    address = urlsplit(quote_url(cited))
    assert (address.path, address.fragment) == (f"/articles/{ARTICLE.id}", "quote")
    at = parse_qs(address.query)
    version = at.pop("version")[0]
    assert at == {"quote": [f"{cited.start}-{cited.end}"], "mark": ["-".join(map(str, cited.highlight))]}
    assert len(version) == 12
    assert ARTICLE.sha256.startswith(version)


LONG_QUOTE = "One, two - three & four five six seven eight nine ten eleven twelve thirteen-fourteen."


@pytest.mark.parametrize(
    ("url", "text", "page", "link"),
    [
        (None, "Some words.", None, None),
        ("https://a.example/x", "", None, "https://a.example/x"),
        ("https://a.example/x.pdf", "Some words.", 3, "https://a.example/x.pdf#page=3"),
        ("https://a.example/x", "It's 5-6.", None, "https://a.example/x#:~:text=It%27s%205%2D6."),
        ("https://a.example/x#top", "Ja, é.", None, "https://a.example/x#top:~:text=Ja%2C%20%C3%A9."),
        (
            "https://a.example/x",
            LONG_QUOTE,
            None,
            "https://a.example/x#:~:text=One%2C%20two%20%2D%20three%20%26,nine%20ten%20eleven%20twelve%20thirteen%2Dfourteen.",
        ),
    ],
)
def test_a_source_opens_at_the_page_or_at_the_words(
    url: str | None, text: str, page: int | None, link: str | None
) -> None:
    assert source_link(url, text, page) == link


def test_a_page_is_named_once_where_it_begins() -> None:
    paged = replace(ARTICLE, pages=(0, 5, ARTICLE.paragraphs[1][0], ARTICLE.paragraphs[3][0]))
    assert [block.page for block in article_blocks(paged)] == [1, 3, None, 4]
    assert all(block.page is None for block in article_blocks(ARTICLE))


def test_article_blocks_cut_the_quote_and_the_mark_out_of_their_paragraph() -> None:
    cited = quote(1, "A line | more.", "line")
    blocks = article_blocks(ARTICLE, (cited.start, cited.end), cited.highlight)
    assert [(block.number, block.level) for block in blocks] == [(1, 0), (2, 0), (3, 2), (4, 0)]
    assert [block.quote for block in blocks if any(block.quote)] == [("A ", "line", " | more.")]
    assert (blocks[1].before, blocks[1].after) == ("It is 5 > 3.\n", "")
    assert not any(any(block.quote) for block in article_blocks(ARTICLE))


OFFSET = st.integers(-9, len(TEXT) + 9)


@given(st.tuples(OFFSET, OFFSET), st.tuples(OFFSET, OFFSET))
def test_article_blocks_hold_every_letter_in_its_place(quoted: tuple[int, int], marked: tuple[int, int]) -> None:
    def letters(start: int, end: int) -> Iterator[tuple[str, bool, bool]]:
        for offset in range(start, end):
            in_quote = quoted[0] <= offset < quoted[1]
            yield TEXT[offset], in_quote, in_quote and marked[0] <= offset < marked[1]

    for (start, end), block in zip(ARTICLE.paragraphs, article_blocks(ARTICLE, quoted, marked), strict=True):
        expected = list(letters(start, end))
        parts = [block.before, *block.quote, block.after]
        assert "".join(parts) == TEXT[start:end]
        assert "".join(block.quote) == "".join(char for char, in_quote, _ in expected if in_quote)
        assert block.quote[1] == "".join(char for char, _, in_mark in expected if in_mark)

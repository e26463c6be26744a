"""The tables and the page of an evaluation; the page is read by an HTML parser and opened in Chromium."""

import re
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from pullquote.evaluating import Prediction
from pullquote.reporting import PARTS, page, tables
from pullquote.scoring import Report, compare, score
from tests.predicting import predict, reading

FACTS = {"measured": "7 questions about 1 article", "reader": "best"}
HOSTILE = [
    "<script>document.title='hit'</script>",
    "</style><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}{% for x in [1] %}",
    "&lt;b&gt; & ' \" `",
    "https://evil.example/x.png ![](https://evil.example/y.png)",
    "\u202ekcab\u202c \x00 ]]> -->",
    "long " * 390 + "x" * 2_000,
]


def predictions() -> list[Prediction]:
    return [
        predict("answerable", ["1889"], ["1889"], 0.95),
        predict("answerable", ["Gustave Eiffel"], ["1889"], 0.85),
        predict("answerable", ["company"], [], 0.8, readings=[reading(["built"])]),
        predict("answerable", ["in Lyon"], [], 0.6),
        predict("absent", [], [], 0.9),
        predict("absent", [], ["Paris"], 0.5),
        predict("overview", [], ["1889"], 1.0, status="overview", readings=[]),
    ]


def hostile(row: Prediction, words: str) -> Prediction:
    gold = replace(row.gold, id=words, article=words, question=words[:2_000], kind=words, answers=(words,))
    return replace(row, gold=gold)


@pytest.fixture(scope="module")
def report() -> Report:
    return score(predictions())


class Reader(HTMLParser):
    """What a page holds: its tags with attributes, its words outside of styles, and whether each tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words += f"{data} "


def test_the_tables_say_the_numbers(report: Report) -> None:
    found = {table.title: table for table in tables(report)}
    assert list(found) == [
        *("Measures", "By kind, %", "Gold answers lost at", "Risk by coverage, %", "Reliability, %", "Worst cases")
    ]
    assert all(len(row) == len(table.columns) for table in found.values() for row in table.rows)
    measures = {row[0]: row[1:] for row in found["Measures"].rows}
    assert len(measures) == len(report.measures) == sum(map(len, PARTS.values()))
    assert measures["first quote holds answer"] == ("25.0 %", "± 21.7", "4")
    assert measures["refusal precision"] == ("33.3 %", "± 27.2", "3")
    assert measures["seconds a question"] == ("0.100 s", "", "7")
    assert found["By kind, %"].rows[1] == ("absent", "2", "50.0", "50.0", "50.0", "75.0")
    assert found["Gold answers lost at"].rows == [("reading", "1"), ("judging", "1"), ("retrieval", "1")]
    assert found["Risk by coverage, %"].rows[-1] == ("100 %", "57.1")
    assert found["Worst cases"].rows[0] == ("What?", "1889", "Gustave Eiffel", "0.85", "reading")
    assert found["Worst cases"].rows[-1] == ("What?", "(refused)", "in Lyon", "0.60", "retrieval")


def test_what_could_not_be_measured_is_a_dash() -> None:
    found = {table.title: table for table in tables(score(predictions()[:1]))}
    measures = {row[0]: row[1:] for row in found["Measures"].rows}
    assert measures["refusal precision"] == ("–", "", "0")
    assert "Worst cases" not in found


def test_a_comparison_marks_what_fell(report: Report) -> None:
    before = asdict(report)
    before["measures"]["f1"]["value"] += 20
    before["measures"]["calibration_error"]["value"] += 20
    table = tables(report, compare(asdict(report), before))[-1]
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["F1"] == ("45.0", "25.0", "−20.0", "fell")
    assert rows["ECE (lower is better)"][2:] == ("−20.0", "")
    assert rows["EM"] == ("25.0", "25.0", "0.0", "")


def test_the_page_has_the_numbers_the_plots_and_the_cases(report: Report) -> None:
    text = page(report, "own.json", FACTS, compare(asdict(report), asdict(report)))
    found = Reader(text)
    assert found.open == []
    for words in ("own.json", "7 questions about 1 article", "25.0 %", "Gustave Eiffel", "retrieval", "Against the"):
        assert words in found.words
    plots = [attributes for tag, attributes in found.tags if tag == "svg"]
    assert [plot["aria-label"] for plot in plots] == ["Risk–coverage curve", "Reliability diagram"]
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in found.tags:  # what a plot refers to is in it
        for value in attributes.values():
            assert set(re.findall(r"url\(#([^)]+)\)", value or "")) <= set(ids)
        assert (attributes.get("xlink:href") or "#").removeprefix("#") in {"", *ids}
    assert not re.search(r"#0102\d\d", text)  # no colour of a plot is left as it was drawn


def test_the_page_asks_nothing_of_the_network(report: Report) -> None:
    found = Reader(page(report, "own.json", FACTS))
    assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe", "object", "base", "a", "image"}
    addresses = [
        value
        for _, attributes in found.tags
        for name, value in attributes.items()
        if "//" in (value or "") and not name.startswith("xmlns")  # the name of a language, which nobody fetches
    ]
    assert addresses == []
    (policy,) = (attributes["content"] for _, attributes in found.tags if "http-equiv" in attributes)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_what_an_article_or_a_file_says_stays_text(words: str) -> None:
    rows = [hostile(row, words) for row in predictions()]
    found = Reader(page(score(rows), words, FACTS | {words: words}))
    assert {tag for tag, _ in found.tags} == {tag for tag, _ in Reader(page(score(predictions()), "x", FACTS)).tags}
    assert " ".join(words[:200].split()) in " ".join(found.words.split())


def test_the_page_of_many_long_questions_is_small() -> None:
    many = [hostile(row, f"{number} {'word ' * 390}") for number in range(100) for row in predictions()]
    rows = [replace(row, gold=replace(row.gold, kind=f"kind {place % 7}")) for place, row in enumerate(many)]
    assert len(page(score(rows), "own.json", FACTS).encode()) < 300_000


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["1280x800", "390x844"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_in_a_browser(
    browser: Browser, tmp_path: Path, report: Report, size: tuple[int, int], scheme: str
) -> None:
    """It fits, makes no request, says nothing in the console, and axe finds it readable."""
    file = tmp_path / "report.html"
    rows = [*predictions(), *(hostile(row, words) for words in HOSTILE for row in predictions()[:3])]
    file.write_text(page(score(rows), HOSTILE[0], FACTS, compare(asdict(report), asdict(report))), encoding="utf-8")
    tab = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    requests: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(file.as_uri())
    assert (requests, said) == ([file.as_uri()], [])
    assert tab.title() == f"Evaluation of {HOSTILE[0]} · Pullquote"
    assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    first, second = (plot.bounding_box() for plot in tab.locator("svg").all())
    assert first
    assert second
    assert (first["y"] == second["y"]) == (size[0] == 1280)  # side by side where there is room
    ink, paper = (tab.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    words = tab.locator("svg text").first.evaluate("text => getComputedStyle(text).fill")
    assert ink != paper
    assert words != paper
    problems = Axe().run(tab).response["violations"]
    assert [(problem["id"], [node["html"][:80] for node in problem["nodes"][:3]]) for problem in problems] == []
    tab.close()

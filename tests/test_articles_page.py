"""The page “Articles” in a real browser, over a real server. Needs Chromium: `make test`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.people import Passwords
from pullquote.tokens import Tokens
from pullquote.visibility import groups_of
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.serving import Server, serving
from tests.test_page import NARROW, SCHEMES, SIZES, WIDE

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=window.pwned=1> & <b>bold</b>"
TEXT = "The night ferry leaves the old harbour at eleven. It takes sixty guests and two dogs."


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, Path]]:
    """A server over two articles, an editor's token, and the library's folder."""
    store = tmp_path_factory.mktemp("desk")
    library = Library(store)
    put_embedded(library, make_article("The bridge was opened in 1932.", title="Bridge"))
    put_embedded(library, make_article("It has a tower. " * 60, title=HOSTILE))
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    token = Tokens(library).new("Ada")
    library.close()
    with serving(store) as server:
        yield server, token, store


def visit(browser: Browser, url: str, size: tuple[int, int] = WIDE, scheme: str = "light") -> Page:
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    page.goto(f"{url}/articles")
    expect(page.locator("#table tbody tr").first).to_be_visible()
    return page


def sign_in(page: Page, token: str) -> None:
    page.get_by_role("button", name="Sign in as an editor").click()
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def titles(page: Page) -> list[str]:
    return page.locator("#table tbody .title a").all_inner_texts()


@SIZES
@SCHEMES
def test_the_page_is_accessible_and_fits(
    browser: Browser, desk: tuple[Server, str, Path], size: tuple[int, int], scheme: str
) -> None:
    server, token, _ = desk
    page = visit(browser, server.url, size, scheme)
    sign_in(page, token)
    for is_open in (False, True):
        if is_open:
            page.get_by_role("button", name="Chunks of Bridge").click()
        result = Axe().run(page)
        assert result.violations_count == 0, result.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.locator("#preview")).to_contain_text("The bridge was opened in 1932.")
    page.keyboard.press("Escape")
    expect(page.locator("#preview")).to_be_hidden()
    page.context.close()


def test_a_visitor_reads_and_changes_nothing(browser: Browser, desk: tuple[Server, str, Path]) -> None:
    server, _, _ = desk
    page = visit(browser, server.url)
    assert HOSTILE in titles(page)
    assert page.evaluate("window.pwned") is None
    for name in ("Remove", "Edit", "Refresh"):
        expect(page.get_by_role("button", name=re.compile(f"^{name}"))).to_have_count(0)
    expect(page.locator("#add")).to_be_hidden()
    page.get_by_role("button", name="Sign in as an editor").click()
    page.get_by_label("Token").fill("pq_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Sign in as an editor")).to_be_visible()
    expect(page.locator("#add")).to_be_hidden()
    page.get_by_role("link", name="Bridge").click()
    expect(page.get_by_text("The bridge was opened in 1932.")).to_be_visible()
    page.context.close()


def test_the_table_is_sorted_by_any_column(browser: Browser, desk: tuple[Server, str, Path]) -> None:
    server, _, _ = desk
    page = visit(browser, server.url)
    page.get_by_role("button", name="Words").click()
    assert titles(page)[0] == "Bridge"
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Words")
    page.get_by_role("button", name="Words").click()
    assert titles(page)[-1] == "Bridge"
    page.get_by_role("button", name="Title").click()
    assert titles(page) == sorted(titles(page), key=str.casefold)
    page.context.close()


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_an_editor_adds_renames_and_removes(
    browser: Browser, desk: tuple[Server, str, Path], tmp_path: Path, size: tuple[int, int]
) -> None:
    server, token, _ = desk
    page = visit(browser, server.url, size)
    sign_in(page, token)

    file = tmp_path / "ferry.txt"
    file.write_text(f"Night ferry {size[0]}\n\n{TEXT} The year is {size[0]}.")
    page.locator("#files").set_input_files([file])
    expect(page.locator("#jobs li").first).to_have_class("done", timeout=60_000)
    expect(page.locator("#jobs li").first).to_contain_text("added")
    assert f"Night ferry {size[0]}" in titles(page)

    page.get_by_text("Paste a text").click()
    page.get_by_label("Title (its first line").fill(f"Notes {size[0]}")
    page.get_by_label("Text", exact=True).fill(f"The lamp of {size[0]} is green.")
    page.locator("#paste button").click()
    expect(page.get_by_role("link", name=f"Notes {size[0]}")).to_be_visible(timeout=60_000)

    page.get_by_role("button", name=f"Edit Notes {size[0]}").click()
    page.locator("#new-title").fill(f"Lamps {size[0]}")
    page.get_by_label("Tags").fill("Light, city")
    page.keyboard.press("Enter")
    expect(page.locator("tr", has_text=f"Lamps {size[0]}").locator(".tag")).to_have_text(["city", "light"])
    expect(page.get_by_role("link", name=f"Lamps {size[0]}")).to_be_visible(timeout=60_000)

    page.get_by_label("A web page").fill("http://127.0.0.1/secret")
    page.keyboard.press("Enter")
    expect(page.locator("#jobs li").first).to_have_class("failed", timeout=60_000)
    expect(page.locator("#jobs li").first).to_contain_text("no public address")

    page.get_by_role("button", name=f"Remove Lamps {size[0]}").click()
    assert f"Lamps {size[0]}" not in titles(page)
    page.keyboard.press("Enter")  # the way back has the focus
    assert f"Lamps {size[0]}" in titles(page)
    before = iter([page.evaluate("async () => (await fetch('/api/articles')).text()")] * 3)

    def give_the_list_of_before(route: Route) -> None:
        body = next(before, None)
        route.fulfill(body=body, content_type="application/json") if body else route.continue_()

    page.get_by_role("button", name=f"Remove Lamps {size[0]}").click()
    page.route("**/api/articles", give_the_list_of_before)  # as where the removal comes after it
    page.reload()
    expect(page.locator("#table tbody tr").first).to_be_visible()
    expect(page.get_by_role("link", name=f"Lamps {size[0]}")).to_have_count(0)
    page.context.close()


def test_a_dropped_file_of_another_kind_is_refused_with_what_to_do(
    browser: Browser, desk: tuple[Server, str, Path], tmp_path: Path
) -> None:
    server, token, _ = desk
    page = visit(browser, server.url)
    sign_in(page, token)
    (tmp_path / "table.xlsx").write_bytes(b"PK")
    page.locator("#files").set_input_files([tmp_path / "table.xlsx"])
    expect(page.locator("#message")).to_contain_text("table.xlsx: only .txt")
    page.context.close()


def test_a_token_that_ends_signs_out_and_says_so(browser: Browser, desk: tuple[Server, str, Path]) -> None:
    server, _, store = desk
    library = Library(store)
    tokens = Tokens(library)
    page = visit(browser, server.url)
    sign_in(page, tokens.new("Grace"))
    tokens.remove("Grace")
    library.close()
    page.get_by_role("button", name="Edit Bridge").click()
    page.locator("#new-title").fill("Other")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("token")
    expect(page.get_by_role("button", name="Sign in as an editor")).to_be_visible()
    page.context.close()


def test_an_editor_says_who_sees_an_article_and_takes_it_back(browser: Browser, tmp_path: Path) -> None:
    library = Library(tmp_path / "store")
    put_embedded(library, make_article(TEXT, title="Ferry"))
    library.mark_starter(make_article(ARTICLE_FILE.read_text("utf-8")).sha256)
    people = tmp_path / "people"
    Passwords(people).put("ada", "correct horse", frozenset({"editors"}))
    [(article, _)] = library.articles()
    with serving(library.folder, access="password", passwords=str(people), reader="fast") as server:
        page = browser.new_page()
        page.goto(f"{server.url}/login?next=/articles")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("correct horse")
        page.keyboard.press("Enter")
        row = page.locator("#table tbody tr")
        row.get_by_role("button", name="Share Ferry").click()
        expect(page.locator("#share-says")).to_have_text("For everybody")
        page.get_by_label("Groups").fill(" hr,, the board ")
        expect(page.locator("#share-says")).to_have_text("Only for hr, the board")
        page.keyboard.press("Enter")
        expect(row).to_contain_text("Only for hr, the board")
        assert groups_of(library, article.id) == ["hr", "the board"]
        page.reload()
        expect(row).to_contain_text("Only for hr, the board")
        row.get_by_role("button", name="Share Ferry").click()
        page.get_by_label("Groups").fill("")
        page.keyboard.press("Enter")
        expect(row).not_to_contain_text("Only for")
        assert groups_of(library, article.id) == []
        page.get_by_role("button", name="Undo").click()
        expect(row).to_contain_text("Only for hr, the board")
        assert groups_of(library, article.id) == ["hr", "the board"]
        page.close()
    library.close()

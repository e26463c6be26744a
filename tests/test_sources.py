import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullquote.articles import make_article
from pullquote.errors import ArticleError, FetchError
from pullquote.fetching import Fetcher
from pullquote.sources import MAX_NAME, find_files, has_source, read_bytes, read_file, read_page, reread, shown_name

PAGE = b"""<html><head><title>The tram</title></head><body><nav><a href="/">Home</a></nav><article><h1>The tram</h1>
<p>The tram to the harbour runs every nine minutes, and on Sundays every twenty. It was opened in 1911 by the mayor,
who rode in the first car with his three daughters and a brass band.</p><h2>Fares</h2>
<p>A ride costs four crowns. Children under six ride free, and so do dogs that are carried in a basket.</p>
<table><tr><th>Line</th><th>End</th></tr><tr><td>4</td><td>Harbour</td></tr></table></article></body></html>"""


def test_a_web_page_becomes_an_article_with_its_headings() -> None:
    article = read_bytes(PAGE, "tram.html")
    assert article.title == "The tram"
    assert "runs every nine minutes" in article.text
    assert "Line | End" in article.text
    assert [article.text[heading.start : heading.end] for heading in article.headings][-1] == "Fares"
    fare = article.text.index("four crowns")
    assert article.heading_at(fare) == "Fares"
    assert "Home" not in article.text
    assert read_bytes(PAGE, "tram.html", title="Mine").title == "Mine"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\note.md", "note.md"),
        ("a\x00b\u202egpj.txt", "abgpj.txt"),
        ("line\nbreak.pdf", "linebreak.pdf"),
        ("", "Untitled"),
        ("/", "Untitled"),
        ("x" * 300 + ".pdf", "x" * MAX_NAME + ".pdf"),
        ("Überblick 2026.docx", "Überblick 2026.docx"),
    ],
)
def test_a_name_is_shown_without_folders_and_tricks(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@given(st.text(max_size=400))
def test_any_name_can_be_shown(name: str) -> None:
    shown = shown_name(name)
    assert shown
    assert not re.search(r"[/\\\x00-\x1f\u202a-\u202e\u2066-\u2069]", shown)
    assert len(shown) <= MAX_NAME + 17
    assert shown_name(shown) == shown


def test_what_cannot_be_read_again_is_said(tmp_path: Path) -> None:
    pasted = make_article("Some words.")
    upload = read_bytes(b"Some words.", "note.txt")
    for article in (pasted, upload):
        assert not has_source(article)
        with pytest.raises(ArticleError, match="nothing to read again"):
            reread(article, Fetcher())
    file = tmp_path / "note.txt"
    file.write_text("Some words.")
    from_file = read_file(file)
    assert has_source(from_file)
    file.write_text("Other words.")
    assert reread(from_file, Fetcher(), title="Kept").text == "Other words."
    assert reread(from_file, Fetcher(), title="Kept").title == "Kept"
    file.unlink()
    with pytest.raises(ArticleError, match="No such file"):
        reread(from_file, Fetcher())


class Site(BaseHTTPRequestHandler):
    """A site of a few pages."""

    pages: ClassVar[dict[str, tuple[str, bytes]]] = {
        "/tram": ("text/html; charset=utf-8", PAGE),
        "/note.txt": ("text/plain; charset=iso-8859-1", "Caf\xe9 opens at six.".encode("latin-1")),
        "/read/me": ("text/markdown", b"# Read me\n\nIt is short."),
        "/picture": ("image/png", b"\x89PNG"),
    }

    def do_GET(self) -> None:
        kind, body = self.pages.get(self.path, ("", b""))
        self.send_response(200 if body else 404)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def test_pages_are_read_by_their_content_type() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = f"http://wiki:{server.server_port}"
    fetcher = Fetcher(frozenset({f"wiki:{server.server_port}"}), lambda _host: ["127.0.0.1"])
    try:
        tram = read_page(f"  {site}/tram\n", fetcher)
        assert (tram.title, tram.source) == ("The tram", f"{site}/tram")
        assert has_source(tram)
        assert reread(tram, fetcher).text == tram.text
        assert read_page(f"{site}/note.txt", fetcher).text == "Café opens at six."
        assert read_page(f"{site}/read/me", fetcher).title == "Read me"
        for path in ("/picture", "/gone"):
            with pytest.raises(FetchError):
                read_page(site + path, fetcher)
        with pytest.raises(FetchError, match="is not fetched from"):
            read_page(f"http://127.0.0.1:{server.server_port}/tram", Fetcher(frozenset({"other"})))
    finally:
        server.shutdown()
        server.server_close()


def test_a_folder_stands_for_every_file_that_can_be_read(tmp_path: Path) -> None:
    names = ["a.txt", "b.MD", "c.pdf", "d.docx", "deep/e.html", "f.rtf", "g"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path])]
    assert found == ["a.txt", "b.MD", "c.pdf", "d.docx", "deep/e.html"]

"""Every file of the public corpora ends in text or in an error with what to do: `python -m tests.acceptance.corpora`.

Whether a file holds text is judged by an outsider: `w:t` elements of the document part found by a pattern, pdfium's raw
text, the data that the standard library's HTML parser hands over.
"""

import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import pypdfium2

from pullquote import parsing
from pullquote.datatypes import Article, Quote
from pullquote.errors import ArticleError
from pullquote.sentences import sentence_spans
from pullquote.sources import read_bytes
from tests.conftest import SHARED

LONGEST = 30.0  # seconds a file may take
ENOUGH = 0.95  # share of the files with text that must give text
KINDS = ("pdf", "docx", "html")


@dataclass(frozen=True)
class Outcome:
    """What came of one file."""

    file: str
    kind: str  # "text", "error" or "crash"
    seconds: float
    holds_text: bool
    words_found: float  # share of the outsider's words that are in the article
    literal: bool
    message: str


def judge(path: Path) -> Outcome:
    data, began = path.read_bytes(), time.monotonic()
    kind, message, article = "text", "", None
    try:
        article = read_bytes(data, path.name)
    except ArticleError as error:
        kind, message = "error", str(error)
    except BaseException as error:  # noqa: BLE001 (a crash is what is looked for)
        kind, message = "crash", repr(error)
    seconds = time.monotonic() - began
    words = set(re.findall(r"\w+", OUTSIDERS[path.suffix[1:]](data)))
    found = set(re.findall(r"\w+", article.text)) if article else set[str]()
    share = len(words & found) / len(words) if words else 1.0
    return Outcome(path.name, kind, seconds, bool(words), share, article is None or is_literal(article), message)


def is_literal(article: Article) -> bool:
    """Whether every sentence can be quoted as a slice."""
    spans = [span for paragraph in article.paragraphs for span in sentence_spans(article, paragraph)]
    return all(Quote.cut(1, article, span, span).is_literal(article) for span in spans)


def text_of_docx(data: bytes) -> str:
    try:
        with ZipFile(BytesIO(data)) as archive:
            [main] = [name for name in archive.namelist() if re.fullmatch(r"/?word/document\d*\.xml", name)]
            xml = archive.read(main).decode("utf-8", "replace")
    except (BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError):
        return ""
    return " ".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", xml))


def text_of_pdf(data: bytes) -> str:
    try:
        pdf = pypdfium2.PdfDocument(data)
        return " ".join(page.get_textpage().get_text_range() for page in pdf)
    except pypdfium2.PdfiumError:
        return ""


class _Data(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.hidden += tag in ("script", "style", "head", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "head", "title") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.seen.append(data)


def text_of_html(data: bytes) -> str:
    parser = _Data()
    parser.feed(data.decode("utf-8", "ignore"))
    return " ".join(parser.seen)


OUTSIDERS: dict[str, Callable[[bytes], str]] = {"pdf": text_of_pdf, "docx": text_of_docx, "html": text_of_html}


def controls() -> list[str]:
    """Parsers that crash, hang or say nothing, in the child's place: each must end as an error, and in time."""
    silent = []
    executable = sys.executable
    for what in ("kill -SEGV $$", "sleep 100", "echo no json", "exit 0"):
        script = Path(tempfile.gettempdir()) / f"pullquote-control-{time.monotonic_ns()}"
        script.write_text(f"#!/bin/sh\n{what}\n")
        script.chmod(0o700)
        sys.executable, wall = str(script), parsing.WALL
        parsing.WALL = 1.0
        try:
            read_bytes(b"%PDF", "control.pdf")
            silent.append(what)
        except ArticleError:
            pass
        finally:
            sys.executable, parsing.WALL = executable, wall
            script.unlink()
    return silent


def main() -> int:
    folder = SHARED / "corpora"
    if not folder.is_dir():
        sys.stdout.write("skipped: the corpora are not here\n")
        return 0
    silent = controls()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = [judge(path) for kind in KINDS for path in sorted((folder / kind).iterdir())]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for outcome in outcomes:
        if outcome.holds_text and (outcome.kind != "text" or outcome.words_found < 0.8):
            sys.stdout.write(
                f"{outcome.kind} {outcome.words_found:.0%} of the words: {outcome.file} {outcome.message}\n"
            )
    with_text = [outcome for outcome in outcomes if outcome.holds_text]
    given = sum(outcome.kind == "text" for outcome in with_text)
    slow = max(outcomes, key=lambda outcome: outcome.seconds)
    counts = Counter(outcome.kind for outcome in outcomes)
    loose = sum(not outcome.literal for outcome in outcomes)
    sys.stdout.write(
        f"files {len(outcomes)}, text {counts['text']}, errors {counts['error']}, crashes {counts['crash']}; "
        f"text from {given} of the {len(with_text)} that hold text ({given / len(with_text):.1%}); "
        f"slowest {slow.seconds:.1f} s ({slow.file}); not literal {loose}; memory grew {grown:.0f} MB; "
        f"silent controls {len(silent)}\n"
    )
    good = not counts["crash"] and slow.seconds <= LONGEST and given >= ENOUGH * len(with_text) and not loose
    return 0 if good and not silent else 1


if __name__ == "__main__":
    sys.exit(main())

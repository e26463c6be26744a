"""The child process: what it brings back, and every way in which it may die, with real processes."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pullquote import parsing
from pullquote.errors import ArticleError, FormatError
from pullquote.formats import parse
from pullquote.parsing import parse_contained
from tests.documents import docx, paragraph, pdf_of

PDF = pdf_of([[(60, 700, 11, "The harbour of Veldt was dug in 1902.")], [(60, 700, 11, "It is deep.")]])
WORD = docx(paragraph(b"The tram runs every nine minutes."))
PAGE = "<html><body><p>Der Hafen öffnet früh.</p></body></html>".encode("iso-8859-1")


@pytest.fixture
def children() -> Iterator[None]:
    yield
    with pytest.raises(ChildProcessError):  # each child was waited for
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    ("data", "name", "charset"), [(PDF, "a.PDF", None), (WORD, "a.docx", None), (PAGE, "a.htm", "iso-8859-1")]
)
def test_a_child_finds_what_the_parser_finds(data: bytes, name: str, charset: str | None) -> None:
    assert parse_contained(data, name, charset) == parse(data, Path(name).suffix.lower(), charset)


def test_a_parser_s_own_refusal_comes_through_with_the_file_s_name() -> None:
    with pytest.raises(FormatError, match=r"^scan\.pdf: there is no text in it, so it seems to be a scan"):
        parse_contained(pdf_of([[]]), "scan.pdf")


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A program in the interpreter's place, which does what a parser must not."""
    program = tmp_path / "parser"
    program.write_text(f"#!{sys.executable}\nimport os, resource, signal, sys, time\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "damaged"),
        ("sys.exit(3)", "damaged"),
        ("raise ValueError('secret')", "damaged"),
        ("", "damaged"),
        ("print('{}')", "damaged"),
        ("print('[1]')", "damaged"),
        ('print(\'{"title": "", "blocks": [["", 0, null]]}\')', "damaged"),
        ("raise MemoryError", "1 GB"),
        ("import nothing_of_that_name", "missing"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "longer than"),
    ],
)
def test_every_death_of_a_child_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, says: str
) -> None:
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(FormatError, match=rf"^report\.pdf: .*{says}.*[;,] ") as caught:
        parse_contained(PDF, "report.pdf")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_child_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    pids = tmp_path / "pids"
    stand_in(
        tmp_path,
        monkeypatch,
        f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\nchild = os.fork()\n"
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)",
    )
    monkeypatch.setattr(parsing, "WALL", 60.0 if is_cancelled else 1.5)
    cancel = threading.Event()
    if is_cancelled:
        threading.Timer(1.0, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(ArticleError, match="cancelled" if is_cancelled else "longer than"):
        parse_contained(PDF, "report.pdf", cancel=cancel)
    assert time.monotonic() - began < 20
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) == 2
    until = time.monotonic() + 10
    while any(is_running(pid) for pid in started):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_child_s_priority_counts_against_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    stand_in(tmp_path, monkeypatch, f"open({str(seen)!r}, 'w').write(f'{{os.getsid(0)}} {{os.getpgid(0)}}')")
    with pytest.raises(FormatError):
        parse_contained(PDF, "report.pdf")
    session, group = map(int, seen.read_text().split())
    assert session == os.getsid(0)  # Linux shares the processor between sessions before it looks at priorities
    assert group != os.getpgid(0)  # and what the child starts can be ended with it


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        ("bytearray(2 << 30)", "1 GB"),
        ("while True: pass", "longer than"),
        ("open('/proc/self/fd/1', 'wb').write(bytes(100_000_000))", "bytes of text"),
    ],
    ids=["memory", "processor", "output"],
)
def test_the_limits_hold_in_the_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempt: str, says: str) -> None:
    monkeypatch.setattr(parsing, "CPU", 1)
    stand_in(
        tmp_path,
        monkeypatch,
        f"sys.path.insert(0, {str(Path(parsing.__file__).parent.parent)!r})\nfrom pullquote import parsing\n"
        f"parsing.CPU = 1\nparsing._limit_this_process()\n{attempt}",
    )
    with pytest.raises(FormatError, match=says):
        parse_contained(PDF, "report.pdf")


def test_what_a_parser_prints_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(
        tmp_path,
        monkeypatch,
        f"sys.path.insert(0, {str(Path(parsing.__file__).parent.parent)!r})\nfrom pullquote import formats, parsing\n"
        "def parse(*_):\n    print('I print'); os.write(1, b'so do I')\n"
        "    return formats.Document('T', (formats.Block('x'),))\n"
        "parsing.parse = parse\nparsing._main('.pdf', '')",
    )
    assert parse_contained(PDF, "report.pdf").title == "T"

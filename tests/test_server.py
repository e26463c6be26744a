"""The app as a process: what it loads, what it needs, and that it works with no network at all."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pullquote.datatypes import Article
from tests.conftest import PROJECT, needs_shared
from tests.serving import Server, serving

ASK = "Who was the first to report the intelligence discovery?"


@pytest.fixture(scope="module")
def server(store: Path) -> Iterator[Server]:
    with serving(store) as server:
        yield server


def ask(url: str, question: str) -> tuple[int, dict[str, Any]]:
    body = json.dumps({"question": question}).encode()
    request = urllib.request.Request(f"{url}/api/ask", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_server_answers_without_torch(server: Server) -> None:
    assert ask(server.url, ASK)[1]["text"] == "The New York Times"
    mapped = Path(f"/proc/{server.pid}/maps").read_text()
    assert "onnxruntime" in mapped  # the control: what is loaded does show here
    assert "torch" not in mapped


def test_naughty_strings_as_questions_never_break_it(store: Path, article: Article) -> None:
    """All of them, by the small reader, which is the quicker; a part is asked of the large one in `test_answering`."""
    strings = json.loads(needs_shared("corpora/naughty-strings.json").read_text())
    with serving(store, reader="fast") as server, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: ask(server.url, text), strings))
        assert ask(server.url, ASK)[0] == 200
    assert len(found) == 515
    assert {code for code, _ in found} == {200, 422}
    quotes = [
        quote for code, answer in found if code == 200 for quote in [*answer["quotes"], answer["closest"]] if quote
    ]
    assert len(quotes) > 200
    assert all(article.text[quote["start"] : quote["end"]] == quote["text"] for quote in quotes)


def test_visitors_at_the_same_time_get_their_own_answers(server: Server) -> None:
    expected = {
        ASK: "The New York Times",
        "Which drones did Russia pick up?": "Mohajer-6",
        "Whom did North Korea blame for the Ukraine issue?": "the United States",
    }
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda question: (question, ask(server.url, question)[1]["text"]), list(expected) * 6))
    assert all(expected[question] in text for question, text in answers)


def test_it_works_where_only_the_loopback_exists(store: Path, tmp_path: Path) -> None:
    """The app and its asker in a network namespace of their own; the index is built there anew."""
    shutil.copytree(store, tmp_path / "store")
    for cache in (tmp_path / "store").glob("vectors.*"):
        cache.unlink()
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no network namespaces; it runs in CI")
    command = ["unshare", "-rn", sys.executable, "-m", "tests.alone", str(tmp_path / "store"), ASK]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=300)
    assert done.stdout == "The New York Times", done.stderr

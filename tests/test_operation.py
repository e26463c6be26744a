"""The app as an operator runs it: it ends in order, and sees what another process changes."""

import json
import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from pullquote.articles import make_article
from pullquote.library import Library
from tests.building import put_embedded
from tests.serving import serving
from tests.test_server import ASK, ask


def test_it_ends_when_the_answers_under_way_are_given(store: Path, tmp_path: Path) -> None:
    """SIGTERM while several wait: each gets its whole answer, the log is JSON to its last line, and all is closed."""
    shutil.copytree(store, tmp_path / "store")
    with serving(tmp_path / "store", log="json", reader="fast") as server, ThreadPoolExecutor(3) as pool:
        ask(server.url, ASK)
        connections = [HTTPConnection(urlsplit(server.url).netloc, timeout=60) for _ in range(3)]
        for connection in connections:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        for connection in connections:  # each on a connection that is open, and sent before the signal
            body = json.dumps({"question": ASK, "history": []})
            connection.request("POST", "/api/ask", body, {"content-type": "application/json"})
        os.kill(server.pid, signal.SIGTERM)
        answers = list(pool.map(lambda connection: json.load(connection.getresponse()), connections))
        assert [answer["text"] for answer in answers] == ["The New York Times"] * 3
        until = time.monotonic() + 30
        while Path(f"/proc/{server.pid}/stat").read_text().split()[2] != "Z":
            assert time.monotonic() < until, "it did not end"
            time.sleep(0.05)
        for connection in connections:
            connection.close()
        events = [json.loads(line) for line in server.log.read_text().splitlines()]
    told = [event for event in events if event["event"] == "question"]
    assert [event["characters"] for event in told] == [len(ASK)] * 4
    assert len({event["request_id"] for event in told}) == 4
    assert not list((tmp_path / "store").glob("*-wal")), "the library was not closed"
    assert ASK not in json.dumps(events)


def test_articles_that_another_process_adds_are_asked_at_once(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "store")
    heron = make_article("A heron named Grus nested on the town hall. It left in May.", title="Heron")
    with serving(tmp_path / "store", reader="fast") as server, closing(Library(tmp_path / "store")) as library:
        put_embedded(library, heron)
        assert "Grus" in ask(server.url, "Which heron nested on the town hall?")[1]["quotes"][0]["text"]
        library.remove(heron.id)
        assert "Grus" not in json.dumps(ask(server.url, "Which heron nested on the town hall?")[1])

"""Ten secrets that may not show in the log, nor in the body of an error: `python -m tests.acceptance.secrets`.

Line ends in whatever a visitor sends may not make a line of the log. The control is the same server with
PULLQUOTE_LOG_QUESTIONS=true, whose log must hold the question.
"""

import json
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pullquote.library import FILE_NAME, Library
from pullquote.sources import read_file
from pullquote.tokens import Tokens
from pullquote.vector_index import VectorIndex
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.serving import Server, serving

PATIENCE = 300.0  # seconds for an answer
FORGED = '\r\n{"time": "2026-01-01", "level": "error", "event": "forged"}\r\n'
PLANTED = (
    "a question",
    "an earlier question",
    "a body that is no JSON",
    "a field of the wrong kind",
    "a pasted text",
    "a file that cannot be read",
    "a password in an address",
    "a wrong token",
    "a query string",
    "the key of the language model",
)
SECRETS = {what: f"Zq{number}xSecret{number}Wv" for number, what in enumerate(PLANTED)}


@dataclass
class Caller:
    """Sends requests and keeps the bodies of all that were errors."""

    server: Server
    token: str
    sent: int = 0
    errors: str = ""

    def send(self, path: str, body: bytes | dict[str, object] | None = None, **headers: str) -> int:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"content-type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        self.sent += 1
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.server.url + path, data, sent), timeout=PATIENCE
            ) as got:
                got.read()
                return int(got.status)
        except urllib.error.HTTPError as error:
            with error:
                self.errors += f"{error.code} {error.read().decode()} {error.headers}\n"
                return error.code


def plant(caller: Caller) -> list[int]:
    """Every secret sent where it belongs, and line ends wherever they can stand."""
    secret, token = SECRETS, {"authorization": f"Bearer {caller.token}"}
    question = f"Who is {secret['a question']}{FORGED}?"
    history = [f"Where is {secret['an earlier question']}{FORGED}?"]
    file = b"%PDF-1.4 " + secret["a file that cannot be read"].encode()
    address = f"http://user:{secret['a password in an address']}@127.0.0.1/page"
    text = f"{secret['a pasted text']}{FORGED}"
    return [
        caller.send("/api/ask", {"question": question, "history": history}),
        caller.send("/api/v1/ask", {"question": question, "history": history}, accept="text/event-stream"),
        caller.send("/api/ask", b'{"question": "' + secret["a body that is no JSON"].encode()),
        caller.send("/api/ask", {"question": {"x": secret["a field of the wrong kind"]}}),
        caller.send("/api/ask", {"question": [secret["a field of the wrong kind"]], "history": 3}),
        caller.send("/gradio_api/queue/join", {"data": [question], "fn_index": 0, "session_hash": FORGED}),
        caller.send("/gradio_api/queue/join", {"data": question, "fn_index": 10**9}),
        caller.send("/api/articles", {"text": text, "title": {"x": text}}, **token),
        caller.send("/api/articles", {"text": "\x00\x01" + " " * 9, "title": text}, **token),
        caller.send(f"/api/articles?wait=1&name={quote(FORGED)}x.pdf", file, **token),
        caller.send("/api/articles?wait=1", {"url": address}, **token),
        caller.send("/api/articles", {"text": "x"}, authorization=f"Bearer {secret['a wrong token']}"),
        caller.send(f"/articles/nothing?quote={secret['a query string']}&x={quote(FORGED)}"),
        caller.send(f"/nope{quote(FORGED)}?{secret['a query string']}"),
        caller.send("/healthz", None, x_request_id="forged%0d%0aline", cookie=f"x={secret['a wrong token']}"),
    ]


def break_library(server: Server, caller: Caller, folder: Path) -> int:
    """A failure that nobody expects while a question is read."""
    for extra in ("", "-wal", "-shm"):
        path = folder / (FILE_NAME + extra)
        if path.exists():
            path.write_bytes(b"no database" * 1000)
    assert server.pid
    return caller.send("/api/ask", {"question": f"Which {SECRETS['a question']} was it{FORGED}?"})


def run(store: Path, token: str, folder: Path, **settings: str) -> tuple[str, Caller, list[int]]:
    """The log, what was sent, and the codes."""
    shutil.copytree(store, folder)
    model = {"llm_url": "http://127.0.0.1:9/v1", "llm_model": "m", "llm_key": SECRETS["the key of the language model"]}
    with serving(folder, log="json", **model, **settings) as server:
        caller = Caller(server, token)
        codes = plant(caller)
        codes.append(break_library(server, caller, folder))
        log = server.log.read_text(errors="replace")
    return log, caller, codes


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        store = Path(name, "store")
        with closing(Library(store)) as library, closing(Tokens(library)) as tokens:
            article = read_file(ARTICLE_FILE)
            put_embedded(library, article)
            library.mark_starter(article.sha256)
            VectorIndex.build(library)
            token = tokens.new("Ada")
        log, caller, codes = run(store, token, Path(name, "one"))
        opted, _, _ = run(store, token, Path(name, "two"), log_questions="true")
    hidden = SECRETS | {"the editor's token": token}
    logged = [what for what, secret in hidden.items() if secret in log]
    shown = [what for what, secret in hidden.items() if secret in caller.errors]
    events, loose = [], []
    for line in log.splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            loose.append(line)
    requests = sum(event["event"] == "request" for event in events)
    forged = sum(event["event"] == "forged" for event in events) + len(loose)
    control = SECRETS["a question"] in opted
    sys.stdout.write(
        f"{len(SECRETS)} secrets in {caller.sent} requests {codes}: in the log {len(logged)} {logged}, in bodies of "
        f"errors {len(shown)} {shown}; {len(log.splitlines())} lines, {requests} of requests, {forged} forged "
        f"{loose[:5]}; control {control}\n"
    )
    return 0 if not logged and not shown and not forged and requests == caller.sent and control else 1


if __name__ == "__main__":
    sys.exit(main())

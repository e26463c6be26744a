"""Language model endpoints that are slow, broken or endless, behind the real app: who asks gets the usual answer.

`python -m tests.acceptance.hostile`: nine behaviours, the limits as they are, over HTTP. No 5xx, every quote a slice of
the file, at most 20 seconds. The control is a good endpoint, whose words must be shown.
"""

import json
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from pullquote.articles import make_article
from pullquote.library import Library
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.endpoints import HOSTILE, Body, saying, serving_model
from tests.serving import serving

ASK = "Who was the first to report the intelligence discovery?"
GOOD = "The New York Times was the first to report the discovery. [1]"
LIMIT = 20.0  # seconds
PATIENCE = 60.0


def main() -> int:
    behaviours = {"good": saying(GOOD)} | HOSTILE
    now = ["good"]

    def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
        behaviours[now[0]](handler, body)

    failed, text = 0, ARTICLE_FILE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder, serving_model(behave) as endpoint:
        with closing(Library(Path(folder))) as library:
            article = make_article(text)
            put_embedded(library, article)
            library.mark_starter(article.sha256)
        with serving(Path(folder), llm_url=endpoint.url, llm_model="m") as server:
            body, kind = json.dumps({"question": ASK}).encode(), {"content-type": "application/json"}
            for name in behaviours:
                now[0] = name
                began = time.monotonic()
                asked = urllib.request.Request(f"{server.url}/api/v1/ask", body, kind)
                with urllib.request.urlopen(asked, timeout=PATIENCE) as reply:  # raises for a 5xx
                    status, answer = reply.status, json.load(reply)
                took = time.monotonic() - began
                literal = all(text[quote["start"] : quote["end"]] == quote["text"] for quote in answer["quotes"])
                worded = (answer["worded_by"] == "m") is (name == "good")
                good = status == 200 and literal and worded and took <= LIMIT and "New York Times" in answer["text"]
                failed += not good
                sys.stdout.write(f"{name:16} {status} in {took:4.1f} s, {answer['text']!r} {'' if good else 'WRONG'}\n")
    sys.stdout.write(f"behaviours {len(HOSTILE)} and a good one; not as they should be: {failed}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

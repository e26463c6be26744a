"""Every route and method, called by pages of other origins: `python -m tests.acceptance.origins`.

A page whose origin is not listed gets 403, or 404 at a shut door, and no handler runs: a counter stands innermost,
right before them. The controls: calls without an Origin run it, and without the guard a foreign page's calls do.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.web.security import FOR_EVERYONE, Guard, is_shut
from tests.building import put_embedded
from tests.conftest import open_settings
from tests.whole import client_of

HOST, LISTED = "ask.corp.example", "https://intranet.example"
OWN = f"http://{HOST}"
FOREIGN = {
    "evil": "https://evil.example",
    "null": "null",
    "sibling": "https://other.corp.example",
    "look-alike": "https://intranet.example.evil.example",
    "look-alike of the app": f"http://{HOST}.evil.example",
    "other port": f"http://{HOST}:8080",
    "other scheme of what is listed": "http://intranet.example",
}
ENDLESS = ("/gradio_api/queue/data", "/gradio_api/heartbeat")  # never end for who may call; their refusal is tried
LIMITS: dict[str, Any] = {"hosts": HOST, "embed_origins": LISTED}


class Ran:
    """Counts what reaches the handlers, and answers for them: it is about who comes so far."""

    calls = 0

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        Ran.calls += scope["type"] == "http"
        await self.app(scope, receive, send)


def routes(found: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path there is, mounts looked into; a parameter is some value."""
    for route in found:
        path = prefix + re.sub(r"\{[^}]*\}", "x", getattr(route, "path", ""))
        inner = getattr(getattr(route, "app", None), "routes", None)
        if isinstance(route, Mount):
            yield from routes(inner or [], path) if inner else [("GET", f"{path}/page.css")]
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router.routes, prefix)
        else:
            yield from ((method, path or "/") for method in sorted(getattr(route, "methods", None) or {"GET"}))


def call(client: TestClient, method: str, path: str, origin: str | None, site: str | None = None) -> tuple[int, bool]:
    """The status, and whether a handler ran."""
    before = Ran.calls
    headers = {name: value for name, value in (("origin", origin), ("sec-fetch-site", site)) if value}
    response = client.request(method, path, headers=headers, json={} if method not in {"GET", "HEAD"} else None)
    return response.status_code, Ran.calls > before


def main() -> int:
    faults, counts, caught = list[str](), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        put_embedded(library, make_article("The ferry leaves at seven. Its captain is Tamm."))
        assistant = Assistant.open(library, open_settings(reader="fast"))
        with client_of(assistant, url=OWN, **LIMITS) as client:
            app: Any = client.app
            app.user_middleware.append(Middleware(Ran))  # innermost
            app.middleware_stack = None  # is made anew at the next request
            every = sorted(set(routes(app.routes)))
            for method, path in every:
                for kind, origin in FOREIGN.items():
                    status, ran = call(client, method, path, origin, "cross-site" if kind != "sibling" else "same-site")
                    counts[kind] += 1
                    is_refused = status == (404 if is_shut(path) else 403) and not ran
                    if path not in FOR_EVERYONE and not is_refused:
                        faults.append(f"{kind}: {method} {path} -> {status}, ran: {ran}")
                listed = call(client, method, path, LISTED, "cross-site")
                counts["listed and let in"] += listed[1]
                for kind, own in (("own", OWN), ("absent", None)):
                    if path.startswith(ENDLESS):
                        continue
                    status, ran = call(client, method, path, own)
                    counts[f"{kind} and let in"] += ran
                    if status == 403 or (not ran and not is_shut(path)):
                        faults.append(f"{kind}: {method} {path} -> {status}, ran: {ran}")
        with client_of(assistant, url=OWN, **LIMITS) as client:
            bare: Any = client.app
            bare.user_middleware = [one for one in bare.user_middleware if one.cls is not Guard] + [Middleware(Ran)]
            bare.middleware_stack = None
            caught = sum(
                call(client, method, path, FOREIGN["evil"], "cross-site")[1]
                for method, path in every
                if not path.startswith(ENDLESS) and not is_shut(path)
            )
        library.close()
    sys.stdout.write(
        f"{len(every)} routes and methods; {dict(counts)}; for everyone: {sorted(FOR_EVERYONE)}; faults {len(faults)} "
        f"{faults[:8]}; control without the guard: {caught} of a foreign page's calls ran\n"
    )
    return 0 if len(every) > 50 and not faults and caught > 40 and counts["absent and let in"] > 40 else 1


if __name__ == "__main__":
    sys.exit(main())

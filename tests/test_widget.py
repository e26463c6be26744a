"""What is said to pages of other origins: the script, whether they are listed, who may frame and who may ask."""

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.origins import Origins
from pullquote.web.widget import why
from tests.test_visitors import SECRET, soon, token
from tests.whole import client_of

APP = "https://ask.corp.example"
LISTED = ("https://intranet.example", "https://a.b.corp.example")
OTHERS: tuple[str, ...] = (
    "https://evil.example",
    "https://evilcorp.example",
    "https://intranet.example.evil.example",
    "null",
)
OTHERS += ("http://intranet.example", "https://intranet.example:8443", "https://corp.example", "", "*", "https://[")
ASK = {"question": "Who was the first to report the intelligence discovery?"}


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    listed = "https://intranet.example https://*.corp.example"
    settings: dict[str, Any] = {"hosts": "*.corp.example", "embed_origins": listed, "rate": 3}
    settings["embed_secret"] = SecretStr(SECRET)
    with client_of(assistant, url=APP, follow_redirects=True, **settings) as client:
        yield client


def ancestors(policy: str) -> str:
    return policy.rpartition("frame-ancestors ")[2]


def test_only_the_embedded_page_may_be_framed_and_only_by_what_is_listed(client: TestClient) -> None:
    policy = client.get("/embed").headers["content-security-policy"]
    assert ancestors(policy) == "'self' https://intranet.example https://*.corp.example"
    for path in ("/", "/read", "/articles", "/widget.js", "/embed/allowed", "/embed/", "/embedded", "/api/ask"):
        assert ancestors(client.get(path).headers["content-security-policy"]) == "'none'"


def test_it_is_the_same_page(client: TestClient) -> None:
    page, embedded = client.get("/"), client.get("/embed", params={"host": LISTED[0]})
    assert embedded.status_code == page.status_code == 200
    assert [line for line in embedded.text.splitlines() if "window.gradio_config" not in line] == [
        line for line in page.text.splitlines() if "window.gradio_config" not in line
    ]


@pytest.mark.parametrize("origin", [*LISTED, APP])
def test_a_listed_page_is_served(client: TestClient, origin: str) -> None:
    assert client.get("/embed", params={"host": origin}).status_code == 200


@pytest.mark.parametrize("origin", OTHERS)
def test_another_page_is_refused_before_any_handler(client: TestClient, origin: str) -> None:
    response = client.get(f"/embed?host={quote(LISTED[0])}&host={quote(origin)}" if origin else "/embed?host=%20")
    assert response.status_code == 403
    assert "PULLQUOTE_EMBED_ORIGINS" in response.json()["detail"]
    assert ancestors(response.headers["content-security-policy"]) == "'none'"
    refused = client.post("/api/ask", json=ASK, headers={"origin": origin, "sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_page_may_ask_and_nothing_else(client: TestClient, origin: str) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    preflight = client.options("/api/ask", headers={"origin": origin, **asked})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    foreign = {"origin": origin, "sec-fetch-site": "cross-site"}
    answer = client.post("/api/v1/ask", json=ASK, headers=foreign)
    assert answer.json()["text"] == "The New York Times"
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in answer.headers
    for path in ("/api/articles", "/gradio_api/queue/join"):
        assert client.post(path, json={}, headers=foreign).status_code == 403


def test_over_the_limit_a_listed_page_can_read_when_to_come_back(client: TestClient) -> None:
    answers = [client.post("/api/ask", json=ASK, headers={"origin": LISTED[0]}) for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert answers[-1].headers["access-control-allow-origin"] == LISTED[0]
    assert "retry-after" in answers[-1].headers["access-control-expose-headers"]


def test_visitors_with_tokens_are_counted_by_name(client: TestClient) -> None:
    """One address, three questions a minute for each name; who signs nothing is counted by the address."""

    def ask(visitor: str | None) -> int:
        headers = {"x-pullquote-visitor": visitor} if visitor is not None else {}
        return client.post("/api/ask", json=ASK, headers=headers).status_code

    ada, bob = token(sub="ada", exp=soon()), token(sub="bob", exp=soon())
    assert [ask(ada) for _ in range(4)] == [200, 200, 200, 429]
    assert [ask(token(sub="ada", exp=soon(300))), ask(bob)] == [429, 200]
    expired = client.post("/api/ask", json=ASK, headers={"x-pullquote-visitor": token(sub="ada", exp=soon(-60))})
    assert expired.status_code == 401
    assert "expired" in expired.json()["detail"]
    assert [ask(""), ask("x" * 5_000)] == [401, 401]


def test_the_log_names_who_is_vouched_for_and_nobody_else(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pullquote")
    for headers in ({"x-pullquote-visitor": token(sub="eve", exp=soon())}, {"x-pullquote-visitor": "eve"}, {}):
        client.get("/healthz", headers=headers)
    fields = [vars(record)["fields"] for record in caplog.records if record.getMessage() == "request"]
    assert [found.get("visitor") for found in fields] == ["eve", None, None]


@pytest.mark.parametrize("origin", [*LISTED, *OTHERS])
def test_every_page_is_told_about_itself(client: TestClient, origin: str) -> None:
    headers = {"origin": origin, "sec-fetch-site": "cross-site"}
    told = client.get("/embed/allowed", headers=headers)
    assert told.headers["access-control-allow-origin"] in {"*", origin}
    assert told.json()["allowed"] == (origin in LISTED)
    assert origin in LISTED or origin == "null" or origin in told.json()["why"]
    script = client.get("/widget.js", headers=headers)
    assert script.status_code == 200
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["access-control-allow-origin"] in {"*", origin}


def test_where_people_sign_in_a_listed_page_is_told_so() -> None:
    listed = Origins.parse(LISTED[0])
    assert "PULLQUOTE_ACCESS=open" in why(LISTED[0], listed, is_open=False)
    assert "PULLQUOTE_EMBED_ORIGINS" in why("https://evil.example", listed, is_open=False)


def test_a_page_over_the_other_scheme_is_told_which(client: TestClient) -> None:
    why = client.get("/embed/allowed", headers={"origin": "http://intranet.example"}).json()["why"]
    assert "over https only" in why
    assert "https://intranet.example" in why

"""Access modes through the whole app: who comes in, as whom, and how they leave. OIDC against a real provider."""

import re
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest
from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.people import Passwords
from pullquote.sessions import Sessions
from pullquote.tokens import Tokens
from tests.whole import client_of

ASK = {"question": "Who was the first to report the intelligence discovery?"}
PASSWORD = "correct horse"
PAGE = {"accept": "text/html"}
JOIN = "/gradio_api/queue/join"
ADDRESSES = count(1)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("access") / "people"
    for name, groups in (("ada", {"editors"}), ("bob", {"hr"}), ("eve", {"admins"})):
        Passwords(path).put(name, PASSWORD, frozenset(groups))
    return path


@pytest.fixture(scope="module")
def client(assistant: Assistant, people: Path) -> Iterator[TestClient]:
    with client_of(assistant, access="password", passwords=people, proxies="198.51.100.1") as client:
        yield client


@pytest.fixture(autouse=True)
def forget(request: pytest.FixtureRequest) -> None:
    if "client" in request.fixturenames:
        request.getfixturevalue("client").cookies.clear()


def sign_in(client: TestClient, name: str, onward: str = "/") -> Any:
    """The answer to a right password, given from an address of its own: tries are counted."""
    said = {"x-forwarded-for": f"203.0.113.{next(ADDRESSES)}"}
    return client.post("/login", data={"name": name, "password": PASSWORD, "next": onward}, headers=said)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/ask"),
        ("POST", JOIN),
        ("GET", "/gradio_api/queue/data"),
        ("GET", "/config"),
        ("GET", "/"),
        ("GET", "/read"),
        ("GET", "/articles"),
        ("GET", "/articles/x"),
        ("GET", "/api/articles"),
        ("DELETE", "/api/articles/x"),
        ("GET", "/theme.css"),
        ("GET", "/a-route-of-tomorrow"),
        ("GET", "/loginx"),
        ("GET", "//login"),
    ],
)
def test_who_has_not_signed_in_gets_nowhere(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, f"http://pullquote.test{path}", json=ASK if method == "POST" else None)
    assert response.status_code == 401
    assert "sign in" in response.json()["detail"]


def test_a_person_is_shown_the_login_page_and_then_what_was_wanted(client: TestClient) -> None:
    sent = client.get("/articles/x?quote=1-2", headers=PAGE)
    assert sent.status_code == 303
    page = client.get(sent.headers["location"], headers=PAGE)
    assert page.status_code == 200
    onward = re.search(r'name="next" value="([^"]*)"', page.text)
    assert onward
    assert onward[1] == "/articles/x?quote=1-2"
    response = sign_in(client, "bob", onward[1])
    assert (response.status_code, response.headers["location"]) == (303, "/articles/x?quote=1-2")
    assert client.post("/api/ask", json=ASK).json()["text"] == "The New York Times"


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\r\nx: y", "x"])
def test_nobody_is_sent_elsewhere(client: TestClient, onward: str) -> None:
    assert sign_in(client, "bob", onward).headers["location"] == "/"


def test_a_wrong_password_is_said_and_too_many_are_stopped(assistant: Assistant, people: Path) -> None:
    with client_of(assistant, access="password", passwords=people) as client:
        for number in range(30):
            name = ("bob", "nobody")[number % 2]
            response = client.post("/login", data={"name": name, "password": "wrong horse"})
            assert "set-cookie" not in response.headers
            if response.status_code == 429:
                break
            assert response.status_code == 401
            assert "do not fit together" in response.text
        assert 10 <= number < 29
        assert "Too many tries" in response.text


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    plain = sign_in(client, "bob").headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= {part.strip() for part in plain.split(";")}
    assert "secure" not in plain
    secure = client.post("https://pullquote.test/login", data={"name": "bob", "password": PASSWORD})
    assert "secure" in secure.headers["set-cookie"].lower()


def test_a_planted_session_is_not_taken_over(client: TestClient) -> None:
    client.cookies.set("pullquote_session", "planted-by-somebody-else")
    assert client.post("/api/ask", json=ASK).status_code == 401
    assert "planted" not in sign_in(client, "bob").headers["set-cookie"]
    client.cookies.clear()
    client.cookies.set("pullquote_session", "planted-by-somebody-else")
    assert client.post("/api/ask", json=ASK).status_code == 401


def test_signing_out_ends_the_session_on_the_server(client: TestClient) -> None:
    key = sign_in(client, "bob").cookies["pullquote_session"]
    assert client.post("/logout").status_code == 303
    client.cookies.set("pullquote_session", key)
    assert client.post("/api/ask", json=ASK).status_code == 401


def test_roles_decide_what_one_may_do(client: TestClient) -> None:
    sign_in(client, "bob")
    assert client.get("/api/articles").status_code == 200
    assert client.delete("/api/articles/x").status_code == 403
    for name in ("ada", "eve"):
        sign_in(client, name)
        assert client.delete("/api/articles/x").status_code == 404  # allowed, but there is none
    assert "data-editor" in client.get("/articles").text


def test_who_is_taken_out_of_the_file_is_out_at_once(client: TestClient, people: Path) -> None:
    Passwords(people).put("guest", PASSWORD, frozenset())
    sign_in(client, "guest")
    assert client.get("/api/articles").status_code == 200
    Passwords(people).remove("guest")
    assert client.get("/api/articles").status_code == 401


def test_an_editors_token_comes_in_without_a_session(client: TestClient, assistant: Assistant) -> None:
    with closing(Tokens(assistant.library)) as tokens:
        bearer = {"authorization": f"Bearer {tokens.new('script')}"}
        assert client.delete("/api/articles/x", headers=bearer).status_code == 404
        tokens.remove("script")
    assert client.delete("/api/articles/x", headers=bearer).status_code == 401


def test_sessions_of_another_mode_are_worth_nothing(client: TestClient, assistant: Assistant) -> None:
    with closing(Sessions(assistant.library)) as sessions:
        client.cookies.set("pullquote_session", sessions.new({"by": "oidc", "name": "eve", "groups": ["admins"]}, 60))
    assert client.get("/api/articles").status_code == 401


def test_a_proxys_word_counts_and_nobody_elses(assistant: Assistant) -> None:
    said = {"x-forwarded-user": "ada", "x-forwarded-groups": "hr, editors"}
    with client_of(assistant, "10.0.0.2", access="proxy", proxies="10.0.0.2") as client:
        assert client.get("/api/articles").status_code == 401
        assert client.delete("/api/articles/x", headers=said).status_code == 404
        assert client.delete("/api/articles/x", headers=said | {"x-forwarded-groups": "hr"}).status_code == 403
    with client_of(assistant, "10.0.0.3", access="proxy", proxies="10.0.0.2") as client:
        assert client.get("/api/articles", headers=said).status_code == 401
        assert client.get("/", headers=said | PAGE).status_code == 401
    with client_of(assistant, "10.0.0.2", access="open", proxies="10.0.0.2") as client:
        assert client.delete("/api/articles/x", headers=said).status_code == 401  # another mode


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    claims = {"preferred_username": "ada", "groups": ["editors", 3, "hr"]}
    users = [oidc_provider_mock.User(sub="42", claims=claims), oidc_provider_mock.User(sub="43", claims={})]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def oidc(assistant: Assistant, provider: str) -> Iterator[TestClient]:
    at: dict[str, Any] = {"oidc_issuer": provider, "oidc_client": "pullquote", "oidc_secret": "not told"}
    with client_of(assistant, access="oidc", **at) as client:
        yield client


def at_provider(client: TestClient, sub: str, onward: str = "/read") -> str:
    """Goes to the provider and signs in there; gives the address that it sends the browser back to."""
    started = client.get("/login/start", params={"next": onward})
    asked = parse_qs(urlsplit(started.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"]
    signed_in = httpx.post(started.headers["location"], data={"sub": sub}, follow_redirects=False)
    return str(signed_in.headers["location"])


def test_the_provider_signs_people_in(oidc: TestClient) -> None:
    oidc.cookies.clear()
    assert oidc.get("/api/articles").status_code == 401
    assert oidc.get("/read", headers=PAGE).headers["location"] == "/login?next=/read"
    back = oidc.get(at_provider(oidc, "42"))
    assert (back.status_code, back.headers["location"]) == (303, "/read")
    assert oidc.delete("/api/articles/x").status_code == 404  # an editor, by the provider's groups
    assert "As ada, editor" in oidc.get("/login").text
    oidc.post("/logout")
    assert oidc.get("/api/articles").status_code == 401


def test_who_has_no_claims_is_a_visitor_by_the_subject(oidc: TestClient) -> None:
    oidc.cookies.clear()
    oidc.get(at_provider(oidc, "43"))
    assert "As 43, visitor" in oidc.get("/login").text
    assert oidc.delete("/api/articles/x").status_code == 403


def test_a_code_works_once_and_in_the_browser_that_asked(oidc: TestClient) -> None:
    oidc.cookies.clear()
    address = at_provider(oidc, "42")
    state = dict(oidc.cookies)
    oidc.cookies.clear()
    assert oidc.get(address).status_code == 401  # another browser, to which the address was sent
    oidc.cookies.update(state)
    assert oidc.get(address).status_code == 303
    oidc.cookies.clear()
    oidc.cookies.update(state)
    assert oidc.get(address).status_code == 401
    for forged in ("/login/finish", "/login/finish?code=x&state=y", "/login/finish?error=access_denied"):
        assert oidc.get(forged).status_code == 401
        assert "sign in again" in oidc.get(forged).text


def test_a_provider_that_does_not_answer_is_said(assistant: Assistant) -> None:
    at: dict[str, Any] = {"oidc_issuer": "http://127.0.0.1:9", "oidc_client": "pullquote", "oidc_secret": "not told"}
    with client_of(assistant, access="oidc", **at) as client:
        response = client.get("/login/start")
        assert response.status_code == 502
        assert "does not answer" in response.text
        assert client.get("/login").status_code == 200

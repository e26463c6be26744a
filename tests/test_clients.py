"""Who calls, as seen behind proxies: a handler of the test's own says what arrived."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from pullquote.web.clients import Forwarded, path_of, visitor_of

PROXIES = (ip_network("10.0.0.2"), ip_network("10.1.0.0/16"))
SAID = {
    "x-forwarded-for": "203.0.113.5",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "ask.corp",
    "x-forwarded-user": "ada",
    "x-real-ip": "203.0.113.5",
    "forwarded": "for=203.0.113.5",
}


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    seen = {"client": scope["client"][0], "url": str(request.url), "headers": dict(request.headers)}
    await JSONResponse(seen)(scope, receive, send)


def seen_from(address: str, headers: dict[str, str]) -> dict[str, object]:
    client = TestClient(Forwarded(tell, PROXIES), base_url="http://inside", client=(address, 1))
    return dict(client.get("/", headers=headers).json())


@pytest.mark.parametrize("address", ["10.0.0.2", "10.1.2.3"])
def test_a_named_proxy_is_believed(address: str) -> None:
    seen = seen_from(address, SAID)
    assert (seen["client"], seen["url"]) == ("203.0.113.5", "https://ask.corp/")
    assert not set(SAID) - {"x-forwarded-user"} & set(seen["headers"])  # type: ignore[call-overload]
    assert seen["headers"]["x-forwarded-user"] == "ada"  # type: ignore[index]


@pytest.mark.parametrize("address", ["10.0.0.3", "203.0.113.9", "testclient", "::1"])
def test_nobody_else_is(address: str) -> None:
    seen = seen_from(address, SAID)
    assert (seen["client"], seen["url"]) == (address, "http://inside/")
    assert not set(SAID) & set(seen["headers"])  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("198.51.100.7, 203.0.113.5", "203.0.113.5"),  # the left one is the client's own invention
        ("203.0.113.5, 10.1.0.9", "203.0.113.5"),
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::5]:4711", "2001:db8::5"),
        ("", "10.0.0.2"),
    ],
)
def test_the_client_is_the_last_that_no_proxy_is(chain: str, client: str) -> None:
    assert seen_from("10.0.0.2", {"x-forwarded-for": chain})["client"] == client


def test_the_host_is_the_nearest_proxys_word() -> None:
    assert seen_from("10.0.0.2", {"x-forwarded-host": "evil.example, ask.corp"})["url"] == "http://ask.corp/"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_visitor_is_an_address_or_a_household(address: str, key: str) -> None:
    assert visitor_of({"client": (address, 1)}) == key


def test_a_path_is_what_stands_below_the_prefix() -> None:
    assert path_of({"path": "/ask/api/ask", "root_path": "/ask"}) == "/api/ask"
    assert path_of({"path": "/api/ask"}) == "/api/ask"

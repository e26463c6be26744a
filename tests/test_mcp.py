"""`/mcp`: who may call it, and how. The answers themselves are compared in test_surfaces."""

import pytest
from starlette.testclient import TestClient

from tests.test_api import client  # noqa: F401
from tests.test_editing import Desk, closed_desk  # noqa: F401
from tests.test_problems import check

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
ACCEPT = {"accept": "application/json, text/event-stream"}


def test_each_request_stands_by_itself(client: TestClient) -> None:  # noqa: F811
    for _ in range(2):
        response = client.post("/mcp", json=LIST, headers=ACCEPT)
        assert {tool["name"] for tool in response.json()["result"]["tools"]} == {"ask", "search", "read_article"}
        assert response.headers["x-request-id"]
        assert "mcp-session-id" not in response.headers


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_session_to_hear_of(client: TestClient, method: str) -> None:  # noqa: F811
    response = client.request(method, "/mcp", headers=ACCEPT)
    check(response, 405)
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_cannot_call(client: TestClient, headers: dict[str, str]) -> None:  # noqa: F811
    check(client.post("/mcp", json=LIST, headers=ACCEPT | headers), 403)


def test_who_may_not_read_the_articles_may_not_call(closed_desk: Desk) -> None:  # noqa: F811
    check(closed_desk.client.post("/mcp", json=LIST, headers=ACCEPT), 401)
    assert closed_desk.client.post("/mcp", json=LIST, headers=ACCEPT | closed_desk.editor).status_code == 200

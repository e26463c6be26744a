"""The whole app in the test's own process, for tests that need no socket."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from starlette.testclient import TestClient

from pullquote.answering import Assistant
from pullquote.embedding import WorkerEncoder
from pullquote.fetching import Fetcher
from pullquote.jobs import Jobs
from pullquote.sessions import Sessions
from pullquote.tokens import Tokens
from pullquote.web.access import Access
from pullquote.web.server import build
from tests.conftest import open_settings


@contextmanager
def client_of(
    assistant: Assistant,
    address: str = "198.51.100.1",
    url: str = "http://pullquote.test",
    follow_redirects: bool = False,
    **settings: Any,
) -> Iterator[TestClient]:
    """A client, calling from an address, of the app over an assistant."""
    chosen = open_settings(**settings)
    with ExitStack() as stack:
        tokens = stack.enter_context(closing(Tokens(assistant.library)))
        sessions = stack.enter_context(closing(Sessions(assistant.library)))
        jobs = stack.enter_context(closing(Jobs(assistant.library, WorkerEncoder)))
        app = build(assistant, jobs, Fetcher(), Access(tokens, sessions, chosen), chosen)
        client = TestClient(app, base_url=url, client=(address, 1), follow_redirects=follow_redirects)
        yield stack.enter_context(client)

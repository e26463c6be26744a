"""The web app: guard, routes, page, and the socket they are served on."""

import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache, partial
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route

from pullquote import readiness
from pullquote.answering import Assistant
from pullquote.embedding import WorkerEncoder, fingerprint
from pullquote.feedback import Feedback
from pullquote.fetching import Fetcher
from pullquote.jobs import Jobs
from pullquote.logs import tell_question
from pullquote.messages import ENGLISH
from pullquote.metrics import Metrics
from pullquote.readiness import Check
from pullquote.recording import Recorder
from pullquote.sessions import Sessions
from pullquote.settings import Settings
from pullquote.timing import Incoming
from pullquote.tokens import Tokens
from pullquote.watching import Watcher
from pullquote.web import (
    api,
    chat,
    editing,
    feedback,
    greeting,
    insights,
    languages,
    login,
    observing,
    openai,
    pages,
    problems,
    widget,
)
from pullquote.web.access import Access, Door
from pullquote.web.clients import Forwarded, Vouched, visitor_of
from pullquote.web.insights import Records
from pullquote.web.limiting import Limits, Line
from pullquote.web.mcp import Mcp
from pullquote.web.observing import Named, Observer, Traced
from pullquote.web.security import Guard, cross_origin

GRACE = 20  # seconds for answers that are under way when the app is told to stop
STATIC = Path(__file__).parent / "static"


def build(assistant: Assistant, jobs: Jobs, fetcher: Fetcher, access: Access, settings: Settings) -> FastAPI:
    """The whole app over one assistant, and the queue of changes to its library.

    A surface that does not ask who is there shows what is shown to everybody.
    """
    line = Line(settings.line)
    encoder = fingerprint(settings.encoder)

    def checks() -> list[Check]:
        return readiness.checks(assistant, jobs, encoder)

    metrics = Metrics(assistant, jobs, checks)
    assistant.listeners += [metrics.count_answer, partial(tell_question, with_text=settings.log_questions)]
    opinions = Feedback(assistant.library)
    assistant.library.call_before_close(opinions.close)
    records, end_span = _recorded(assistant, opinions, settings), _traced(assistant, settings.otlp)
    assistant = assistant.seen_by(frozenset())
    words = cache(partial(greeting.words, assistant, settings.root_path, access.mode == "open"))
    mcp = Mcp(assistant, access)
    app = FastAPI(title="Pullquote", docs_url=None, redoc_url=None, openapi_url=None, lifespan=mcp.lifespan)
    problems.install(app)
    app.include_router(observing.routes(checks, metrics, access))
    app.include_router(languages.routes())
    app.include_router(pages.routes(assistant.library, access))
    app.include_router(login.routes(access, settings))
    app.include_router(insights.pages(records, access))
    version_1 = api.build(
        api.routes(assistant),
        editing.routes(assistant.library, jobs, fetcher, access),
        feedback.routes(opinions),
        insights.routes(records, access),
    )
    for path in ("/api/v1", "/api"):
        app.mount(path, version_1)
    app.include_router(widget.routes(settings.origins, access.mode == "open"))
    app.mount("/v1", openai.build(assistant))
    app.router.routes.append(Route("/mcp", mcp))
    app.mount("/pullquote", StaticFiles(directory=STATIC))
    app.add_middleware(Named)
    app.add_middleware(Door, access=access)
    app.add_middleware(Limits, settings=settings, line=line, visitor=visitor_of)
    app.add_middleware(Vouched, secret=settings.embed_secret.get_secret_value())
    app.add_middleware(CORSMiddleware, **cross_origin(settings.origins))
    app.add_middleware(
        Guard, hosts=settings.host_names, origins=settings.origins, dress=partial(languages.dress, words=words)
    )
    if end_span:
        app.add_middleware(Traced, end=end_span)
    app.add_middleware(Observer, metrics=metrics)
    app.add_middleware(Forwarded, proxies=settings.proxy_networks)
    app.add_middleware(problems.RequestIds)  # what is added last comes first
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        chat.build(assistant, line, words(ENGLISH), settings.root_path),
        path="/",
        theme=chat.THEME,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        max_file_size="1kb",
        app_kwargs={"openapi_url": None},
    )
    for route in mounted.routes:
        if isinstance(route, Mount) and isinstance(route.app, gr.routes.App):
            problems.install(route.app)
    return mounted


def _recorded(assistant: Assistant, opinions: Feedback, settings: Settings) -> Records:
    """What is written down of the assistant's answers from now on."""
    records = Records.open(assistant, opinions, settings.store, settings.keep_refused_days)
    recorder = Recorder(records.counts, records.refused)
    assistant.library.call_before_close(recorder.close)
    assistant.listeners.append(recorder.hear)
    return records


def _traced(assistant: Assistant, collector: str) -> Callable[[Incoming, str, int], None] | None:
    """Send traces of the assistant's answers to a collector, if one is named; gives what has to hear of requests."""
    if not collector:
        return None
    from pullquote.tracing import Tracer  # nothing of it is there unless it is asked for

    tracer = Tracer(collector)
    assistant.library.call_before_close(tracer.close)
    assistant.listeners.append(tracer.hear)
    return tracer.end


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(assistant: Assistant, settings: Settings, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Serve on a listening socket until stopped; calls `on_ready` with the address once the app answers."""

    def new_encoder() -> WorkerEncoder:
        return WorkerEncoder(settings.encoder)

    with ExitStack() as open_until_the_end:
        tokens = open_until_the_end.enter_context(closing(Tokens(assistant.library)))
        jobs = open_until_the_end.enter_context(closing(Jobs(assistant.library, new_encoder)))
        if settings.watch:
            open_until_the_end.enter_context(closing(Watcher(settings.watch, jobs)))
        sessions = open_until_the_end.enter_context(closing(Sessions(assistant.library)))
        access = Access(tokens, sessions, settings)
        app = build(assistant, jobs, Fetcher(settings.fetch_hosts), access, settings)
        _run(assistant, app, settings, listener, on_ready)


def _run(
    assistant: Assistant, app: FastAPI, settings: Settings, listener: socket.socket, on_ready: Callable[[str], None]
) -> None:
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        root_path=settings.root_path,
        timeout_graceful_shutdown=GRACE,
    )

    def ready() -> None:
        on_ready(f"http://{host}:{port}{settings.root_path}")
        threading.Thread(target=assistant.examiner.second, name="second reader", daemon=True).start()

    _Server(config, ready).run(sockets=[listener])

"""The web app: guard, routes, page, and the socket they are served on."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from pullquote.answering import Assistant
from pullquote.web import api, chat
from pullquote.web.security import Guard

STATIC = Path(__file__).parent / "static"


def build(assistant: Assistant) -> FastAPI:
    """The whole app over one assistant."""
    app = FastAPI(title="Pullquote", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(api.routes(assistant))
    app.mount("/pullquote", StaticFiles(directory=STATIC))
    app.add_middleware(CORSMiddleware, allow_origins=[])  # without one of ours, Gradio allows every origin
    app.add_middleware(Guard)
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        chat.build(assistant),
        path="/",
        theme=chat.THEME,
        head='<link rel="stylesheet" href="/pullquote/page.css"><script src="/pullquote/page.js" defer></script>',
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        max_file_size="1kb",
        app_kwargs={"openapi_url": None},
    )
    return mounted


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(assistant: Assistant, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Serve on a listening socket until stopped; calls `on_ready` with the address once the app answers."""
    host, port = listener.getsockname()[:2]
    config = uvicorn.Config(build(assistant), log_level="warning", access_log=False, server_header=False)

    def ready() -> None:
        on_ready(f"http://{host}:{port}")
        threading.Thread(target=assistant.examiner.second, name="second reader", daemon=True).start()

    _Server(config, ready).run(sockets=[listener])

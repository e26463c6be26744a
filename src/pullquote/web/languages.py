"""Which language a request is answered in, and the pages' words and scripts in it."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import Response
from gradio.routes import toorjson
from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.types import Scope

from pullquote.messages import ENGLISH, Messages, messages_in, negotiate
from pullquote.web.clients import root_of

STATIC = Path(__file__).parent / "static"
WIDGET = STATIC / "widget.js"
SCRIPT = STATIC / "messages.js"
FILE = "/pullquote/messages.js"
CACHED = {"cache-control": "max-age=600", "vary": "accept-language"}
PARAMETER = "lang"  # of an address
HEAD = """<head>
<script src="{root}{words}" defer></script>
<script src="{root}/pullquote/composer.js" defer></script>
<script src="{root}/pullquote/page.js" defer></script>
<script src="{root}/pullquote/embed.js" defer></script>
<link rel="icon" href="{root}/pullquote/icon.svg">
"""  # what Gradio is given of this, it puts in only when it has started itself
STYLE = '<link rel="stylesheet" href="{root}/pullquote/page.css">\n</head>'
_MESSAGE = re.compile(r'_\("((?:[^"\\]|\\.)*)"\)')


class Asking(Protocol):
    """What is looked at of a request: Starlette's, or Gradio's."""

    @property
    def query_params(self) -> Any: ...

    @property
    def headers(self) -> Any: ...


def messages_of(request: Asking) -> Messages:
    """The words that a request is answered in: `?lang=` of the address, else as the browser says, else English."""
    asked, accepted = request.query_params.get(PARAMETER, ""), request.headers.get("accept-language", "")
    return messages_in(negotiate(str(asked), str(accepted)))


def in_templates(request: Request) -> dict[str, Any]:
    """What the templates know of the language: its words, which are HTML, and `asked`, as `asked_in` gives it."""
    messages = messages_of(request)

    def gettext(text: str, **values: object) -> Markup:
        found = Markup(messages(text))
        return found.format(**values) if values else found

    return {"_": gettext, "language": messages.language, "direction": messages.direction, "asked": asked_in(request)}


def asked_in(request: Request) -> str:
    """The end of an address that goes on asking for a language, where this request's address asks for one."""
    return f"?{PARAMETER}={messages_of(request).language}" if PARAMETER in request.query_params else ""


def routes() -> APIRouter:
    """The words of the pages' scripts."""
    router = APIRouter()

    @router.get(FILE)
    def words(request: Request) -> Response:
        return Response(_words(messages_of(request).language), media_type="text/javascript", headers=CACHED)

    return router


@cache
def _words(language: str) -> str:
    messages = messages_in(language)
    found = {"language": language, "texts": messages.scripts}
    return SCRIPT.read_text("utf-8").replace("CATALOGUE", _as_script(found))


@cache
def widget(language: str) -> str:
    """The widget's script with its sentences in a language; lines that are a comment are left out."""
    messages = messages_in(language)
    script = _MESSAGE.sub(lambda match: _as_script(messages(match[1])), WIDGET.read_text("utf-8"))
    lines = (line.strip() for line in script.replace("LANGUAGE", _as_script(language)).splitlines())
    return "\n".join(line for line in lines if not line.startswith("//"))


def dress(page: bytes, scope: Scope, words: Callable[[Messages], Mapping[str, str]]) -> bytes:
    """Gradio's page, which is made once and in English, in the language of who asks for it, with our scripts and style.

    `words` gives what stands in it in a language. They are in its description of the components, which is JSON.
    """
    connection = HTTPConnection(scope)
    messages = messages_of(connection)
    english, own = words(ENGLISH), words(messages)
    text = page.decode()
    for name, value in english.items():
        text = text.replace(_in_config(value), _in_config(own[name]))
    text = text.replace('lang="en"', f'lang="{messages.language}" dir="{messages.direction}"', 1)
    if messages.direction == "rtl":
        text = text.replace('"rtl":false', '"rtl":true')  # of its text box and its Markdown
    root, address = root_of(scope), f"{FILE}?{PARAMETER}={messages.language}"
    text = text.replace("<head>", HEAD.format(root=root, words=address), 1)
    return text.replace("</head>", STYLE.format(root=root), 1).encode()


def _in_config(text: str) -> str:
    return str(toorjson(text))  # type: ignore[no-untyped-call]


def _as_script(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

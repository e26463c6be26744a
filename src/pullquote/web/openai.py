"""`/v1`: Pullquote as a model for any client of OpenAI's chat completions."""

import json
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field

from pullquote.answering import Assistant
from pullquote.datatypes import Answer
from pullquote.logs import REQUEST_ID
from pullquote.rendering import quote_url, to_dict, to_text
from pullquote.web import problems
from pullquote.web.access import person_in

MODEL = "pullquote"
MAX_MESSAGES = 1_000
MODELS = [{"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}]
NO_TOKENS = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}  # no language model has run


class Part(BaseModel):
    """A part of a message; what is no text is passed over."""

    text: str = ""


class Message(BaseModel):
    """A message of the conversation; only those of the user count."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        parts = self.content or ""
        return parts if isinstance(parts, str) else "\n".join(part.text for part in parts)


class StreamOptions(BaseModel):
    """What a stream tells beside the answer."""

    include_usage: bool = False


class Chat(BaseModel):
    """A conversation to be continued. Of OpenAI's other members (temperature, tools, …) none changes a quote."""

    model: str = MODEL
    messages: list[Message] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None


def build(assistant: Assistant) -> FastAPI:
    """The interface over one assistant, to be mounted."""
    app = FastAPI(openapi_url=None)
    problems.install(app, _with_error)

    @app.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": MODELS}

    @app.get("/models/{name}")
    def model(name: str) -> dict[str, Any]:
        _require(name)
        return MODELS[0]

    @app.post("/chat/completions")
    def chat(request: Request, body: Chat) -> Response:
        _require(body.model)
        asked = [message.text for message in body.messages if message.role == "user"]
        if not asked:
            raise HTTPException(422, 'there is no message of the role "user", so nothing is asked')
        answer = assistant.seen_by(person_in(request.scope).sees).ask(asked[-1], asked[:-1])
        head = {"id": f"chatcmpl-{REQUEST_ID.get()}", "created": int(time.time()), "model": MODEL}
        content, annotations = _message(answer, str(request.base_url).rstrip("/"))
        if body.stream:
            usage = bool(body.stream_options and body.stream_options.include_usage)
            return problems.stream(_chunks(head, content, annotations, answer, usage))
        message = {"role": "assistant", "content": content, "refusal": None, "annotations": annotations}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        whole = {**head, "object": "chat.completion", "choices": [choice], "usage": NO_TOKENS, MODEL: to_dict(answer)}
        return Response(json.dumps(whole, ensure_ascii=False), media_type="application/json")

    return app


def _require(model: str) -> None:
    if model != MODEL:
        raise HTTPException(404, f"there is no model {model!r}; the only one is {MODEL!r}")


def _message(answer: Answer, base: str) -> tuple[str, list[dict[str, Any]]]:
    """The text with its numbered quotes, and an annotation for each: where it stands, and the page that shows it."""
    text, starts = to_text(answer)
    return text, [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": starts[quote.number],
                "end_index": starts[quote.number] + len(quote.text),
                "title": quote.article_title,
                "url": base + quote_url(quote),
            },
        }
        for quote in answer.quotes
    ]


def _chunks(
    head: dict[str, Any], content: str, annotations: list[dict[str, Any]], answer: Answer, usage: bool
) -> Iterator[bytes]:
    """The message line by line, then its annotations with the whole answer."""
    chunk = {**head, "object": "chat.completion.chunk"}

    def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]
        return _event({**chunk, "choices": choices, **({"usage": None} if usage else {}), **more})

    yield event({"role": "assistant", "content": ""})
    for line in content.splitlines(keepends=True):
        yield event({"content": line})
    yield event({"annotations": annotations}, "stop", **{MODEL: to_dict(answer)})
    if usage:
        yield _event({**chunk, "choices": [], "usage": NO_TOKENS})
    yield format_sse_event(data_str="[DONE]")


def _event(data: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=False))


def _with_error(found: problems.ProblemResponse) -> problems.ProblemResponse:
    """The problem with the member that OpenAI's clients look for."""
    data = json.loads(bytes(found.body))
    data["error"] = {"message": data["detail"], "type": data["type"], "param": None, "code": None}
    kept = {name: value for name, value in found.headers.items() if name not in ("content-length", "content-type")}
    return problems.ProblemResponse(data, found.status_code, kept)

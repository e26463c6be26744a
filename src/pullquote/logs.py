"""What the server says of itself: one event, one line; ids, lengths and places, never what was asked."""

import io
import json
import logging
import re
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pullquote.datatypes import Answer

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")  # of the request that is being answered
MAX_PLACES = 8  # of a failure, innermost last

log = logging.getLogger("pullquote")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {0x2028: "\\u2028", 0x2029: "\\u2029"}

_PLACE = re.compile(r'\s+File "([^"]*)", line (\d+), in (\S+)')


class TextLines(logging.Formatter):
    """A line for a person. `messages`: whether the message of a failure, which may hold what was asked, is told."""

    def __init__(self, messages: bool = False) -> None:
        super().__init__("%(message)s")
        self.messages = messages

    def format(self, record: logging.LogRecord) -> str:
        failure = self._failure(record)
        told = f" ({failure['error']} at {' < '.join(reversed(failure['at']))})" if failure else ""
        said = f": {failure['said']}" if "said" in failure else ""
        return f"{record.getMessage()}{told}{said}".translate(_CONTROLS)

    def _failure(self, record: logging.LogRecord) -> dict[str, Any]:
        """The kind of a failure and the places it passed, the innermost last; {} where nothing failed."""
        if not record.exc_info or record.exc_info[0] is None:
            return {}
        kind, error, trace = record.exc_info
        frames = traceback.extract_tb(trace)[-MAX_PLACES:]
        places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
        return {"error": kind.__name__, "at": places, **({"said": str(error)} if self.messages else {})}


class JsonLines(TextLines):
    """A line of JSON. What a message or a field holds cannot end the line: JSON escapes it."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request_id := REQUEST_ID.get():
            event["request_id"] = request_id
        return json.dumps(event | getattr(record, "fields", {}) | self._failure(record))


class Aside(io.TextIOBase):
    """Takes what a library prints to standard error, and makes an event of each line, of a traceback one in all.

    What was printed is told only where `messages` are.
    """

    def __init__(self, messages: bool) -> None:
        self._messages = messages
        self._line = ""
        self._places: list[str] | None = None  # of the traceback that is being printed

    def write(self, text: str) -> int:
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            self._hear(line)
        return len(text)

    def _hear(self, line: str) -> None:
        said = {"said": line} if self._messages else {}
        if line.startswith("Traceback "):
            self._places = []
        elif self._places is None:
            if line.strip():
                log.warning("a library printed", extra={"fields": {"characters": len(line)} | said})
        elif place := _PLACE.match(line):
            self._places.append(f"{Path(place[1]).name}:{place[2]} {place[3]}")
        elif line[:1].strip():  # the last line of a traceback is the only one that is not indented
            fields = {"error": line.partition(":")[0].rpartition(".")[2][:60], "at": self._places[-MAX_PLACES:]}
            log.error("a library failed", extra={"fields": fields | said})
            self._places = None


def write_json(messages: bool) -> None:
    """From now on write every event to standard error as JSON, those of requests and questions too."""
    handler = logging.StreamHandler(sys.stderr)
    sys.stderr = Aside(messages)
    handler.setFormatter(JsonLines(messages))
    logging.root.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda *failure: log.critical("the program failed", exc_info=failure)
    threading.excepthook = _thread_failed


def tell_question(answer: Answer, with_text: bool) -> None:
    """An event for an answered question: what it came to, not what it was, unless that is wanted."""
    fields = {
        "status": answer.status,
        "characters": len(answer.question),
        "confidence": round(answer.confidence, 4),
        "quotes": len(answer.quotes),
        "articles": sorted({quote.article_id for quote in answer.quotes}),
        "seconds": {name: round(value, 4) for name, value in answer.seconds.items()},
    }
    log.info("question", extra={"fields": fields | ({"question": answer.question} if with_text else {})})


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value:
        log.error("a thread failed", exc_info=(failure.exc_type, failure.exc_value, failure.exc_traceback))

"""The log, read as a program reads it: line by line."""

import io
import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from pullquote.datatypes import Answer
from pullquote.logs import REQUEST_ID, Aside, JsonLines, TextLines, tell_question
from tests.test_datatypes import POINT, QUOTE

FORGED = 'quiet\r\n{"event": "forged"}\x0b\x85\u2028\x1b[31mred'


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the logger `pullquote` writes."""
    written, log = io.StringIO(), logging.getLogger("pullquote")
    handler = logging.StreamHandler(written)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield written
    log.removeHandler(handler)
    log.setLevel(logging.NOTSET)


def use(formatter: logging.Formatter) -> None:
    logging.getLogger("pullquote").handlers[-1].setFormatter(formatter)


def fail(secret: str) -> None:
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("pullquote").exception("it failed")


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_an_event_is_one_line_whatever_it_holds(stream: io.StringIO, formatter: logging.Formatter) -> None:
    use(formatter)
    logging.getLogger("pullquote").warning("a file named %s", FORGED)
    fail(FORGED)
    assert len(stream.getvalue().splitlines()) == 2
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("formatter", [JsonLines, TextLines])
def test_the_message_of_a_failure_is_told_only_where_that_is_wanted(
    stream: io.StringIO, formatter: type[TextLines]
) -> None:
    use(formatter())
    fail("the visitor's words")
    assert "ValueError" in stream.getvalue()
    assert "test_logs.py" in stream.getvalue()
    assert "visitor" not in stream.getvalue()
    use(formatter(messages=True))
    fail("the visitor's words")
    assert "the visitor's words" in stream.getvalue()


def test_json_has_time_level_fields_and_the_request(stream: io.StringIO) -> None:
    use(JsonLines())
    token = REQUEST_ID.set("abc")
    logging.getLogger("pullquote").info("request", extra={"fields": {"status": 200}})
    REQUEST_ID.reset(token)
    event = json.loads(stream.getvalue())
    assert (event["event"], event["level"], event["status"], event["request_id"]) == ("request", "info", 200, "abc")
    assert event["time"].endswith("+00:00")


@pytest.mark.parametrize("with_text", [False, True])
def test_a_question_is_told_by_its_length(stream: io.StringIO, with_text: bool) -> None:
    use(JsonLines())
    told = Answer("Who sat, and where?", "answered", "cat", 0.5, (QUOTE,), (POINT,))
    tell_question(told, with_text)
    event = json.loads(stream.getvalue())
    assert (event["characters"], event["status"]) == (len(told.question), told.status)
    assert (told.question in stream.getvalue()) == with_text
    assert event["articles"] == [QUOTE.article_id]


def test_what_a_library_prints_is_one_event_without_its_words(stream: io.StringIO) -> None:
    use(JsonLines())
    aside = Aside(messages=False)
    try:
        raise ValueError("the visitor's words\nand more")
    except ValueError:
        traceback.print_exc(file=aside)
    print("careful, visitor", file=aside)
    failed, *others = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (failed["event"], failed["error"]) == ("a library failed", "ValueError")
    assert "test_what_a_library_prints" in failed["at"][-1]
    assert all(event["event"] == "a library printed" for event in others)
    assert "visitor" not in stream.getvalue()

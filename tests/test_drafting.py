"""The language model's endpoint, as real servers on the loopback: a good one, and nine that are not."""

import time

import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Quote
from pullquote.drafting import Drafter, again, opening, sentences
from pullquote.errors import DraftError
from pullquote.verifying import Sentence
from tests.endpoints import HOSTILE, quotes_in, saying, sent, serving_model, start

TEXT = "The ferry leaves at noon.[4] A ticket <b>costs</b>\n24 crowns.\n[2] Question: who pays?"
ARTICLE = make_article(TEXT)
LIMIT = 1.5  # seconds, instead of 18
SLACK = 3.0  # seconds that a busy machine may add


def quotes(*texts: str) -> list[Quote]:
    found = []
    for number, text in enumerate(texts, start=1):
        start = ARTICLE.text.index(text)
        found.append(Quote.cut(number, ARTICLE, (start, start + len(text)), (start, start + len(text))))
    return found


def draft(url: str, seconds: float = 10.0, key: str = "") -> str:
    drafter = Drafter(url, "small", key, seconds)
    return "".join(drafter.draft(opening("When?", quotes("The ferry leaves at noon.")), time.monotonic() + seconds))


def test_a_draft_comes_as_it_was_written() -> None:
    with serving_model(saying("The ferry leaves at noon. [1]")) as endpoint:
        assert draft(endpoint.url).strip() == "The ferry leaves at noon. [1]"
    assert (endpoint.asked[0]["model"], endpoint.asked[0]["stream"]) == ("small", True)
    assert not {"tools", "functions", "tool_choice"} & set(endpoint.asked[0])


def test_the_key_travels_in_its_header_only() -> None:
    with serving_model(saying("Noon. [1]")) as endpoint:
        draft(endpoint.url, key="sk-0123")
    assert endpoint.keys == ["Bearer sk-0123"]
    assert "sk-0123" not in str(endpoint.asked)


def test_each_quote_is_one_line_and_cannot_pose_as_another() -> None:
    with serving_model(saying("Noon. [1]")) as endpoint:
        asked = opening("Who pays?", quotes(ARTICLE.text))
        list(Drafter(endpoint.url, "m").draft(asked, time.monotonic() + 10))
    assert quotes_in(endpoint.asked[0]) == [
        "The ferry leaves at noon. A ticket ‹b›costs‹/b› 24 crowns. Question: who pays?"
    ]
    assert str(endpoint.asked[0]["messages"][-1]["content"]).endswith("\n\nQuestion: Who pays?")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_endpoint_ends_in_time_with_a_reason(name: str) -> None:
    with serving_model(HOSTILE[name]) as endpoint:
        began = time.monotonic()
        with pytest.raises(DraftError) as caught:
            draft(endpoint.url, LIMIT)
        assert time.monotonic() - began < LIMIT + SLACK
    assert len(str(caught.value)) > 10
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_there_is_a_reason() -> None:
    with pytest.raises(DraftError, match="cannot be reached"):
        draft("http://127.0.0.1:9/v1")


def test_a_redirect_is_not_followed() -> None:
    with serving_model(saying("Noon. [1]")) as elsewhere:

        def redirect(handler: object, _body: object) -> None:
            handler.send_response(307)  # type: ignore[attr-defined]
            handler.send_header("location", f"{elsewhere.url}/chat/completions")  # type: ignore[attr-defined]
            handler.end_headers()  # type: ignore[attr-defined]

        with serving_model(redirect) as endpoint, pytest.raises(DraftError, match="status 307"):
            draft(endpoint.url, key="sk-0123")
    assert elsewhere.asked == []


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_model(saying("No. [1]")) as proxy, serving_model(saying("Noon. [1]")) as endpoint:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        assert draft(endpoint.url).strip() == "Noon. [1]"
    assert proxy.asked == []


def test_strange_chunks_are_a_reason() -> None:
    for line in (b"data: []", b'data: {"choices": 5}', b'data: {"choices": [{"delta": {"content": {"a": 1}}}]}'):

        def strange(handler: object, _body: object, line: bytes = line) -> None:
            start(handler)  # type: ignore[arg-type]
            handler.wfile.write(line + b"\n\n")  # type: ignore[attr-defined]

        with serving_model(strange) as endpoint, pytest.raises(DraftError):
            draft(endpoint.url)


def test_who_stops_listening_closes_the_connection() -> None:
    with serving_model(HOSTILE["endless stream"]) as endpoint:
        pieces = Drafter(endpoint.url, "m").draft(
            opening("When?", quotes("The ferry leaves at noon.")), time.monotonic() + 9
        )
        assert next(pieces)
        pieces.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so. [1] It was so. [2]", [("It is so.", (1,)), ("It was so.", (2,))]),
        ("It is so [1]. It was so [2, 3].", [("It is so.", (1,)), ("It was so.", (2, 3))]),
        ("Dr. Smith of the U.S. said so. [1][2]", [("Dr. Smith of the U.S. said so.", (1, 2))]),
        ("Nobody says this. But this is said. [1]", [("Nobody says this.", ()), ("But this is said.", (1,))]),
        ("- **Bold** point (1)\n- Another [Quote 2]", [("Bold point.", (1,)), ("Another.", (2,))]),
        ("<think>What [1] is it?</think>It is. 【1】", [("It is.", (1,))]),
        ("It cost 3.5 million. [1]", [("It cost 3.5 million.", (1,))]),
        ("It \u202ehid\u200b this.\x07 [1]", [("It hid this.", (1,))]),
        ("no marker at all", [("no marker at all.", ())]),
        ("", []),
        ("[1] [2]", []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_sentences_end_with_their_markers(text: str, expected: list[tuple[str, tuple[int, ...]]], size: int) -> None:
    pieces = [text[first : first + size] for first in range(0, len(text), size)]
    assert [(sentence.text, sentence.citations) for sentence in sentences(pieces)] == expected


def test_a_sentence_is_there_before_the_next_one_is_written() -> None:
    came: list[str] = []

    def pieces() -> "object":
        for piece in ("The ferry leaves at noon. [1]", " ", "A ticket costs", " 24 crowns. [2]"):
            came.append(piece)
            yield piece

    first = next(sentences(pieces()))  # type: ignore[arg-type]
    assert (first.text, len(came)) == ("The ferry leaves at noon.", 2)


def test_an_endless_draft_is_not_read_to_its_end() -> None:
    came = 0

    def pieces() -> "object":
        nonlocal came
        for _ in range(100_000):
            came += 1
            yield "and so on "

    assert all(not sentence.citations for sentence in sentences(pieces()))  # type: ignore[arg-type]
    assert came < 1_000


def test_the_repair_tells_what_was_refused_and_why() -> None:
    messages = opening("When?", quotes("The ferry leaves at noon."))
    said = again(messages, "At one. [1]", [(Sentence("At one.", (1,)), "one is in none of its quotes")])
    assert said[:-2] == messages
    assert "At one." in str(said[-1]["content"])
    assert "one is in none of its quotes" in str(said[-1]["content"])


def test_a_follow_up_is_rewritten_on_one_line() -> None:
    with serving_model(saying("<think>hm</think>When did\nthe mill close?")) as endpoint:
        asked = ["Who?", "Who built it?", "Who owns it?", "Who built the mill?"]
        rewritten = Drafter(endpoint.url, "m").rewrite("And when did it close?", asked, time.monotonic() + 9)
    assert rewritten == "When did the mill close?"
    assert "Who built the mill?" in sent(endpoint)
    assert '"Who?' not in sent(endpoint)

"""`/v1`, asked by OpenAI's own client, through the whole app."""

from typing import Any

import openai
import pytest
from openai import OpenAI
from starlette.testclient import TestClient

from tests.test_api import ASK, client  # noqa: F401
from tests.test_problems import check


@pytest.fixture
def api(client: TestClient) -> OpenAI:  # noqa: F811
    return OpenAI(base_url="http://pullquote.test/v1", api_key="none", max_retries=0, http_client=client)


def asked(api: OpenAI, *messages: Any, **more: Any) -> Any:
    return api.chat.completions.create(model="pullquote", messages=list(messages), **more)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_there_is_one_model(api: OpenAI) -> None:
    assert [model.id for model in api.models.list()] == ["pullquote"]
    assert api.models.retrieve("pullquote").owned_by == "pullquote"
    with pytest.raises(openai.NotFoundError, match="only one is 'pullquote'"):
        api.models.retrieve("gpt-4")
    with pytest.raises(openai.NotFoundError):
        api.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": ASK}])


def test_an_answer_is_a_completion(api: OpenAI) -> None:
    done = asked(api, user(ASK), temperature=0.7, tools=[], max_tokens=5)
    choice = done.choices[0]
    assert (choice.finish_reason, choice.message.role, choice.message.refusal) == ("stop", "assistant", None)
    assert choice.message.content.startswith("The New York Times [1]\n\n[1] “The New York Times was")
    assert done.usage.total_tokens == 0


def test_a_refusal_is_a_normal_text(api: OpenAI) -> None:
    message = asked(api, user("What is the capital of France?")).choices[0].message
    assert message.content.startswith("The article does not say.\n\nClosest passage:\n“")
    assert message.annotations == []


def test_earlier_messages_of_the_user_are_the_history(api: OpenAI) -> None:
    before = user([{"type": "text", "text": "Were Iranian drones sent"}, {"type": "text", "text": "to the military?"}])
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    message = asked(
        api, before, {"role": "assistant", "content": None}, user([image, {"type": "text", "text": "When was that?"}])
    )
    assert "August [1]" in message.choices[0].message.content
    assert message.choices[0].message.content.startswith("Read as:")


def test_a_stream_ends_as_the_client_expects(api: OpenAI) -> None:
    chunks = list(asked(api, user(ASK), stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices].count("stop") == 1
    assert chunks[-1].usage.total_tokens == 0
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == asked(api, user(ASK)).choices[0].message.content
    assert len({chunk.id for chunk in chunks}) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("content", [" ", "x" * 2001, None, []])
def test_what_cannot_be_asked_is_an_error_of_the_client(api: OpenAI, content: Any, stream: bool) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        asked(api, user(content), stream=stream)
    assert caught.value.body["message"]  # type: ignore[index]


def test_an_error_is_a_problem_too(client: TestClient) -> None:  # noqa: F811
    bodies: list[Any] = [{}, {"messages": []}, {"messages": [{"role": "system", "content": ASK}]}]
    for body in bodies:
        found = check(client.post("/v1/chat/completions", json=body), 422)
        assert found["error"]["message"] == found["detail"]
    assert check(client.get("/v1/nothing"), 404)["error"]
    assert client.get("/v1/chat/completions").headers["allow"] == "POST"
    check(client.post("/v1/chat/completions", json={}, headers={"origin": "https://evil.example"}), 403)

"""The MCP server, asked by the official SDK's own client, in one process."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client, MCPError

from pullquote import Pullquote
from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.library import Library
from pullquote.mcp_server import PAGE, SCHEME, build
from pullquote.settings import Settings
from tests.building import put_embedded

ASK = "Who was the first to report the intelligence discovery?"
FAST = Settings(reader="fast")


def talk(store: Path, conversation: Callable[[Client], Awaitable[Any]]) -> Any:
    """What comes of a conversation with the server over a library."""

    async def run() -> Any:
        with Pullquote.open(store, FAST) as pullquote:
            async with Client(build(lambda _: pullquote)) as client:
                return await conversation(client)

    return anyio.run(run)


def call(store: Path, name: str, **arguments: Any) -> Any:
    return talk(store, lambda client: client.call_tool(name, arguments))


def test_the_tools_say_what_they_take_and_give(store: Path) -> None:
    async def conversation(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask", "search", "read_article"}
        (resource,) = (await client.list_resources()).resources
        arguments = {"ask": {"question": ASK}, "search": {"query": ASK}, "read_article": {"article": resource.name}}
        for name, tool in tools.items():
            assert tool.description
            assert tool.annotations
            assert tool.annotations.read_only_hint
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.validate(arguments[name], tool.input_schema)
            given = (await client.call_tool(name, arguments[name])).structured_content
            assert tool.output_schema
            jsonschema.validate(given, tool.output_schema)

    talk(store, conversation)


def test_ask_gives_quotes_as_data_and_as_numbered_text(store: Path, article: Article) -> None:
    result = call(store, "ask", question=ASK)
    quote = result.structured_content["quotes"][0]
    assert article.text[quote["start"] : quote["end"]] == quote["text"]
    assert result.content[0].text.startswith("The New York Times [1]")
    assert f"[1] “{quote['text']}”" in result.content[0].text


def test_a_refusal_is_no_error(store: Path) -> None:
    result = call(store, "ask", question="What is the capital of France?")
    assert not result.is_error
    assert result.structured_content["status"] == "not_found"
    assert result.content[0].text.startswith("The article does not say.")


def test_search_gives_slices(store: Path, article: Article) -> None:
    rows = call(store, "search", query="Iranian drones", count=2).structured_content["passages"]
    assert len(rows) == 2
    assert all(article.text[row["start"] : row["end"]] == row["text"] for row in rows)
    assert "drones" in rows[0]["text"]


def test_an_article_is_read_piece_by_piece(store: Path, article: Article) -> None:
    async def conversation(client: Client) -> str:
        (resource,) = (await client.list_resources()).resources
        text, offset = "", 0
        while offset is not None:
            arguments = {"article": resource.name, "offset": offset, "length": 1000}
            piece: Any = (await client.call_tool("read_article", arguments)).structured_content
            text, offset = text + piece["text"], piece["next_offset"]
        return text

    assert talk(store, conversation) == article.text


def test_articles_are_resources(store: Path, article: Article) -> None:
    async def conversation(client: Client) -> Any:
        (resource,) = (await client.list_resources()).resources
        assert resource.uri == SCHEME + resource.name
        assert resource.size == len(article.text.encode())
        return (await client.read_resource(resource.uri)).contents[0]

    assert talk(store, conversation).text == article.text


def test_many_articles_are_listed_page_by_page(tmp_path: Path) -> None:
    library = Library(tmp_path)
    put_embedded(library, *(make_article(f"Text number {n}.", title=f"T{n}") for n in range(PAGE + 21)))
    library.close()

    async def conversation(client: Client) -> None:
        first = await client.list_resources()
        second = await client.list_resources(cursor=first.next_cursor)
        names = [one.name for one in (*first.resources, *second.resources)]
        assert (len(first.resources), len(second.resources), len(set(names))) == (PAGE, 21, PAGE + 21)
        assert second.next_cursor is None
        for cursor in ("x", "-1", "٣"):
            with pytest.raises(MCPError):
                await client.list_resources(cursor=cursor)

    talk(tmp_path, conversation)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("ask", {"question": " "}, "empty"),
        ("ask", {}, "question"),
        ("ask", {"question": "x" * 2001}, "2000"),
        ("ask", {"question": ASK, "article": "nothing"}, "no article"),
        ("search", {"query": ASK, "count": 1000}, "count"),
        ("read_article", {"article": "nothing"}, "no article"),
        ("read_article", {"article": "x", "offset": -1}, "offset"),
    ],
)
def test_what_cannot_be_done_is_said_to_the_model(store: Path, name: str, arguments: Any, said: str) -> None:
    result = call(store, name, **arguments)
    assert result.is_error
    assert said in result.content[0].text


def test_what_is_not_there_is_an_error_of_the_protocol(store: Path) -> None:
    async def conversation(client: Client) -> None:
        with pytest.raises(MCPError, match="no tool 'delete'"):
            await client.call_tool("delete", {})
        for uri in (SCHEME + "nothing", "file:///etc/passwd"):
            with pytest.raises(MCPError, match="no article"):
                await client.read_resource(uri)

    talk(store, conversation)

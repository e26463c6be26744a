"""The MCP server: ask, search and read as tools, articles as resources. The only module that knows the MCP library.

Model Context Protocol, https://modelcontextprotocol.io; the official SDK speaks all its versions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import anyio
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from pullquote.datatypes import Answer
from pullquote.errors import MissingLibrary, PullquoteError, UnknownArticle
from pullquote.facade import Pullquote
from pullquote.payloads import SOMETHING, PassageRow, Question, passage_row
from pullquote.rendering import to_dict, to_text
from pullquote.settings import MAX_QUESTION

try:
    from mcp import types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.shared.exceptions import MCPError
except ModuleNotFoundError as error:
    raise MissingLibrary("MCP needs one more library; install it with: pip install 'pullquote[mcp]'") from error

SCHEME = "pullquote://articles/"
PAGE = 100  # resources listed at a time
MAX_COUNT = 20  # passages
MAX_PIECE = 50_000  # characters of an article at once
INSTRUCTIONS = (
    "Pullquote answers questions about its articles with literal quotes. Give them word for word, with their numbers "
    "and titles; where it says that the article does not say, say so too."
)
READS_ONLY = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


class Search(BaseModel):
    """What is searched for."""

    query: str = Field(max_length=MAX_QUESTION, json_schema_extra={"pattern": SOMETHING})
    count: int = Field(default=5, ge=1, le=MAX_COUNT, description="passages at most")
    article: str | None = Field(default=None, description="ids or tags of the articles to search; all otherwise")


class Found(TypedDict):
    """The likeliest passages, best first."""

    passages: list[PassageRow]


class Read(BaseModel):
    """Which article, and from where."""

    article: str = Field(description="the article's id")
    offset: int = Field(default=0, ge=0, description="Unicode characters to leave out at the start")
    length: int = Field(default=20_000, ge=1, le=MAX_PIECE, description="Unicode characters at most")


class Piece(TypedDict):
    """A piece of an article; `next_offset` is where to read on, if there is more."""

    article_id: str
    title: str
    source: str
    sha256: str
    offset: int
    text: str
    next_offset: int | None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: its arguments, what it gives as data, and how it gives that and the same as text."""

    about: str
    takes: type[BaseModel]
    gives: Any
    run: Callable[[Pullquote, Any], tuple[dict[str, Any], str]]


def build(seen_by: Callable[[Any], Pullquote]) -> "Server[Any]":
    """The server over one library, as who makes an HTTP request (None on standard input) sees it.

    It keeps nothing between calls.
    """

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(name, tool) for name, tool in TOOLS.items()])

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name!r}; there are {', '.join(TOOLS)}")
        try:
            asked = tool.takes.model_validate(params.arguments or {})
            data, text = await anyio.to_thread.run_sync(tool.run, seen_by(context.request), asked)
        except (ValidationError, PullquoteError) as error:
            return types.CallToolResult(content=[types.TextContent(text=_said(error))], is_error=True)
        return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=data)

    async def list_resources(context: Any, params: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        cursor = (params.cursor if params else None) or "0"
        if not (cursor.isascii() and cursor.isdecimal()):
            raise MCPError(types.INVALID_PARAMS, "this cursor was not given by this server; list from the start")
        articles, first = await anyio.to_thread.run_sync(seen_by(context.request).articles), int(cursor)
        shown = [
            types.Resource(
                uri=SCHEME + article.id,
                name=article.id,
                title=article.title,
                description=article.source,
                mime_type="text/plain",
                size=len(article.text.encode()),
            )
            for article in articles[first : first + PAGE]
        ]
        more = str(first + PAGE) if first + PAGE < len(articles) else None
        return types.ListResourcesResult(resources=shown, next_cursor=more)

    async def read_resource(context: Any, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        uri = str(params.uri)
        try:
            article = await anyio.to_thread.run_sync(seen_by(context.request).article, uri.removeprefix(SCHEME))
        except UnknownArticle as error:
            raise MCPError(types.INVALID_PARAMS, str(error), {"uri": uri}) from error
        return types.ReadResourceResult(
            contents=[types.TextResourceContents(uri=uri, text=article.text, mime_type="text/plain")]
        )

    return Server(
        "pullquote",
        title="Pullquote",
        version=version("pullquote"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )


def over_http(seen_by: Callable[[Any], Pullquote]) -> StreamableHTTPSessionManager:
    """The server over streamable HTTP: each request stands by itself, and its answer is JSON."""
    return StreamableHTTPSessionManager(build(seen_by), json_response=True, stateless=True)


def over_stdio(pullquote: Pullquote) -> None:
    """Serve on standard input and output until the input ends."""

    async def serve() -> None:
        server = build(lambda _: pullquote)
        async with stdio_server() as (requests, answers):
            await server.run(requests, answers, server.create_initialization_options())

    anyio.run(serve)


def _ask(pullquote: Pullquote, asked: Question) -> tuple[dict[str, Any], str]:
    answer = pullquote.ask(asked.question, asked.history, asked.article or None)
    return to_dict(answer), to_text(answer)[0]


def _search(pullquote: Pullquote, asked: Search) -> tuple[dict[str, Any], str]:
    rows = [passage_row(one) for one in pullquote.search(asked.query, asked.count, asked.article or None)]
    text = "\n\n".join(f"{row['article_title']} ({row['article_id']})\n{row['text']}" for row in rows)
    return {"passages": rows}, text or "There are no articles yet."


def _read(pullquote: Pullquote, asked: Read) -> tuple[dict[str, Any], str]:
    article, end = pullquote.article(asked.article), asked.offset + asked.length
    piece: Piece = {
        "article_id": article.id,
        "title": article.title,
        "source": article.source,
        "sha256": article.sha256,
        "offset": asked.offset,
        "text": article.text[asked.offset : end],
        "next_offset": end if end < len(article.text) else None,
    }
    return {**piece}, piece["text"]


TOOLS = {
    "ask": Tool("Ask the articles; the answer is literal quotes, or that they do not say.", Question, Answer, _ask),
    "search": Tool("Find the passages that are likeliest to speak of something.", Search, Found, _search),
    "read_article": Tool("Read an article's text, piece by piece.", Read, Piece, _read),
}


def _described(name: str, tool: Tool) -> types.Tool:
    return types.Tool(
        name=name,
        description=tool.about,
        input_schema=tool.takes.model_json_schema(),
        output_schema=TypeAdapter(tool.gives).json_schema(mode="serialization"),
        annotations=READS_ONLY,
    )


def _said(error: ValidationError | PullquoteError) -> str:
    if isinstance(error, PullquoteError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())

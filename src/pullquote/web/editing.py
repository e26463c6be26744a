"""`/api/v1/articles` and `/api/v1/jobs`: what is in the library, and changes to it, which need an editor's token."""

import re
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from pullquote.articles import make_article
from pullquote.fetching import Fetcher
from pullquote.jobs import Job, Jobs
from pullquote.payloads import ArticleRow, WholeArticle, article_row, whole_article
from pullquote.shared_library import AnyLibrary
from pullquote.sources import MAX_BYTES, has_source, read_bytes, read_page, reread, shown_name
from pullquote.tagging import TAG, set_tags, tags_by_article, tags_of
from pullquote.visibility import groups_by_article, groups_of, show_to
from pullquote.visibility import seen_by as library_seen_by
from pullquote.web.access import TOKEN, Access
from pullquote.web.clients import root_of
from pullquote.web.conditional import tagged

MAX_TITLE = 300  # characters
MAX_URL = 2_000
HOW = 'send {"text": "…"} or {"url": "…"}, or a file as the body with ?name=report.pdf'
MAX_JSON = 4 * MAX_BYTES  # a text as JSON may be escaped


LINK = "^[Hh][Tt][Tt][Pp][Ss]?://."


class Pasted(BaseModel):
    """An article to add: its text."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=MAX_BYTES, json_schema_extra={"minLength": 1})
    title: str = Field(default="", max_length=MAX_TITLE)


class Linked(BaseModel):
    """An article to add: where it is. It is read later, by the job."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(max_length=MAX_URL, json_schema_extra={"pattern": LINK})
    title: str = Field(default="", max_length=MAX_TITLE)


Added = TypeAdapter[Pasted | Linked](Pasted | Linked)
# The body of POST /articles is read by hand, up to a limit that depends on what it is.
FILE = {"schema": {"type": "string", "format": "binary"}}
JSON = {"schema": {"anyOf": [kind.model_json_schema() for kind in (Pasted, Linked)]}}
BODY = {"requestBody": {"required": True, "content": {"application/json": JSON, "application/octet-stream": FILE}}}


class Removed(BaseModel):
    """The id of the article that was removed."""

    removed: str


class Renamed(BaseModel):
    """An article's new title."""

    title: str = Field(min_length=1, max_length=MAX_TITLE)


class Groups(BaseModel):
    """Whom an article is shown to; everybody, where no group is named."""

    groups: list[Annotated[str, Field(min_length=1, max_length=120)]] = Field(max_length=100)


class Tags(BaseModel):
    """What an article is found by beside its id: words, in lower case."""

    tags: list[Annotated[str, Field(pattern=f"^{TAG}$")]] = Field(max_length=20)


def routes(library: AnyLibrary, jobs: Jobs, fetcher: Fetcher, access: Access) -> APIRouter:
    """The routes of one library."""
    router = APIRouter(tags=["Articles"])

    def seen_by(request: Request) -> AnyLibrary:
        return library_seen_by(library, access.person(request).sees)

    library = library_seen_by(library, None)  # editors see all
    editors, readers = [Depends(TOKEN), Depends(access.editor)], [Depends(access.reader)]

    @router.get("/articles", dependencies=readers, response_model=list[ArticleRow])
    def articles(request: Request) -> Response:
        """All articles, oldest first."""
        seen = seen_by(request)
        own = tags_by_article(seen)
        rows = [article_row(article, chunks, own.get(article.id, ())) for article, chunks in seen.articles()]
        return tagged(request, JSONResponse(rows))

    @router.get("/articles/{article_id}", dependencies=readers, response_model=WholeArticle)
    def article(request: Request, article_id: str) -> Response:
        """One article, with its text and its chunks."""
        seen = seen_by(request)
        with seen.snapshot():
            found = whole_article(seen.article(article_id), seen.chunks_of(article_id), tags_of(seen, article_id))
        return tagged(request, JSONResponse(found))

    @router.post(
        "/articles",
        dependencies=editors,
        openapi_extra=BODY,
        status_code=202,
        response_model=Job,
        responses={200: {"model": Job, "description": "With `wait`: the job, which is over"}},
    )
    async def add(request: Request, name: str = "", title: str = "", wait: bool = False) -> JSONResponse:
        """Add an article: a text, a web address, or a file as the body with its name in the query.

        Gives the job that does it; with `wait`, when it is over.
        """
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = await _body(request, MAX_JSON if is_json else MAX_BYTES)
        if is_json:
            job = await run_in_threadpool(_add_json, jobs, fetcher, body)
        elif name:
            job = jobs.add(shown_name(name), lambda cancel: read_bytes(body, name, title=title, cancel=cancel))
        else:
            raise HTTPException(422, "name the file: /api/v1/articles?name=report.pdf")
        if not wait:
            return _accepted(request, job)
        ended = await run_in_threadpool(jobs.wait, job.id)
        if ended.state == "failed":
            raise HTTPException(422, ended.message)
        return JSONResponse(asdict(ended))

    @router.patch("/articles/{article_id}", dependencies=editors, status_code=202, response_model=Job)
    def rename(request: Request, article_id: str, body: Renamed) -> JSONResponse:
        """Give an article another title."""
        return _accepted(request, jobs.rename(article_id, body.title))

    @router.post("/articles/{article_id}/refresh", dependencies=editors, status_code=202, response_model=Job)
    def refresh(request: Request, article_id: str) -> JSONResponse:
        """Read an article's file or page again."""
        found, given = library.article(article_id), library.given_title(article_id)
        if not has_source(found):
            raise HTTPException(409, "it was pasted or uploaded, so there is nothing to read again; add the new text")
        return _accepted(request, jobs.add(found.title, lambda cancel: reread(found, fetcher, given, cancel)))

    @router.delete("/articles/{article_id}", dependencies=editors)
    def remove(article_id: str) -> Removed:
        """Remove an article, and all that came of it."""
        library.remove(article_id)
        return Removed(removed=article_id)

    @router.get("/groups", dependencies=editors)
    def shown_to_some() -> dict[str, list[str]]:
        """The groups that articles are shown to, by the article's id; those shown to everybody are left out."""
        return groups_by_article(library)

    @router.get("/articles/{article_id}/groups", dependencies=editors)
    def shown_to(article_id: str) -> Groups:
        """The groups that an article is shown to."""
        return Groups(groups=groups_of(library, library.article(article_id).id))

    @router.put("/articles/{article_id}/groups", dependencies=editors)
    def share(article_id: str, body: Groups) -> Groups:
        """Show an article to members of these groups only; with none, to everybody."""
        show_to(library, library.article(article_id).id, body.groups)
        return shown_to(article_id)

    @router.put("/articles/{article_id}/tags", dependencies=editors)
    def tag(article_id: str, body: Tags) -> Tags:
        """Give an article these tags and no others; a question may be asked of the articles with a tag."""
        set_tags(library, article_id, body.tags)
        return Tags(tags=tags_of(library, article_id))

    @router.get("/jobs", dependencies=editors)
    def all_jobs() -> list[Job]:
        """The changes that wait, run, or ended lately, newest first."""
        return jobs.all()

    @router.get("/jobs/{job_id}", dependencies=editors)
    def one_job(job_id: str) -> Job:
        """How far a change is."""
        return jobs.job(job_id)

    @router.delete("/jobs/{job_id}", dependencies=editors)
    def cancel(job_id: str) -> Job:
        """Cancel a change that waits or runs."""
        return jobs.cancel(job_id)

    return router


async def _body(request: Request, limit: int) -> bytes:
    """The request's body; 413 where it has more bytes than `limit`."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise HTTPException(413, f"over {limit:,} bytes; split the file")
    return bytes(body)


def _add_json(jobs: Jobs, fetcher: Fetcher, body: bytes) -> Job:
    try:
        added = Added.validate_json(body)
    except ValidationError as error:
        raise HTTPException(422, f"{_wrong(error)}; {HOW}") from error
    title = added.title
    if isinstance(added, Linked):
        url = added.url
        if not re.match(LINK, url):
            raise HTTPException(422, "url: name an address that begins with http:// or https://")
        return jobs.add(url, lambda cancel: read_page(url, fetcher, title, cancel))
    article = make_article(added.text, title=title)
    return jobs.add(article.title, lambda _: article)


def _wrong(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, problem["loc"][1:]))  # without which of the two it was read as
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def _accepted(request: Request, job: Job) -> JSONResponse:
    return JSONResponse(asdict(job), 202, {"location": f"{root_of(request.scope)}/api/v1/jobs/{job.id}"})

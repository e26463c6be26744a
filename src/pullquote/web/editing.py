"""`/api/articles` and `/api/jobs`: what is in the library, and changes to it, which need an editor's token."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from pullquote.articles import make_article
from pullquote.fetching import Fetcher
from pullquote.jobs import Job, Jobs
from pullquote.library import Library
from pullquote.rendering import article_row, chunk_rows
from pullquote.sources import MAX_BYTES, has_source, read_bytes, read_page, reread, shown_name
from pullquote.web.access import Access

MAX_TITLE = 300  # characters
MAX_URL = 2_000
MAX_JSON = 4 * MAX_BYTES  # a text as JSON may be escaped


class Added(BaseModel):
    """An article to add: a text, or the address of one."""

    text: str | None = Field(default=None, max_length=MAX_BYTES)
    title: str = Field(default="", max_length=MAX_TITLE)
    url: str | None = Field(default=None, max_length=MAX_URL)


class Renamed(BaseModel):
    """An article's new title."""

    title: str = Field(min_length=1, max_length=MAX_TITLE)


def routes(library: Library, jobs: Jobs, fetcher: Fetcher, access: Access) -> APIRouter:
    """The routes of one library."""
    router = APIRouter(prefix="/api")
    editors, readers = [Depends(access.editor)], [Depends(access.reader)]

    @router.get("/articles", dependencies=readers)
    def articles() -> list[dict[str, Any]]:
        return [article_row(article, chunks) for article, chunks in library.articles()]

    @router.get("/articles/{article_id}", dependencies=readers)
    def article(article_id: str) -> dict[str, Any]:
        chunks = library.chunks_of(article_id)
        found = library.article(article_id)
        return {**article_row(found, len(chunks)), "text": found.text, "chunk_rows": chunk_rows(found, chunks)}

    @router.post("/articles", dependencies=editors)
    async def add(request: Request, name: str = "", title: str = "", wait: bool = False) -> JSONResponse:
        is_json = request.headers.get("content-type", "").startswith("application/json")
        body = await _body(request, MAX_JSON if is_json else MAX_BYTES)
        if is_json:
            job = await run_in_threadpool(_add_json, jobs, fetcher, body)
        elif name:
            job = jobs.add(shown_name(name), lambda cancel: read_bytes(body, name, title=title, cancel=cancel))
        else:
            raise HTTPException(422, "name the file: /api/articles?name=report.pdf")
        if not wait:
            return _accepted(job)
        ended = await run_in_threadpool(jobs.wait, job.id)
        if ended.state == "failed":
            raise HTTPException(422, ended.message)
        return JSONResponse(_job(ended))

    @router.patch("/articles/{article_id}", dependencies=editors)
    def retitle(article_id: str, body: Renamed) -> JSONResponse:
        return _accepted(jobs.rename(article_id, body.title))

    @router.post("/articles/{article_id}/refresh", dependencies=editors)
    def refresh(article_id: str) -> JSONResponse:
        found, given = library.article(article_id), library.given_title(article_id)
        if not has_source(found):
            raise HTTPException(422, "it was pasted or uploaded, so there is nothing to read again; add the new text")
        return _accepted(jobs.add(found.title, lambda cancel: reread(found, fetcher, given, cancel)))

    @router.delete("/articles/{article_id}", dependencies=editors)
    def remove(article_id: str) -> dict[str, str]:
        library.remove(article_id)
        return {"removed": article_id}

    @router.get("/jobs", dependencies=editors)
    def all_jobs() -> list[dict[str, Any]]:
        return [_job(job) for job in jobs.all()]

    @router.get("/jobs/{job_id}", dependencies=editors)
    def one_job(job_id: str) -> dict[str, Any]:
        return _job(jobs.job(job_id))

    @router.delete("/jobs/{job_id}", dependencies=editors)
    def cancel(job_id: str) -> dict[str, Any]:
        return _job(jobs.cancel(job_id))

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
        added = Added.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise HTTPException(422, f"{where}: {problem['msg']}" if where else problem["msg"]) from error
    title = added.title
    if added.url is not None and added.text is None:
        url = added.url
        return jobs.add(url, lambda cancel: read_page(url, fetcher, title, cancel))
    if added.text is not None and added.url is None:
        article = make_article(added.text, title=title)
        return jobs.add(article.title, lambda _: article)
    raise HTTPException(422, 'send {"text": "…"} or {"url": "…"}, or a file as the body with ?name=report.pdf')


def _accepted(job: Job) -> JSONResponse:
    return JSONResponse(_job(job), 202, {"location": f"/api/jobs/{job.id}"})


def _job(job: Job) -> dict[str, Any]:
    return asdict(job)

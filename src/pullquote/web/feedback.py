"""`/api/feedback`: what a visitor thought of an answer, which is sent back as it came."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from pullquote.datatypes import Status
from pullquote.feedback import Feedback, Opinion, Place, Verdict
from pullquote.settings import MAX_QUESTION
from pullquote.web.access import person_in

MAX_REASON = 1_000  # characters
MAX_QUOTES = 20
MAX_AFTER = 10  # earlier questions that are kept; as many as a follow-up is read with

Offset = Annotated[int, Field(ge=0, lt=2**31)]
Id = Annotated[str, Field(max_length=100)]
Asked = Annotated[str, Field(max_length=MAX_QUESTION)]


class Quoted(BaseModel):
    """A quote of the answer; what else it holds is left alone."""

    article_id: Id
    article_sha256: Id
    start: Offset
    end: Offset
    highlight: tuple[Offset, Offset]

    def place(self) -> Place:
        return Place(**self.model_dump())


class Answered(BaseModel):
    """The answer as it came; what else it holds is left alone."""

    question: Asked = Field(min_length=1)
    status: Status
    quotes: list[Quoted] = Field(default=[], max_length=MAX_QUOTES)
    closest: Quoted | None = None


class Thought(BaseModel):
    """What a visitor thought of an answer, and why."""

    verdict: Verdict
    answer: Answered
    history: list[Asked] = Field(default=[], max_length=200, description="the earlier questions, oldest first")
    reason: str = Field(default="", max_length=MAX_REASON)


class Kept(BaseModel):
    """That it was kept."""

    kept: bool


def routes(feedback: Feedback) -> APIRouter:
    """The routes of one library."""
    router = APIRouter(tags=["Feedback"])

    @router.post("/feedback", status_code=201)
    def keep(request: Request, body: Thought) -> Kept:
        """Say whether an answer was helpful. The question is kept, with the places of the quotes."""
        answer = body.answer
        quoted = answer.quotes or ([answer.closest] if answer.closest else [])
        places = tuple(quote.place() for quote in quoted)
        after = tuple(body.history[-MAX_AFTER:])
        opinion = Opinion(body.verdict, answer.question, answer.status, places, after, body.reason.strip())
        feedback.keep(opinion, person_in(request.scope).sees)
        return Kept(kept=True)

    return router

"""`/insights` and `/api/v1/insights`, `/api/v1/gaps`: what admins are told of questions, and of those refused."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import BaseModel

from pullquote import gaps
from pullquote.answering import Assistant
from pullquote.counting import KEPT_DAYS, Counts
from pullquote.feedback import Feedback
from pullquote.gaps import GapFinder, Gaps
from pullquote.insights import Insights, ceiling, gather, rate
from pullquote.refused import RefusedQuestions
from pullquote.rendering import quote_place, quote_url
from pullquote.shared_library import AnyLibrary
from pullquote.web.access import TOKEN, Access
from pullquote.web.languages import messages_of
from pullquote.web.pages import TEMPLATES

PERIODS = (7, 30, 90)  # days, to choose from on the page
SHOWN = 50  # gaps on the page; the table and the file of questions have them all
FRESH = {"cache-control": "no-store"}
CSV = "text/csv"
KEEP = Markup("<code dir='ltr'>PULLQUOTE_KEEP_REFUSED_DAYS=30</code>")  # what keeps refused questions
BOM = "\ufeff"  # without it, a spreadsheet takes the file for one of another alphabet
FILE: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}

Days = Annotated[int, Query(ge=1, le=KEPT_DAYS, description="today is the last of them")]


class Forgotten(BaseModel):
    """That nothing is kept any more."""

    forgotten: bool


@dataclass(frozen=True)
class Records:
    """What is written down of one library's answers."""

    library: AnyLibrary
    counts: Counts
    refused: RefusedQuestions
    feedback: Feedback
    finder: GapFinder

    @classmethod
    def open(cls, assistant: Assistant, feedback: Feedback, folder: Path, days: int) -> Self:
        """Those of an assistant's library, with refused questions of so many days, kept in a folder."""
        library = assistant.library
        refused = RefusedQuestions(folder, days)
        finder = GapFinder(library, refused, assistant.examiner.encoder)
        return cls(library, Counts(library), refused, feedback, finder)

    def of(self, days: int) -> Insights:
        """The numbers of the last days."""
        return gather(self.counts, self.feedback, days)


def routes(records: Records, access: Access) -> APIRouter:
    """The routes of the HTTP interface."""
    router = APIRouter(tags=["Insights"], dependencies=[Depends(TOKEN), Depends(access.admin)])

    @router.get("/insights")
    def insights(response: Response, days: Days = 30) -> Insights:
        """Questions by day and outcome, seconds by stage, thumbs."""
        response.headers.update(FRESH)
        return records.of(days)

    @router.get("/gaps")
    def all_gaps(response: Response) -> Gaps:
        """Refused questions, grouped by what they mean, with what came closest."""
        response.headers.update(FRESH)
        return records.finder.find()

    @router.get("/gaps.csv", response_class=Response, responses={200: {"content": {CSV: {}}}})
    def table() -> Response:
        """The same as a table."""
        return _file(BOM + gaps.to_csv(records.finder.find()), "gaps.csv", CSV)

    @router.get("/gaps/questions", response_class=Response, responses={200: {"content": FILE}})
    def questions() -> Response:
        """The same, drafted as a file of questions for `pullquote eval`."""
        drafted = gaps.draft(records.library, records.finder.find())
        return _file(json.dumps(drafted, indent=1, ensure_ascii=False), "gaps.json", "application/json")

    @router.delete("/gaps")
    def forget() -> Forgotten:
        """Delete for good all refused questions that are kept."""
        records.refused.forget_all()
        return Forgotten(forgotten=True)

    return router


def pages(records: Records, access: Access) -> APIRouter:
    """The page, and its part that holds the numbers, for a script that sends a token along."""
    router = APIRouter()

    def numbers(request: Request, days: int) -> dict[str, Any]:
        found, words = records.of(days if days in PERIODS else 30), messages_of(request)
        return {
            "found": found,
            "top": ceiling(max(day.answered + day.refused + day.other for day in found.days)),
            "gaps": records.finder.find(),
            "words": words,
            "ngettext": words.ngettext,
            "number": words.number,
            "date": words.date,
        }

    @router.get("/insights")
    def page(request: Request, days: int = 30) -> Response:
        person = access.person(request)
        is_admin = access.is_admin(person)
        shown = {"is_admin": is_admin, "person": person, **(numbers(request, days) if is_admin else {})}
        status = 403 if person.name and not is_admin else 200
        return TEMPLATES.TemplateResponse(request, "insights.html", shown, status, FRESH)

    @router.get("/insights/numbers", dependencies=[Depends(access.admin)])
    def part(request: Request, days: int = 30) -> Response:
        return TEMPLATES.TemplateResponse(request, "numbers.html", numbers(request, days), headers=FRESH)

    return router


def _file(text: str, name: str, kind: str) -> Response:
    return Response(text, headers={**FRESH, "content-disposition": f'attachment; filename="{name}"'}, media_type=kind)


TEMPLATES.env.globals.update(
    quote_place=quote_place, quote_url=quote_url, rate=rate, periods=PERIODS, shown_gaps=SHOWN, keep=KEEP
)

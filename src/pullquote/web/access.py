"""Who a request is, and what they may do: the one place that knows."""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pullquote.people import ANYBODY, Mode, Passwords, Person, access_mode, person_of
from pullquote.sessions import Sessions
from pullquote.settings import Settings
from pullquote.tokens import Tokens
from pullquote.web.clients import path_of
from pullquote.web.problems import problem

COOKIE = "pullquote_session"
USER, GROUPS = "x-forwarded-user", "x-forwarded-groups"  # of a named proxy that has signed the person in
LOGIN = "/login"
FOR_ALL = frozenset({LOGIN, "/logout", "/healthz", "/readyz", "/favicon.ico", "/widget.js", "/embed/allowed"})

TOKEN = HTTPBearer(auto_error=False, scheme_name="token", description="An editor's token: `pullquote token new`")


class Access:
    """Knows people by an editor's token, a session, or what a named proxy says, as the access mode has it."""

    def __init__(self, tokens: Tokens, sessions: Sessions, settings: Settings) -> None:
        self.mode: Mode = access_mode(settings)
        self.sessions = sessions
        self.passwords = Passwords(settings.passwords) if settings.passwords else None
        self._tokens = tokens
        self._settings = settings

    def who(self, scope: Scope) -> Person | None:
        """Who makes this request; None for somebody who has to sign in first."""
        headers = Headers(scope=scope)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and (holder := self._tokens.holder(token.strip())):
            return Person(holder, role="editor")
        if self.mode == "proxy":
            return self._sent_by_proxy(scope, headers)
        return self._signed_in(headers) or (ANYBODY if self.mode == "open" else None)

    def person(self, request: Request) -> Person:
        """Who makes the request, as found before any handler."""
        return person_in(request.scope)

    def reader(self, request: Request) -> None:
        """Who has come in may read, unless the app is open and reading is not: then only editors read."""
        if self.mode == "open" and not self._settings.open_reading:
            self.editor(request)

    def editor(self, request: Request) -> str:
        """The name of the editor, or admin, who calls. 401 for somebody unknown, 403 for a visitor who is known."""
        return self._require(request, lambda person: person.is_editor, "an editor")

    def admin(self, request: Request) -> str:
        """The name of the admin who calls; 401 or 403 as for `editor`."""
        return self._require(request, self.is_admin, "an admin")

    def is_admin(self, person: Person) -> bool:
        """Whether this person sees what admins see. Where nobody signs in, whoever has a token does."""
        return person.is_editor if self.mode == "open" else person.role == "admin"

    def _require(self, request: Request, may: Callable[[Person], bool], what: str) -> str:
        person = self.person(request)
        if may(person):
            return person.name
        if person.name:
            raise HTTPException(403, f"{person.name} is no {what.split()[1]}; ask one to do it")
        message = f"{what}’s token is needed; make one with `pullquote token new --name NAME`"
        raise HTTPException(401, message, {"www-authenticate": "Bearer"})

    def _signed_in(self, headers: Headers) -> Person | None:
        key = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        found = self.sessions.get(key) if key else None
        if not found or found.get("by") != self.mode:
            return None
        name, groups = str(found["name"]), frozenset(map(str, found["groups"]))
        if self.mode == "password":  # the file is asked again: who was taken out of it is out
            now = self.passwords.groups(name) if self.passwords else None
            return None if now is None else person_of(name, now, self._settings)
        return person_of(name, groups, self._settings)

    def _sent_by_proxy(self, scope: Scope, headers: Headers) -> Person | None:
        name = headers.get(USER, "").strip()
        if not name or not scope.get("by_named_proxy"):
            return None
        groups = frozenset(filter(None, (group.strip() for group in headers.get(GROUPS, "").split(","))))
        return person_of(name, groups, self._settings)


class Door:
    """Pure ASGI middleware: notes who makes each request, and lets nobody in who has to sign in first."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        person = self._access.who(scope)
        if person is None and not is_for_all(path_of(scope)):
            await self._turn_away(scope)(scope, receive, send)
        else:
            scope["person"] = person or ANYBODY  # not in a copy: who stands before reads there which route it was
            await self._app(scope, receive, send)

    def _turn_away(self, scope: Scope) -> ASGIApp:
        """To the login page, where a person looks at a page; 401 for a program."""
        headers = Headers(scope=scope)
        is_look = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
        if is_look and self._access.mode != "proxy":
            query = scope["query_string"].decode("latin-1")
            there = quote(path_of(scope) + (f"?{query}" if query else ""), safe="/")
            return RedirectResponse(f"{scope.get('root_path', '')}{LOGIN}?next={there}", 303)
        how = "through the proxy that signs people in" if self._access.mode == "proxy" else f"at {LOGIN}"
        return problem(401, f"sign in {how}, or send an editor’s token", {"www-authenticate": "Bearer"})


def is_for_all(path: str) -> bool:
    """Whether this is served to people who have not signed in."""
    return path in FOR_ALL or path.startswith(("/pullquote/", LOGIN + "/"))


def person_in(scope: Scope) -> Person:
    """Who makes a request that has passed the door; nobody in particular for one that has not."""
    person = scope.get("person")
    return person if isinstance(person, Person) else ANYBODY

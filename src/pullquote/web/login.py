"""Signing in and out: by password, or at an OpenID provider (Authlib)."""

import logging
from math import ceil
from typing import Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from pullquote.messages import N_
from pullquote.people import MAX_PASSWORD
from pullquote.settings import Settings
from pullquote.web.access import COOKIE, LOGIN, Access, person_in
from pullquote.web.clients import visitor_of
from pullquote.web.languages import messages_of
from pullquote.web.pages import TEMPLATES
from pullquote.web.rates import Rates

STATE = "pullquote_state"  # the cookie of somebody who has gone to the provider and is to come back
STATE_SECONDS = 600
TRIES = 10  # passwords a minute from one visitor
HOUR = 3600  # seconds
SILENT = N_("Your organisation’s sign-in does not answer. Please try again later.")
WRONG = N_("Name and password do not fit together.")
FAILED = N_("That did not work. Please sign in again.")

log = logging.getLogger("pullquote")


def routes(access: Access, settings: Settings) -> APIRouter:
    """The routes of the access mode."""
    router = APIRouter()
    seconds = settings.session_hours * HOUR
    tries = Rates(TRIES)

    def page(request: Request, status: int = 200, wrong: str = "", onward: str = "") -> Response:
        onward = _local(onward or request.query_params.get("next", ""))
        shown = {"mode": access.mode, "person": person_in(request.scope), "wrong": wrong, "next": onward}
        return TEMPLATES.TemplateResponse(request, "login.html", shown, status)

    def too_many(request: Request, seconds: int) -> str:
        return messages_of(request).ngettext(
            "Too many tries. Please wait {count} second.", "Too many tries. Please wait {count} seconds.", seconds
        )

    def enter(request: Request, name: str, groups: list[str], onward: str) -> Response:
        """A new session, whatever the browser sent, so that nobody can plant one."""
        key = access.sessions.new({"by": access.mode, "name": name, "groups": groups}, seconds)
        response = RedirectResponse(_path(request, _local(onward)), 303)
        _set_cookie(request, response, COOKIE, key, int(seconds))
        return response

    @router.get(LOGIN)
    def login(request: Request) -> Response:
        return page(request)

    @router.post("/logout")
    def logout(request: Request) -> Response:
        access.sessions.end(request.cookies.get(COOKIE, ""))
        response = RedirectResponse(_path(request, LOGIN), 303)
        response.delete_cookie(COOKIE, path=_path(request, "/"))
        return response

    if access.mode == "password" and (passwords := access.passwords):

        @router.post(LOGIN)
        def check(
            request: Request,
            name: str = Form(max_length=MAX_PASSWORD),
            password: str = Form(max_length=MAX_PASSWORD),
            onward: str = Form("", alias="next"),
        ) -> Response:
            if wait := tries.wait(visitor_of(request.scope)):
                return page(request, 429, too_many(request, ceil(wait)), onward)
            name = name.strip()
            if not passwords.check(name, password):
                return page(request, 401, messages_of(request)(WRONG), onward)
            return enter(request, name, sorted(passwords.groups(name) or ()), onward)

    if access.mode == "oidc":
        from authlib.integrations.base_client import OAuthError  # the other modes do not wait for it at the start
        from httpx2 import HTTPError
        from joserfc.errors import JoseError

        provider = _provider(settings)

        @router.get(f"{LOGIN}/start")
        async def start(request: Request) -> Response:
            request.scope["session"] = state = {"next": _local(request.query_params.get("next", ""))}
            try:
                response: Response = await provider.authorize_redirect(request, str(request.url_for("finish")))
            except (OAuthError, HTTPError, ValueError) as error:
                log.warning("the OpenID provider cannot be reached: %s", error)
                return page(request, 502, messages_of(request)(SILENT))
            _set_cookie(request, response, STATE, access.sessions.new(state, STATE_SECONDS), STATE_SECONDS)
            return response

        @router.get(f"{LOGIN}/finish", name="finish")
        async def finish(request: Request) -> Response:
            key = request.cookies.get(STATE, "")
            request.scope["session"] = state = access.sessions.get(key) or {}
            access.sessions.end(key)
            try:
                token = await provider.authorize_access_token(request)
            except (OAuthError, HTTPError, JoseError, ValueError) as error:
                log.warning("somebody could not be signed in: %s", error)
                return page(request, 401, messages_of(request)(FAILED), state.get("next", ""))
            claims = dict(token["userinfo"])
            name = claims.get("preferred_username") or claims.get("email") or claims["sub"]
            response = enter(request, str(name), _groups(claims), state.get("next", ""))
            response.delete_cookie(STATE, path=_path(request, "/"))
            return response

    return router


def _provider(settings: Settings) -> Any:
    """Authlib's client: a code with PKCE (RFC 7636); it checks the ID token's signature, issuer, audience and nonce."""
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "provider",
        client_id=settings.oidc_client,
        client_secret=settings.oidc_secret.get_secret_value(),
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email groups", "code_challenge_method": "S256"},
    )


def _groups(claims: dict[str, Any]) -> list[str]:
    groups = claims.get("groups", [])
    return [group for group in groups if isinstance(group, str)] if isinstance(groups, list) else []


def _local(path: str) -> str:
    """A path of this app; any other address is the start page."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local else "/"


def _path(request: Request, path: str) -> str:
    return f"{request.scope.get('root_path', '')}{path}"


def _set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    is_https = request.scope["scheme"] == "https"
    path = _path(request, "/")
    response.set_cookie(name, value, seconds, path=path, secure=is_https, httponly=True, samesite="lax")

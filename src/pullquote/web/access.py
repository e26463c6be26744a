"""Who may do what, as dependencies of routes."""

from fastapi import HTTPException, Request
from fastapi.security import HTTPBearer

from pullquote.tokens import Tokens

TOKEN = HTTPBearer(auto_error=False, scheme_name="token", description="An editor's token: `pullquote token new`")


class Access:
    """Editors are known by their token; readers need none where reading is open."""

    def __init__(self, tokens: Tokens, open_reading: bool) -> None:
        self._tokens = tokens
        self._open_reading = open_reading

    def editor(self, request: Request) -> str:
        """The name of the editor who calls; anybody else gets 401."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        holder = self._tokens.holder(token.strip()) if kind.lower() == "bearer" else None
        if holder is None:
            message = "an editor's token is needed; make one with `pullquote token new --name NAME`"
            raise HTTPException(401, message, {"www-authenticate": "Bearer"})
        return holder

    def reader(self, request: Request) -> None:
        """Nobody is turned away where reading is open; else only editors read."""
        if not self._open_reading:
            self.editor(request)

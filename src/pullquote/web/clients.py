"""Who calls: the address behind named proxies, the name in a page's token, and the key to count a visitor under."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pullquote.errors import AccessError
from pullquote.visitors import visitor_in
from pullquote.web.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ABSORBED = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded", b"x-real-ip")
FORWARDED = b"x-forwarded-"
VISITOR = "x-pullquote-visitor"  # the token that the page around the chat was given by its server


class Forwarded:
    """Pure ASGI middleware: what named proxies say of client, scheme and host is believed; nobody else's word arrives.

    `proxies` are their networks. After this, `scope["client"]`, `scope["scheme"]` and the Host header are true.
    """

    def __init__(self, app: ASGIApp, proxies: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._app = app
        self._proxies = proxies
        forget: Any = self._forget  # uvicorn has types of its own for the same protocol
        self._believe: Any = ProxyHeadersMiddleware(forget, [str(network) for network in proxies])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        is_named = self._is_named(address_of(scope))
        headers = [(name, value) for name, value in scope["headers"] if is_named or not name.startswith(FORWARDED)]
        host = Headers(raw=headers).get("x-forwarded-host", "").rpartition(",")[2].strip()  # the nearest proxy's word
        if host:
            headers = [(name, value) for name, value in headers if name != b"host"]
            headers.append((b"host", host.encode("latin-1")))
        await self._believe({**scope, "headers": headers, "by_named_proxy": is_named}, receive, send)

    async def _forget(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name, value) for name, value in scope["headers"] if name not in ABSORBED]
        await self._app({**scope, "headers": headers}, receive, send)

    def _is_named(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._proxies)
        except ValueError:  # a socket of another family has no such address
            return False


class Vouched:
    """Pure ASGI middleware: who calls with a page's token is known by the name in it; a token that is not good is 401.

    Without a secret nobody's token is read.
    """

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = Headers(scope=scope).get(VISITOR) if self._secret and scope["type"] == "http" else None
        if token is None:
            await self._app(scope, receive, send)
            return
        try:
            visitor = visitor_in(token, self._secret)
        except AccessError as error:
            await problem(401, str(error), {"www-authenticate": "Bearer"})(scope, receive, send)
        else:
            await self._app({**scope, "visitor": visitor}, receive, send)


def address_of(scope: Scope) -> str:
    """The client's address, "" where it has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def visitor_of(scope: Scope) -> str:
    """The key under which who calls is counted: the name that a page vouches for, or else the address.

    Of an IPv6 address it is the network that a household has (/64).
    """
    if "visitor" in scope:
        return f"visitor {scope['visitor']}"
    address = address_of(scope)
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def path_of(scope: Scope) -> str:
    """The path below the prefix that the app is served under."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def root_of(scope: Scope) -> str:
    """The path that the app is served under, "" for none; a mounted app's too."""
    return str(scope.get("app_root_path", scope.get("root_path", "")))

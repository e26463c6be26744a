"""Articles from the web, and nothing else from the network: an address is an attack until it is checked.

Each hop is parsed once, its name looked up once, all its addresses checked, and the connection made to one of them;
TLS, SNI and `Host` still go by the name. `httpx` parses; `httpcore`, its engine, fetches: that knows no proxy, cookie,
`.netrc` or redirect that would have to be turned off.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from pullquote.addresses import PORTS, Address, endpoint, follow, is_inside, is_literal, is_public, parse
from pullquote.errors import FetchError

Resolve = Callable[[str], Sequence[str]]  # a host name → its addresses; none, or `OSError`, where it has none
Headers = dict[bytes | str, bytes | str]

MAX_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TYPES = {"text/html", "application/xhtml+xml", "text/plain", "text/markdown", "application/pdf", DOCX}
AGENT = f"Pullquote/{version('pullquote')}"
CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:+-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the web gave: `url` after all redirects, the body as it came, and what to ask with next time."""

    url: str
    content_type: str  # one of `TYPES`
    charset: str | None  # as the server named it, in lower case
    data: bytes
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a fetch may take, in seconds, and how many bytes it may bring."""

    connect: float = 5  # for each address
    read: float = 10  # for each wait
    total: float = 30  # for all hops; only a lookup, which has the system's own limits, can outlast it
    size: int = 20_000_000


class Fetcher:
    """Fetches articles from public addresses, and from the intranet hosts in `allowed`; threads may share it.

    `allowed` holds "wiki" (ports 80 and 443) or "wiki:8080" (that port only): such a host may have a private
    address; all else is checked as ever. `resolve` is asked once for a hop, and not for an address in figures.
    `network` opens the connections; `tls` trusts an intranet's own certificates.
    """

    def __init__(
        self,
        allowed: frozenset[str] = frozenset(),
        resolve: Resolve | None = None,
        *,
        limits: Limits | None = None,
        network: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = {_allowance(entry) for entry in allowed}
        self._resolve = resolve or system_resolve
        self._limits = limits or Limits()
        self._network = network or httpcore.SyncBackend()
        self._tls = tls

    def fetch(self, url: str, etag: str | None = None, last_modified: str | None = None) -> Fetched | None:
        """What is at `url`; None where it has not changed since the fetch that gave this etag or date.

        Raises `FetchError`; its message tells no address, nor whether a name that is refused exists.
        """
        until = time.monotonic() + self._limits.total
        asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        known: Headers = {
            name: value for name, value in asked.items() if value and value.isascii() and value.isprintable()
        }
        hop = parse(url)
        for _ in range(1 + MAX_REDIRECTS):
            with self._answer(hop, known, until) as answer:
                if answer.status == 304 and known:
                    return None
                if answer.status not in REDIRECTS:
                    return self._read(hop, answer)
                hop = follow(hop, httpx.Headers(answer.headers).get("location", ""))
        raise FetchError(
            f"the address redirects over {MAX_REDIRECTS} times; open it in a browser and copy the last one"
        )

    @contextmanager
    def _answer(self, hop: httpx.URL, known: Headers, until: float) -> Iterator[httpcore.Response]:
        """The hop's answer, its body still to be read; a failure of the wire, then too, is a `FetchError`."""
        wire = _Wire(self._network, self._check(hop), until)
        host, port = endpoint(hop)
        url = httpcore.URL(scheme=hop.scheme, host=host, port=port, target=hop.raw_path)
        headers: Headers = {"Host": hop.netloc, "User-Agent": AGENT, "Accept": "*/*", **known}
        headers |= {"Accept-Encoding": "identity", "Connection": "close"}  # a compressed body can grow without end
        waits = {"connect": self._limits.connect, "read": self._limits.read, "write": self._limits.read}
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._tls, network_backend=wire) as pool,
                pool.stream("GET", url, headers=headers, extensions={"timeout": waits}) as answer,
            ):
                yield answer
        except httpcore.TimeoutException as error:
            raise FetchError(f"{host} took too long to answer; try again later") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            cause = next(iter(error.args), None)  # subtle: httpcore's pool takes the `__cause__` away
            if isinstance(cause, ssl.SSLCertVerificationError):
                reason = cause.verify_message.rstrip(".")
                raise FetchError(f"{host} has no valid certificate ({reason}); tell its owner") from error
            raise FetchError(f"{host} gave no proper answer; check the address, or try again later") from error

    def _check(self, hop: httpx.URL) -> list[Address]:
        """The hop's addresses, each fit to be connected to."""
        host, port = endpoint(hop)
        usual = port in PORTS.values()
        allowed = (host, port) in self._allowed or (usual and (host, None) in self._allowed)
        if not usual and not allowed:
            raise FetchError(f"port {port} is not fetched from; use an address without a port")
        try:
            found = [ip_address(name) for name in ([host] if is_literal(host) else self._resolve(host))]
        except (OSError, ValueError):
            found = []
        if not found or not all(is_public(address) or (allowed and is_inside(address)) for address in found):
            raise FetchError(  # subtle: the same words for "no such name" and "not public", or it maps the intranet
                f"no public address was found for {host}; check the spelling, or add the article as a file or text. "
                "The operator can allow a host of the intranet by name"
            )
        return found

    def _read(self, hop: httpx.URL, answer: httpcore.Response) -> Fetched:
        """The article in the answer, counted while it comes."""
        host = endpoint(hop)[0]
        headers = httpx.Headers(answer.headers)
        kind = headers.get("content-type", "").lower()
        content_type = kind.partition(";")[0].strip()
        if answer.status != 200:
            raise FetchError(f"{host} answered with status {answer.status}; check the address")
        if headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
            raise FetchError(f"{host} sends only compressed pages; save the page and add the file")
        if content_type not in TYPES:
            raise FetchError(
                f"{content_type[:80] or 'no type'!r} is no article; give the address of a page, PDF or DOCX"
            )
        data = bytearray()
        for part in answer.iter_stream():
            data += part
            if len(data) > self._limits.size:
                raise FetchError(f"the article is over {self._limits.size / 1e6:g} MB; add it in smaller files")
        charset = CHARSET.search(kind)
        etag, last_modified = headers.get("etag"), headers.get("last-modified")
        return Fetched(str(hop), content_type, charset and charset[1], bytes(data), etag, last_modified)


def system_resolve(host: str) -> list[str]:
    """The addresses of a name, as the system finds them. Raises `OSError` where it finds none."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))


def _allowance(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry of `allowed`. Raises `FetchError`."""
    try:
        port = httpx.URL(f"allow://{entry}").port  # subtle: a scheme without a usual port, or ":80" would get lost
        url = parse(f"http://{entry}")
    except (httpx.InvalidURL, ValueError, FetchError):
        url = None
    if not url or url.raw_path != b"/":
        raise FetchError(f"{entry!r} is no host to allow; write it as wiki or wiki:8080")
    return endpoint(url)[0], port


class _Wire(httpcore.NetworkBackend):
    """Connects to the checked addresses, whatever it is asked for, and lets no wait outlast `until`."""

    def __init__(self, network: httpcore.NetworkBackend, addresses: Sequence[Address], until: float) -> None:
        self._network, self._addresses, self._until = network, addresses, until

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in self._addresses:
            wait = _left(self._until, timeout)
            try:
                stream = self._network.connect_tcp(str(address), port, wait, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._until)
        raise failure


class _Stream(httpcore.NetworkStream):
    """A connection with an end: a server that drips byte by byte, head or body, gains nothing."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._until, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        wait = _left(self._until, timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, wait), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float, timeout: float | None) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the fetch as a whole took too long")
    return left if timeout is None else min(left, timeout)

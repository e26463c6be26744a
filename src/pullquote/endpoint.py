"""The way to the language model: one HTTP connection that ends in time and size, whatever the other side does."""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from pullquote.errors import DraftError

MAX_WIRE = 512_000  # bytes that may come: each token of a stream is wrapped in some 300 of them


class Endpoint(httpx2.BaseTransport):
    """A transport for one request that is over at `until` (of `time.monotonic`), or after `MAX_WIRE` bytes.

    It goes to the host that it is asked for and nowhere else: no proxy, and the client follows no redirect.
    Raises `DraftError` with what went wrong.
    """

    def __init__(self, until: float) -> None:
        self._pool = httpcore2.ConnectionPool(network_backend=_Network(until))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        asked = httpcore2.Request(request.method, url, headers=request.headers.raw, content=request.stream)
        with _told():
            answer = self._pool.handle_request(asked)
        if answer_encoding(answer) not in {"", "identity"}:  # a compressed body can grow without end
            answer.close()
            raise DraftError("it sent a compressed reply, which it was not asked for")
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._pool.close()


def answer_encoding(answer: httpcore2.Response) -> str:
    """The body's content encoding, "" for none."""
    return httpx2.Headers(answer.headers).get("content-encoding", "").strip().lower()


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _told():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _told() -> Iterator[None]:
    """A failure of the wire in words."""
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise DraftError("it took too long") from error
    except httpcore2.ConnectError as error:
        raise DraftError(f"it cannot be reached ({error})") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
        raise DraftError("the connection broke off") from error


class _Network(httpcore2.NetworkBackend):
    """Connections that know the time and count their bytes together."""

    def __init__(self, until: float) -> None:
        self._until, self._network = until, httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        wait = _left(self._until)
        return _Stream(self._network.connect_tcp(host, port, wait, local_address, socket_options), self._until)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, until: float) -> None:
        self._stream, self._until, self._came = stream, until, 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        data = self._stream.read(max_bytes, _left(self._until))
        self._came += len(data)
        if self._came > MAX_WIRE:
            raise DraftError(f"it sent more than {MAX_WIRE // 1000} kB")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left(self._until))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(self._until)), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time is over")
    return left

"""Can an address reach what it must not? `python -m tests.acceptance.ssrf` prints counts, and exits 1 if short.

`Internet` is a network in a box: real HTTP servers on the loopback stand behind public addresses, and every other
address and port leads to a canary. Each attack runs against the guarded fetcher, which must not touch the canary,
and against a careless client, which must: an attack that harms nobody, or a dead canary, proves nothing.
"""

import ipaddress
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore

from pullquote.addresses import is_public
from pullquote.errors import FetchError
from pullquote.fetching import Fetched, Fetcher, Limits

PUBLIC = "93.184.216.34"
WIKI = "10.0.0.5"
ARTICLE = b"An article."
NAMES = {
    "public.example": PUBLIC,
    "wiki.example": WIKI,
    "localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
    "ip6-localhost": "::1",
    "x.localhost": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "inside.example": "10.0.0.1",
    "six.example": "fd00::1",
    "mapped.example": "::ffff:10.0.0.1",
    "metadata.google.internal": "169.254.169.254",
    "xn--bcher-kva.example": "127.0.0.1",
}


def _words(text: str) -> list[str]:
    return text.split()


V4 = _words(
    "127.0.0.1 127.1 127.0.1 127.255.255.254 0.0.0.0 0 0.0.0.1 2130706433 0x7f000001 017700000001 0x7f.0.0.1 "
    "0177.0.0.1 0x7f.1 127.0.0.0x1 00000177.0.0.1 127.0.0.1. 0x7F.0.1 10.0.0.1 172.16.0.1 192.168.0.1 100.64.1.1 "
    "100.100.100.200 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 168.63.129.16 192.0.0.192 "
    "192.88.99.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 203.0.113.1"
)
V6 = _words(
    "::1 0:0:0:0:0:0:0:1 :: ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 "
    "64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a00:1::1 2001:0:7f00:1:: 2001:0:5db8:d822:0:0:80ff:fffe "
    "2001:db8::1 fec0::1 fe80::1 fd00::1 fd00:ec2::254 ff02::1 3fff::1 5f00::1 100::1 2606:4700::5efe:a00:1 "
    "2606:4700::200:5efe:a00:1"
)
UNICODE = _words("127。0。0。1 127．0．0．1 127｡0｡0｡1 １２７.0.0.1 ①②⑦.0.0.1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ localhost。 bücher.example")
ALIASES = [name for name, address in NAMES.items() if address not in {PUBLIC, WIKI}]
WITH_USER = _words(
    "http://public.example@127.0.0.1/ http://public.example:80@127.0.0.1/ http://a@b@127.0.0.1/ http://@127.0.0.1/ "
    "http://127.0.0.1%2f@public.example/ http://public.example%40127.0.0.1/ http://user:pass@public.example/"
)
WITH_PORT = _words(
    "http://public.example:22/ http://public.example:8080/ http://public.example:0/ http://127.0.0.1:6379/ "
    "https://127.0.0.1/ https://[::1]/ HTTP://LOCALHOST/ http://127.0.0.1:443/ https://localhost:80/ http://[::1]:22/"
)
OTHER_SCHEMES = _words(
    "file:///etc/passwd gopher://127.0.0.1:70/_x ftp://127.0.0.1/ dict://127.0.0.1:2628/ //127.0.0.1/ data:,secret "
    "jar:http://127.0.0.1!/ ldap://127.0.0.1/ unix:///var/run/docker.sock ws://127.0.0.1/ javascript:alert(1) 127.0.0.1"
)
MALFORMED = [
    *("http://public.example\\@127.0.0.1/", "http://127.0.0.1\\@public.example/", "http:\\\\127.0.0.1\\", "http://./"),
    *("http://127.0.\t0.1/", "http://127.0.0.1\t/", "\thttp://127.0.0.1/", "http://127.0.\n0.1/"),
    *("http://127.0.0.1 /", "http:// 127.0.0.1/", "http://%31%32%37.0.0.1/", "http://[::1%25lo]/", "http://[::1]x/"),
    *("http:127.0.0.1", "http:///127.0.0.1", "", "http://", "http://a..b/", "http://:80/", "http://\x00127.0.0.1/"),
]
HOSTS = [*V4, *(f"[{address}]" for address in V6), *UNICODE, *ALIASES]
URLS = [*(f"http://{host}/" for host in HOSTS), *WITH_USER, *WITH_PORT, *OTHER_SCHEMES, *MALFORMED]
HOME = "http://public.example"
CHAINS = {  # what the public site answers at each path; then its requests, and the lookups, of a guarded fetch
    "to the loopback": ({"/": "http://127.0.0.1/"}, 1, 1),
    "relative, then to the loopback": ({"/": "next?a=1", "/next?a=1": "http://[::1]/"}, 2, 2),
    "without a scheme": ({"/": "//inside.example/"}, 1, 2),
    "to another scheme": ({"/": "https://inside.example/"}, 1, 2),
    "over five redirects": ({f"/{'i' * n}": f"/{'i' * (n + 1)}" for n in range(6)} | {"/iiiiii": "//127.0.0.1/"}, 6, 6),
    "loop": ({"/": "/"}, 6, 6),
    "to a file": ({"/": "file:///etc/passwd"}, 1, 1),
    "with a user name": ({"/": "http://public.example@127.0.0.1/"}, 1, 1),
}
HARMLESS = {"loop", "to a file"}  # chains that lead a careless web client nowhere
CODES = (301, 302, 303, 307, 308)
SCRIPTS = {  # a name's answers, one a lookup, the last for ever; then whether a page comes, and the lookups, if guarded
    "public, then private": ([[PUBLIC], ["127.0.0.1"]], True, 1),
    "public and private": ([[PUBLIC, "10.0.0.1"]], False, 1),
    "public IPv4, loopback IPv6": ([[PUBLIC, "::1"]], False, 1),
    "private at the second hop": ([[PUBLIC], ["169.254.169.254"]], False, 2),
    "nothing, then private": ([[], ["127.0.0.1"]], False, 1),
}


class Server(ThreadingHTTPServer):
    """A server on the loopback that counts its connections and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, answer: Callable[["Handler"], None]) -> None:
        self.answer = answer
        self.hits = 0
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        self.hits += 1
        return super().get_request()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what many tests are about."""


class Handler(BaseHTTPRequestHandler):
    """Hands each GET to its server's `answer`."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.server.answer(self)

    def log_message(self, *_: object) -> None:
        """Silent."""

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer; in a header's name, _ stands for -."""
        self.send_response(status)
        for name, value in ({"content_length": str(len(body)), "content_type": "text/plain"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(answer: Callable[[Handler], None]) -> Iterator[Server]:
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Internet(httpcore.NetworkBackend):
    """Names, and addresses with servers behind them; who connects by name is given a second answer, as in life."""

    def __init__(self, sites: dict[str, Server], canary: Server) -> None:
        self.sites = sites  # by address; ports 80 and 443 only
        self.canary = canary
        self.scripts: dict[str, list[list[str]]] = {}
        self.lookups: list[str] = []
        self.reached: list[str] = []  # what of the canary's was connected to

    def resolve(self, host: str) -> Sequence[str]:
        self.lookups.append(host)
        if script := self.scripts.get(host):
            return script.pop(0) if len(script) > 1 else script[0]
        if host in NAMES:
            return [NAMES[host]]
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(found[0][4][0])]

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        with suppress(OSError):
            host = [host, *self.resolve(host)][-1] if not _is_address(host) else host
        server = self.sites.get(host, self.canary) if port in {80, 443} else self.canary
        if server is self.canary:
            self.reached.append(f"{host}:{port}")
        return httpcore.SyncBackend().connect_tcp(
            "127.0.0.1", server.server_port, timeout, local_address, socket_options
        )


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def careless(url: str, internet: Internet) -> None:
    """Fetch as many programs do: check the first address of the name, then connect by name, and follow redirects."""
    broken = (OSError, ValueError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)
    with suppress(*broken):
        for first in [True] + [False] * 9:
            parts = urlsplit(url)
            host = (parts.hostname or "").encode("idna").decode()
            if not host or parts.scheme not in {"http", "https"}:
                return
            if first and host in internet.scripts:
                answers = internet.resolve(host)
                if answers and not is_public(ipaddress.ip_address(answers[0])):
                    return
            port = (443 if parts.scheme == "https" else 80) if parts.port is None else parts.port
            target = httpcore.URL(
                scheme=parts.scheme,
                host=host,
                port=port,
                target=urljoin("/", parts._replace(scheme="", netloc="").geturl()),
            )
            waits = {"timeout": {"connect": 2, "read": 2, "write": 2}}
            with httpcore.ConnectionPool(network_backend=internet) as pool:
                answer = pool.request("GET", target, headers={"Host": host}, extensions=waits)
            locations = [value.decode() for name, value in answer.headers if name.lower() == b"location"]
            if answer.status not in CODES or not locations:
                return
            url = urljoin(url, locations[0])


def guarded(url: str, internet: Internet, allowed: frozenset[str] = frozenset()) -> Fetched | None:
    """What the guarded fetcher makes of an address; None for a refusal."""
    with suppress(FetchError):
        return Fetcher(allowed, internet.resolve, network=internet, limits=Limits(2, 2, 5)).fetch(url)
    return None


@dataclass(frozen=True)
class Outcome:
    """What the guarded client got, and how often it asked the resolver and the public site."""

    page: Fetched | None
    lookups: int
    requests: int


class Trial:
    """One public site, one intranet host, one canary; every attack is made by both clients and counted."""

    def __init__(self, site: Server, canary: Server, routes: dict[str, tuple[int, str]]) -> None:
        self.site = site
        self.canary = canary
        self.routes = routes
        self.counts: Counter[str] = Counter()
        self.short: list[str] = []

    def net(self, script: Sequence[list[str]] = ()) -> Internet:
        net = Internet({PUBLIC: self.site, WIKI: self.site}, self.canary)
        if script:
            net.scripts["public.example"] = [*script]
        return net

    def attack(self, kind: str, name: str, url: str, script: Sequence[list[str]] = ()) -> Outcome:
        """Both clients against one address; the guarded one's connections to the canary are a shortfall."""
        net, control = self.net(script), self.net(script)
        before = len(self.site.asked)
        outcome = Outcome(guarded(url, net), len(net.lookups), len(self.site.asked) - before)
        self.counts["canary_hits"] += len(net.reached)
        self.expect(f"{name}: canary hits", len(net.reached), 0)
        careless(url, control)
        self.counts["control_hits"] += len(control.reached)
        self.counts[kind] += 1
        self.counts[f"{kind}_that_hit_if_careless"] += bool(control.reached)
        if kind != "urls" and name not in HARMLESS:
            self.expect(f"{name}: a careless client hits the canary", bool(control.reached), True)
        return outcome

    def expect(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.short.append(f"{what}: {found}, not {wanted}")

    def urls(self) -> None:
        for url in URLS:
            outcome = self.attack("urls", repr(url), url)
            self.expect(f"{url!r} is refused", outcome.page, None)
            self.expect(f"{url!r} is looked up at most once", outcome.lookups <= 1, True)

    def chains(self) -> None:
        for (name, (routes, requests, lookups)), code in product(CHAINS.items(), CODES):
            self.routes.update({path: (code, location) for path, location in routes.items()})
            outcome = self.attack("chain_runs", name, f"{HOME}/")
            self.expect(f"{code} {name}", outcome, Outcome(None, lookups, requests))
            self.counts.update(hops=lookups, lookups=outcome.lookups)
            self.routes.clear()
        self.counts["chains"] = len(CHAINS)

    def scripts(self) -> None:
        for name, (answers, served, lookups) in SCRIPTS.items():
            if lookups > 1:
                self.routes["/"] = (302, "/again")
            outcome = self.attack("scripts", name, f"{HOME}/", answers)
            self.expect(f"{name}: a page comes", outcome.page is not None, served)
            self.expect(f"{name}: lookups", outcome.lookups, lookups)
            self.counts.update(hops=lookups, lookups=outcome.lookups)
            self.routes.clear()

    def good(self) -> None:
        """What must work: the public site, five redirects, and the intranet host if allowed, and only then."""
        self.routes.update({f"/{left}": (302, f"/{left - 1}") for left in range(1, 6)})
        for url, allowed, served, lookups in (
            (f"{HOME}/", frozenset[str](), True, 1),
            (f"{HOME}/5", frozenset[str](), True, 6),
            ("http://wiki.example/", frozenset({"wiki.example"}), True, 1),
            ("http://wiki.example/", frozenset[str](), False, 1),
        ):
            page = guarded(url, net := self.net(), allowed)
            self.expect(f"{url} for {sorted(allowed)} comes", page is not None and page.data == ARTICLE, served)
            self.expect(f"{url} for {sorted(allowed)}: lookups", len(net.lookups), lookups)
            self.counts.update(hops=lookups, lookups=len(net.lookups))
            self.counts["good_fetches"] += served and page is not None
        self.routes.clear()

    def finish(self) -> None:
        """Both detectors, what was connected to and what the canary saw, must agree; the table must be large."""
        until = time.monotonic() + 5
        while self.canary.hits < self.counts["control_hits"] and time.monotonic() < until:
            time.sleep(0.01)
        self.expect(
            "connections the canary saw", self.canary.hits, self.counts["canary_hits"] + self.counts["control_hits"]
        )
        self.expect("distinct addresses", len(set(URLS)), len(URLS))
        self.expect("60 addresses that hit if careless", self.counts["urls_that_hit_if_careless"] >= 60, True)


def measure() -> tuple[dict[str, int], list[str]]:
    """The counts, and what fell short."""
    routes: dict[str, tuple[int, str]] = {}

    def answer(asked: Handler) -> None:
        code, location = routes.get(asked.path, (200, ""))
        asked.reply(code, ARTICLE, **({"Location": location} if location else {}))

    with serving(answer) as site, serving(lambda asked: asked.reply(200, b"secret")) as canary:
        trial = Trial(site, canary, routes)
        for part in (trial.urls, trial.chains, trial.scripts, trial.good, trial.finish):
            part()
    return dict(trial.counts), trial.short


if __name__ == "__main__":
    counts, short = measure()
    sys.stdout.writelines(f"short: {line}\n" for line in short)
    sys.stdout.writelines(f"{name}: {count}\n" for name, count in (counts | {"shortfalls": len(short)}).items())
    sys.exit(bool(short))

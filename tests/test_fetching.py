"""The guarded fetch: what it gives, what it refuses, and that the detectors which say "refused" can fire at all."""

import gzip
import ipaddress
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullquote.addresses import embedded, follow, is_public, parse
from pullquote.errors import FetchError
from pullquote.fetching import DOCX, TYPES, Fetched, Fetcher, Limits
from tests.acceptance.ssrf import ARTICLE, HOME, NAMES, PUBLIC, WIKI, Handler, Internet, Server, measure, serving

Answer = Callable[[Handler], None]
QUICK = Limits(connect=0.5, read=0.4, total=0.8, size=100_000)


class Web:
    """One public site whose answer a test may set, its network, and the canary behind all else."""

    def __init__(self, site: Server, canary: Server) -> None:
        self.site = site
        self.canary = canary
        self.net = Internet({PUBLIC: site, WIKI: site}, canary)

    def fetch(self, url: str = f"{HOME}/", allowed: frozenset[str] = frozenset(), limits: Limits = QUICK) -> Fetched:
        found = Fetcher(allowed, self.net.resolve, network=self.net, limits=limits).fetch(url)
        assert found
        return found

    def hits(self) -> int:
        return self.canary.hits

    def refusal(self, url: str = f"{HOME}/", allowed: frozenset[str] = frozenset(), limits: Limits = QUICK) -> str:
        with pytest.raises(FetchError) as caught:
            self.fetch(url, allowed, limits)
        assert not self.net.reached
        assert not self.hits()
        return str(caught.value)


def plain(asked: Handler) -> None:
    asked.reply(200, ARTICLE)


def redirect(code: int, location: str) -> Answer:
    return lambda asked: asked.reply(code, Location=location)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(plain) as site, serving(plain) as canary:
        yield Web(site, canary)


# What it gives


def test_a_page_comes_with_all_that_is_said_about_it(web: Web) -> None:
    kind = 'Text/HTML; Charset="UTF-8"'
    web.site.answer = lambda asked: asked.reply(
        200, b"<p>\xc3\xa9</p>", content_type=kind, etag='W/"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"
    )
    assert web.fetch("HTTP://Public.Example.:80/a/../b c?q=é#part") == Fetched(
        url="http://public.example/b%20c?q=%C3%A9",
        content_type="text/html",
        charset="utf-8",
        data=b"<p>\xc3\xa9</p>",
        etag='W/"1"',
        last_modified="Mon, 01 Jan 2024 00:00:00 GMT",
    )
    assert web.site.asked[0][0] == "/b%20c?q=%C3%A9"


def test_a_request_says_who_asks_and_no_more(web: Web) -> None:
    web.fetch()
    assert web.site.asked[0][1] == {
        "host": "public.example",
        "user-agent": f"Pullquote/{version('pullquote')}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


def test_a_page_that_has_not_changed_is_none(web: Web) -> None:
    def answer(asked: Handler) -> None:
        asked.reply(304 if asked.headers["If-None-Match"] == '"1"' or asked.headers["If-Modified-Since"] else 200)

    web.site.answer = answer
    fetcher = Fetcher(resolve=web.net.resolve, network=web.net)
    assert fetcher.fetch(HOME, etag='"1"') is None
    assert fetcher.fetch(HOME, last_modified="Mon, 01 Jan 2024 00:00:00 GMT") is None
    assert fetcher.fetch(HOME, etag='"2"') is not None
    assert fetcher.fetch(HOME, etag='"2"\r\nX-Evil: 1') is not None
    assert "x-evil" not in web.site.asked[-1][1]
    web.site.answer = lambda asked: asked.reply(304)
    assert "status 304" in web.refusal()


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_last_address_told(web: Web, code: int) -> None:
    def answer(asked: Handler) -> None:
        if asked.path == "/":
            asked.reply(code, Location="../new?a=1#part", set_cookie="who=me")
        else:
            plain(asked)

    web.site.answer = answer
    assert web.fetch().url == f"{HOME}/new?a=1"
    assert web.net.lookups == ["public.example"] * 2
    assert "cookie" not in web.site.asked[1][1]


def test_the_next_address_is_tried_when_one_does_not_answer(web: Web) -> None:
    gone = Server(plain)
    gone.server_close()
    web.net.sites["8.8.8.8"] = gone
    web.net.scripts["public.example"] = [["8.8.8.8", PUBLIC]]
    assert web.fetch().data == ARTICLE
    web.net.scripts["public.example"] = [["8.8.8.8"]]
    assert "gave no proper answer" in web.refusal()


def test_the_proxy_of_the_environment_is_not_used(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{web.canary.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    here = f"127.0.0.1:{web.site.server_port}"
    assert Fetcher(frozenset({here})).fetch(f"http://{here}/")
    assert web.hits() == 0
    assert httpx.get(HOME).status_code == 200  # the control: this client does ask the proxy
    assert web.hits() == 1


# Where it may go


def test_no_attack_of_the_acceptance_measurement_reaches_the_canary() -> None:
    counts, short = measure()
    assert short == []
    assert counts["canary_hits"] == 0
    assert counts["urls"] >= 60
    assert counts["chains"] == 8
    assert counts["scripts"] == 5
    assert counts["lookups"] == counts["hops"] > 0


def test_the_loopback_of_this_machine_is_reached_only_if_allowed(web: Web) -> None:
    here, canary = (f"http://localhost:{server.server_port}" for server in (web.site, web.canary))
    web.site.answer = redirect(302, f"{canary}/secret")
    allowed = frozenset({here.removeprefix("http://")})
    for fetcher in (Fetcher(), Fetcher(allowed)):  # the system's own resolver and network
        with pytest.raises(FetchError):
            fetcher.fetch(here)
    assert web.hits() == 0
    assert httpx.get(here, follow_redirects=True).content == ARTICLE  # the control: the redirect does lead there
    assert web.hits() == 1
    web.site.answer = plain
    found = Fetcher(allowed).fetch(here)
    assert found
    assert found.data == ARTICLE


@pytest.mark.parametrize(
    ("entry", "url", "works"),
    [
        ("wiki.example", "http://wiki.example/", True),
        ("WIKI.example.", "http://wiki.example/", True),
        ("wiki.example", "http://wiki.example:443/", True),
        ("wiki.example:80", "http://wiki.example/", True),
        ("wiki.example:80", "http://wiki.example:443/", False),
        ("wiki.example:443", "http://wiki.example/", False),
        ("wiki.example", "http://wiki.example:8080/", False),
        ("wiki.example", "http://inside.example/", False),
        ("wiki.example", "http://a.wiki.example/", False),
        ("wiki.example", f"http://{WIKI}/", False),
        (WIKI, f"http://{WIKI}/", True),
        ("metadata.google.internal", "http://metadata.google.internal/", False),
        ("mapped.example", "http://mapped.example/", False),
    ],
)
def test_a_host_of_the_intranet_is_reached_by_its_allowed_name_and_port(
    web: Web, entry: str, url: str, works: bool
) -> None:
    if works:
        assert web.fetch(url, frozenset({entry})).data == ARTICLE
    else:
        web.refusal(url, frozenset({entry}))


def test_an_allowed_port_is_reached() -> None:
    with serving(plain) as wiki:
        host = f"wiki:{wiki.server_port}"
        found = Fetcher(frozenset({host}), {"wiki": ["127.0.0.1"]}.__getitem__).fetch(f"http://{host}/a")
        assert found
        assert found.url == f"http://{host}/a"
        assert wiki.asked[0][1]["host"] == host


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "0.0.0.0", "fe80::1%lo"])
def test_an_allowed_name_never_leads_to_a_clouds_credentials(web: Web, address: str) -> None:
    web.net.scripts["wiki.example"] = [[address]]
    web.refusal("http://wiki.example/", frozenset({"wiki.example"}))


@pytest.mark.parametrize("entry", ["", "http://wiki", "wiki/page", "*.corp", "10.0.0.0/8", "me@wiki", "wiki:x", "::1"])
def test_an_allowance_that_names_no_host_is_an_error(entry: str) -> None:
    with pytest.raises(FetchError, match="write it as wiki or wiki:8080"):
        Fetcher(frozenset({entry}))


# https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-: one address of each block that is not global
SPECIAL = (
    "0.1.2.3 10.1.2.3 100.64.0.1 100.127.255.255 127.0.0.1 169.254.1.1 172.31.255.255 192.0.0.8 192.0.0.192 192.0.2.1 "
    "192.88.99.2 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 ::1 :: "
    "64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 "
    "fe80::1 fec0::1 ff02::1 4000::1"
)
GLOBAL = "8.8.8.8 93.184.216.34 100.63.255.255 172.32.0.1 192.1.0.1 2606:4700::1111 2a00:1450:4001::5e 2620:fe::fe"


def test_the_special_addresses_are_not_public_and_the_others_are() -> None:
    assert [one for one in SPECIAL.split(" ") if is_public(ipaddress.ip_address(one))] == []
    assert [one for one in GLOBAL.split(" ") if not is_public(ipaddress.ip_address(one))] == []


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_address_is_judged_as_itself(inner: ipaddress.IPv4Address) -> None:
    a, b = f"{inner.packed.hex()[:4]}", f"{inner.packed.hex()[4:]}"
    turned = f"{int(inner) ^ 0xFFFFFFFF:08x}"
    for outer in (
        *(f"::{a}:{b}", f"::ffff:{a}:{b}", f"::ffff:0:{a}:{b}", f"64:ff9b::{a}:{b}", f"2002:{a}:{b}::1"),
        *(f"2001:0:808:808:0:0:{turned[:4]}:{turned[4:]}", f"2001:0:{a}:{b}:0:0:f7f7:f7f7"),
        *(f"2606:4700::5efe:{a}:{b}", f"2606:4700::200:5efe:{a}:{b}"),
    ):
        address = ipaddress.IPv6Address(outer)
        assert inner in embedded(address)
        assert is_public(address) == is_public(inner)


@given(st.one_of(st.text(), st.builds("http://{}/{}".format, st.text(), st.text())))
def test_an_address_is_refused_or_has_one_form(text: str) -> None:
    try:
        url = parse(text)
    except FetchError:
        return
    assert str(url).isascii()
    assert parse(str(url)) == url
    assert httpx.URL(str(url)).raw_host == url.raw_host


@given(st.one_of(st.text(), st.builds("//{}".format, st.text()), st.sampled_from(["//[", "//xn--a/", "http://[::1]x"])))
def test_any_location_is_refused_or_followed(location: str) -> None:
    try:
        url = follow(parse("https://xn--a.example/"), location)
    except FetchError:
        return
    assert url.scheme == "https"


# What a refusal says


def test_a_refusal_tells_no_address_and_not_whether_a_name_exists(web: Web) -> None:
    said = {name: web.refusal(f"http://{name}/").replace(name, "NAME") for name in (*NAMES, "no.such.example")[2:]}
    assert len(set(said.values())) == 1
    assert "add the article as a file or text" in said["no.such.example"]
    assert not any(NAMES[name] in said[name] for name in NAMES if name in said)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://public.example/", "only http:// and https://"),
        ("public.example/page", "only http:// and https://"),
        ("http://me:secret@public.example/", "before an @"),
        ("http://public.example:8080/", "port 8080"),
        ("http://0x7f.1/", "https://example.com/page"),
        ("http://[2606:4700::1%25lo]/", "https://example.com/page"),
        ("http://public.example\t/", "no backslash and no tab"),
        (f"{HOME}/{'a' * 3000}", "2,048 characters"),
    ],
)
def test_a_refusal_says_what_to_do(web: Web, url: str, says: str) -> None:
    said = web.refusal(url)
    assert says in said
    assert "secret" not in said
    assert not web.net.lookups


# What it takes


@pytest.mark.parametrize("kind", [*sorted(TYPES), "TEXT/Markdown ; charset=x", f"{DOCX};a=b"])
def test_the_types_of_an_article_are_taken(web: Web, kind: str) -> None:
    web.site.answer = lambda asked: asked.reply(200, ARTICLE, content_type=kind)
    assert web.fetch().content_type == kind.partition(";")[0].strip().lower()


@pytest.mark.parametrize("kind", ["image/png", "application/zip", "application/json", "nonsense", "", "text/html, a/b"])
def test_other_types_are_refused_by_name(web: Web, kind: str) -> None:
    web.site.answer = lambda asked: asked.reply(200, ARTICLE, content_type=kind)
    assert repr(kind or "no type") in web.refusal()


@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("text/html", None),
        ("text/html; charset=UTF-8", "utf-8"),
        ("text/html;a=b; CharSet='Windows-1252'", "windows-1252"),
        ('text/html; charset="', None),
    ],
)
def test_the_charset_is_the_servers(web: Web, kind: str, charset: str | None) -> None:
    web.site.answer = lambda asked: asked.reply(200, ARTICLE, content_type=kind)
    assert web.fetch().charset == charset


def test_a_compressed_body_is_refused(web: Web) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    assert len(bomb) < QUICK.size
    web.site.answer = lambda asked: asked.reply(200, bomb, content_encoding="gzip")
    assert "compressed" in web.refusal()
    web.site.answer = lambda asked: asked.reply(200, bomb, transfer_encoding="gzip, chunked")
    assert "gave no proper answer" in web.refusal()
    web.site.answer = lambda asked: asked.reply(200, ARTICLE, content_encoding="Identity")
    assert web.fetch().data == ARTICLE


def test_a_body_is_cut_off_at_the_cap_while_it_comes(web: Web) -> None:
    sent = 0

    def endless(asked: Handler) -> None:
        nonlocal sent
        asked.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        for _ in range(1_000):
            sent += asked.wfile.write(bytes(100_000))

    web.site.answer = endless
    assert "over 0.1 MB" in web.refusal()
    assert sent < 20_000_000
    web.site.answer = lambda asked: asked.reply(200, bytes(QUICK.size))
    assert len(web.fetch().data) == QUICK.size
    web.site.answer = lambda asked: asked.reply(200, bytes(QUICK.size + 1))
    web.refusal()


def test_the_limits_are_those_of_the_design() -> None:
    assert Limits() == Limits(connect=5, read=10, total=30, size=20_000_000)


DRIPS = {
    "head": b"HTTP/1.0 200 OK\r\nX-Long: ",
    "body": b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
}


@pytest.mark.parametrize("start", DRIPS.values(), ids=DRIPS)
def test_a_server_that_drips_is_cut_off_at_the_total(web: Web, start: bytes) -> None:
    def drip(asked: Handler) -> None:
        asked.wfile.write(start)
        for _ in range(20):
            time.sleep(0.1)
            asked.wfile.write(b"a")

    web.site.answer = drip
    began = time.monotonic()
    assert "took too long" in web.refusal()
    assert 0.7 < time.monotonic() - began < 1.6
    began = time.monotonic()  # the control: a timeout for each read alone lets it go on
    with suppress(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{web.site.server_port}/", timeout=QUICK.read)
    assert time.monotonic() - began > 1.8


def test_the_total_is_for_all_hops(web: Web) -> None:
    def slow(asked: Handler) -> None:
        time.sleep(0.3)
        asked.reply(302, Location="/")

    web.site.answer = slow
    assert "took too long" in web.refusal()
    assert len(web.site.asked) < 4


def test_a_silent_server_is_left_after_the_read_limit(web: Web) -> None:
    web.site.answer = lambda _: time.sleep(3)
    began = time.monotonic()
    assert "took too long" in web.refusal(limits=Limits(read=0.3, total=10))
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + b"X: " + b"a" * 300_000,
    ],
)
def test_a_broken_answer_is_an_error_of_the_fetch(web: Web, raw: bytes) -> None:
    def answer(asked: Handler) -> None:
        asked.wfile.write(raw)

    web.site.answer = answer
    assert "gave no proper answer" in web.refusal()


@pytest.mark.parametrize("status", [201, 204, 206, 300, 401, 404, 500])
def test_another_status_is_told(web: Web, status: int) -> None:
    web.site.answer = lambda asked: asked.reply(status, Location="/")
    assert f"status {status}" in web.refusal()


@pytest.mark.parametrize("location", ["", "http://[", "\\\\127.0.0.1/", "//127.0.0.1\t/", "//xn--a\x80/", "//a@b/"])
def test_a_redirect_to_nowhere_is_refused(web: Web, location: str) -> None:
    web.site.answer = redirect(302, location)
    assert "redirects to no safe address" in web.refusal()


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for public.example, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(
        [*command.split(), *files, "-addext", "subjectAltName=DNS:public.example"], check=True, capture_output=True
    )
    return folder


@pytest.fixture
def secure(web: Web, certificate: Path) -> tuple[Web, list[str]]:
    """The public site with TLS on every port, and the names that clients greet it with."""
    greeted: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    context.sni_callback = lambda _socket, name, _context: greeted.append(name)
    web.site.socket = context.wrap_socket(web.site.socket, server_side=True)
    return web, greeted


def over_tls(web: Web, url: str, certificate: Path | None) -> Fetched | None:
    trusted = ssl.create_default_context(cafile=certificate / "certificate.pem") if certificate else None
    return Fetcher(resolve=web.net.resolve, network=web.net, limits=QUICK, tls=trusted).fetch(url)


def test_tls_goes_by_the_name_though_the_connection_goes_to_the_address(
    secure: tuple[Web, list[str]], certificate: Path
) -> None:
    web, greeted = secure
    found = over_tls(web, "https://public.example/a", certificate)
    assert found
    assert found.url == "https://public.example/a"
    assert greeted == ["public.example"]
    assert web.site.asked[0][1]["host"] == "public.example"
    assert web.net.lookups == ["public.example"]


def test_a_certificate_for_another_name_or_by_nobody_known_is_refused(
    secure: tuple[Web, list[str]], certificate: Path
) -> None:
    web, _ = secure
    web.net.scripts["other.example"] = [[PUBLIC]]
    with pytest.raises(FetchError, match=r"no valid certificate \(Hostname mismatch"):
        over_tls(web, "https://other.example/", certificate)
    with pytest.raises(FetchError, match=r"no valid certificate \(self.signed"):
        over_tls(web, "https://public.example/", None)
    assert not web.site.asked


def test_a_redirect_from_https_to_http_is_refused(secure: tuple[Web, list[str]], certificate: Path) -> None:
    web, _ = secure
    web.site.answer = lambda asked: asked.reply(302, Location="/end") if asked.path == "/" else plain(asked)
    assert over_tls(web, "https://public.example/", certificate)
    web.site.answer = redirect(302, "http://public.example/")
    with pytest.raises(FetchError, match="redirects to no safe address"):
        over_tls(web, "https://public.example/", certificate)
    assert len(web.site.asked) == 3

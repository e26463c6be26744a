"""Which web addresses are fetched and which network addresses connected to: pure functions, no network."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx

from pullquote.errors import FetchError

Address = IPv4Address | IPv6Address

MAX_URL = 2_048  # characters
PORTS = {"http": 80, "https": 443}

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\\]")  # other parsers drop a tab, or read a backslash as a slash
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*")
NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # 0x7f.1: what a resolver may read as an IPv4 address

GLOBAL_V6 = ip_network("2000::/3")  # all that IANA has given out as global unicast
# Of IANA's special-purpose blocks those that Python's `is_global` lets through, or did in one of its patches;
# 168.63.129.16 is Azure's host, behind a public address.
SPECIAL = "100.64.0.0/10 192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32"
NOT_PUBLIC = [ip_network(block) for block in f"{SPECIAL} 2001::/23 2001:db8::/32 3fff::/20".split()]
# Where a host that the operator allows may be. Never link-local, nor where clouds keep credentials.
PRIVATE = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 ::1 fc00::/7"
INSIDE = [ip_network(block) for block in PRIVATE.split()]
METADATA = [ip_network(host) for host in ("100.100.100.200", "fd00:ec2::254", "fd20:ce::254")]
# IPv6 that ends in an IPv4 address: compatible, mapped, translated, NAT64; ISATAP has its mark in the middle.
TAILED = [ip_network(block) for block in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")]
ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))


def parse(text: str) -> httpx.URL:
    """The address in its one form: all that is checked, looked up, sent and shown is taken from what this gives.

    The host is ASCII and in lower case, with no dot at its end; there is no fragment. Raises `FetchError`.
    """
    if len(text) > MAX_URL or CONTROLS.search(text):
        raise FetchError(f"an address has at most {MAX_URL:,} characters, no backslash and no tab; check its spelling")
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError("this is no web address; check its spelling") from error
    host = endpoint(url)[0].removesuffix(".")
    if url.scheme not in PORTS:
        raise FetchError("only http:// and https:// are fetched; start the address with one of them")
    if url.userinfo:
        raise FetchError("the address has a user name or password before an @; leave that out")
    if not is_literal(host) and (not HOST.fullmatch(host) or NUMBER.fullmatch(host)):
        raise FetchError("the address has no host in the usual form; write it like https://example.com/page")
    return url.copy_with(host=host, fragment=None)


def endpoint(url: httpx.URL) -> tuple[str, int]:
    """The host and the port to connect to. Not `url.host`, which raises for a host like "xn--a"."""
    return url.raw_host.decode(), PORTS.get(url.scheme, 0) if url.port is None else url.port


def follow(hop: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads. Raises `FetchError` for one from https to http, which anyone on the way could change."""
    try:
        target = parse(str(hop.join(location))) if location else None
    except (httpx.InvalidURL, ValueError, FetchError):
        target = None
    if not target or (hop.scheme == "https" and target.scheme == "http"):
        host = endpoint(hop)[0]
        raise FetchError(f"{host} redirects to no safe address; open it in a browser and copy the last address")
    return target


def is_literal(host: str) -> bool:
    """Whether the host is an address in figures as RFC 3986 has it: four decimal numbers, or IPv6."""
    try:
        return bool(ip_address(host)) and "%" not in host  # no zone: it names one of our own network cards
    except ValueError:
        return False


def is_public(address: Address) -> bool:
    """Whether this is of the public internet, and so is every IPv4 address in it."""
    if isinstance(address, IPv6Address):
        if inner := embedded(address):
            return all(is_public(one) for one in inner)
        if address not in GLOBAL_V6:
            return False
    return address.is_global and not any(address in block for block in NOT_PUBLIC)


def is_inside(address: Address) -> bool:
    """Whether this is a private address that a host of the intranet may have."""
    return any(address in block for block in INSIDE) and not any(address in block for block in METADATA)


def embedded(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to, or may lead to."""
    if address.teredo:
        return list(address.teredo)
    if address.sixtofour:
        return [address.sixtofour]
    if address.packed[8:12] in ISATAP or any(address in block for block in TAILED):
        return [IPv4Address(address.packed[12:])]
    return []

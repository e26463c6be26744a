"""The allowlist, and that all who ask it agree."""

import re

import pytest

from pullquote.origins import Origins

LISTED = Origins.parse("https://intranet.example, https://*.corp.example http://wiki:8080\nHTTPS://Docs.Example:443/")


@pytest.mark.parametrize(
    "origin",
    [
        "https://intranet.example",
        "https://a.corp.example",
        "https://a.b-c.corp.example",
        "http://wiki:8080",
        "https://docs.example",
    ],
)
def test_what_is_listed_is_allowed(origin: str) -> None:
    assert LISTED.allows(origin)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "*",
        "http://intranet.example",  # another scheme
        "https://intranet.example:8443",  # another port
        "https://intranet.example.evil.example",
        "https://evilintranet.example",
        "https://evil.example/https://intranet.example",
        "https://intranet.example\n",
        "https://intranet-example",
        "https://corp.example",  # the name itself is not under it
        "https://evilcorp.example",
        "https://evil-corp.example",
        "https://.corp.example",
        "https://a..corp.example",
        "https://a.corp.example.evil.example",
        "https://a.corp.example@evil.example",
        "https://evil.example#.corp.example",
        "https://evil.example/.corp.example",
        "https://evil.example:1.corp.example",
        "https://a.corpXexample",
        "https://*.corp.example",
        "http://wiki",
        "http://wiki:80801",
    ],
)
def test_nothing_else_is_allowed(origin: str | None) -> None:
    assert not LISTED.allows(origin)


def test_nothing_listed_is_nothing_allowed() -> None:
    for nothing in (Origins(), Origins.parse(" ,\n")):
        assert not nothing.allows("https://intranet.example")
        assert not nothing.allows("")
        assert nothing.ancestors == "'self'"


def test_entries_are_written_as_browsers_write_origins() -> None:
    assert LISTED.ancestors == (
        "'self' https://intranet.example https://*.corp.example http://wiki:8080 https://docs.example"
    )
    assert Origins.parse("http://[::1]:7860").allows("http://[::1]:7860")


@pytest.mark.parametrize(
    "word",
    """
    * https://* https://*.example https://a.*.example corp.example //a.example ftp://a.example https://a.example/path
    https://a.example? https://u@a.example https://a.example:x null 'self' https://a.example;script-src data:
    https://münchen.example
    """.split(),  # noqa: SIM905
)
def test_what_is_no_origin_is_refused_by_name(word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(word))):
        Origins.parse(f"https://a.example {word}")

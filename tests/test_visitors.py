"""Visitors' tokens, signed as a page's server would: by the recipes of the documentation, and by hand."""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from pullquote.errors import AccessError
from pullquote.visitors import visitor_in
from tests.conftest import PROJECT

README = PROJECT / "README.md"
SECRET = "0123456789abcdef0123456789abcdef"


def part(data: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A token by RFC 7515 and 7519, without a library."""
    body = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def recipe(language: str) -> str:
    """The recipe for a language, as it stands in the README."""
    found = re.search(rf"```{language}\n((?:(?!```).)*?token\(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("language", "command", "call"),
    [
        ("python", [sys.executable, "-c"], "print(token({name}, {secret}))"),
        ("js", ["node", "-e"], "console.log(token({name}, {secret}))"),
        ("php", ["php", "-r"], "echo token({name}, {secret});"),
    ],
)
def test_the_recipes_make_tokens(language: str, command: list[str], call: str) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    program = recipe(language) + call.format(name=json.dumps("Ada Ünal"), secret=json.dumps(SECRET))
    made = subprocess.run([*command, program], capture_output=True, text=True, check=True).stdout.strip()
    assert visitor_in(made, SECRET) == "Ada Ünal"


def soon(seconds: int = 600) -> int:
    return int(time.time()) + seconds


@pytest.mark.parametrize("name", ["ada", "ada@corp.example", "Ada Ünal", "x" * 200])
def test_who_is_named_is_known(name: str) -> None:
    assert visitor_in(token(sub=name, exp=soon()), SECRET) == name


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (lambda: "", "not valid"),
        (lambda: "a.b.c", "not valid"),
        (lambda: "é.ü.ß", "not valid"),
        (lambda: token(secret="f" * 32, sub="ada", exp=soon()), "not valid"),
        (lambda: token(algorithm="none", sub="ada", exp=soon()), "not valid"),
        (lambda: token(algorithm="none", sub="ada", exp=soon()).rpartition(".")[0] + ".", "not valid"),
        (lambda: token(algorithm="HS512", sub="ada", exp=soon()), "not valid"),
        (lambda: token(sub="ada", exp=soon())[:-2], "not valid"),
        (lambda: token(sub="ada"), "not valid"),
        (lambda: token(exp=soon()), "not valid"),
        (lambda: token(sub=7, exp=soon()), "not valid"),
        (lambda: token(sub="ada", exp="soon"), "not valid"),
        (lambda: token(sub="ada", exp=soon(), nbf=soon()), "not valid"),
        (lambda: token(sub="ada", exp=soon(-60)), "expired"),
        (lambda: token(sub="ada", exp=soon(4_000)), "over an hour"),
        (lambda: token(sub="", exp=soon()), "characters"),
        (lambda: token(sub="x" * 201, exp=soon()), "characters"),
        (lambda: token(sub="a\nb", exp=soon()), "characters"),
    ],
)
def test_any_other_token_is_refused_and_says_why(made: Callable[[], str], why: str) -> None:
    with pytest.raises(AccessError, match=why):
        visitor_in(made(), SECRET)


def test_a_token_for_another_name_does_not_carry_over() -> None:
    head, _, signature = token(sub="ada", exp=soon()).split(".")
    with pytest.raises(AccessError):
        visitor_in(f"{head}.{part({'sub': 'eve', 'exp': soon()})}.{signature}", SECRET)

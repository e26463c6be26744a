"""Access modes, roles, and the file of passwords."""

import stat
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from pullquote.errors import AccessError
from pullquote.people import Passwords, access_mode, person_of
from pullquote.settings import Settings

OIDC = {"oidc_issuer": "https://login.corp", "oidc_client": "a", "oidc_secret": "b"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "ask.corp", "10.0.0.1", ""])
def test_other_machines_are_not_let_in_by_default(host: str) -> None:
    with pytest.raises(AccessError, match="set PULLQUOTE_ACCESS to password, oidc or proxy"):
        access_mode(Settings(host=host))
    assert access_mode(Settings(host=host, access="open")) == "open"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_is(host: str) -> None:
    assert access_mode(Settings(host=host)) == "open"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"access": "password"}, "PULLQUOTE_PASSWORDS"),
        ({"access": "proxy"}, "PULLQUOTE_PROXIES"),
        ({"access": "oidc"}, "PULLQUOTE_OIDC_ISSUER and PULLQUOTE_OIDC_CLIENT and PULLQUOTE_OIDC_SECRET"),
        ({"access": "oidc", **OIDC, "oidc_secret": ""}, "PULLQUOTE_OIDC_SECRET"),
    ],
)
def test_half_a_mode_is_none(given: dict[str, str], missing: str) -> None:
    with pytest.raises(AccessError, match=f"needs {missing} too"):
        access_mode(Settings.model_validate(given))


def test_whole_modes() -> None:
    assert access_mode(Settings(access="password", passwords=Path("x"))) == "password"
    assert access_mode(Settings(access="proxy", proxies="10.0.0.2")) == "proxy"
    assert access_mode(Settings.model_validate({"access": "oidc", **OIDC})) == "oidc"


ROLES = [([], "visitor"), (["hr"], "visitor"), (["editors"], "editor"), (["admins", "editors"], "admin")]


@pytest.mark.parametrize(("groups", "role"), [*ROLES, (["Admins"], "visitor")])
def test_a_role_comes_from_groups(groups: list[str], role: str) -> None:
    assert person_of("ada", frozenset(groups), Settings()).role == role


def test_passwords_are_kept_as_hashes_that_others_can_check(tmp_path: Path) -> None:
    path = tmp_path / "people"
    passwords = Passwords(path)
    passwords.put("ada", "correct horse", frozenset({"hr", "editors"}))
    passwords.put("Bob B.", "battery staple", frozenset())
    assert passwords.check("ada", "correct horse")
    for name, password in (("ada", "battery staple"), ("Bob B.", ""), ("eve", "correct horse"), ("", "")):
        assert not passwords.check(name, password)
    name, groups, known = path.read_text().splitlines()[1].split(":", 2)
    assert (name, groups) == ("ada", "editors,hr")
    assert PasswordHasher().verify(known, "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert passwords.all() == [("Bob B.", []), ("ada", ["editors", "hr"])]


def test_a_change_of_the_file_counts_at_once(tmp_path: Path) -> None:
    server, command = Passwords(tmp_path / "people"), Passwords(tmp_path / "people")
    command.put("ada", "correct horse", frozenset())
    command.put("bob", "battery staple", frozenset())
    assert server.check("ada", "correct horse")
    command.put("ada", "another horse", frozenset({"hr"}))
    assert not server.check("ada", "correct horse")
    assert server.groups("ada") == frozenset({"hr"})
    command.remove("ada")
    assert server.groups("ada") is None
    assert not server.check("ada", "another horse")
    with pytest.raises(AccessError, match="nobody named 'ada'"):
        command.remove("ada")


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "x" * 121, "a,b"])
def test_names_that_would_break_the_file_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AccessError, match="cannot be a name"):
        Passwords(tmp_path / "people").put(name, "correct horse", frozenset())
    with pytest.raises(AccessError, match="cannot be a name"):
        Passwords(tmp_path / "people").put("ada", "correct horse", frozenset({name}))


def test_short_passwords_and_broken_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="8 to 200"):
        Passwords(tmp_path / "people").put("ada", "short", frozenset())
    for text in (None, "ada", "ada:hr"):
        if text is not None:
            (tmp_path / "people").write_text(text)
        with pytest.raises(AccessError, match="cannot be read"):
            Passwords(tmp_path / "people").check("ada", "x")

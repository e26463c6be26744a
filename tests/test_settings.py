"""Settings from the environment, as the operating system hands it over."""

import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from pullquote.settings import Settings
from tests.conftest import PROJECT


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("PULLQUOTE_")]:
        monkeypatch.delenv(name)


def test_defaults_stay_on_this_machine() -> None:
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert (settings.store, settings.articles) == (Path("index/store"), Path("index/articles"))
    assert settings.threads <= (os.cpu_count() or 1)


def test_every_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {
        "store": Path("a b/ü"),
        "articles": Path("/"),
        "host": "0.0.0.0",
        "port": 0,
        "encoder": "other",
        "reader": "fast",
        "judge": Path("own/judge.json"),
        "cached": 9,
        "fetch_allow": "wiki, docs.corp:8080",
        "hosts": "ask.corp, *.corp.example",
        "proxies": "10.0.0.2, 10.1.0.0/16",
        "access": "oidc",
        "passwords": Path("people.txt"),
        "oidc_issuer": "https://login.corp",
        "oidc_client": "pullquote",
        "oidc_secret": SecretStr("**********"),  # what it shows of itself
        "editor_group": "writers",
        "admin_group": "chiefs",
        "session_hours": 1.5,
        "rate": 0,
        "rate_all": 100,
        "line": 0,
        "watch": Path("in box"),
        "open_reading": False,
        "embed_origins": "https://*.corp.example, http://intranet.example:8080",
        "embed_secret": SecretStr("0123456789abcdef0123456789abcdef"),
        "llm_url": "https://models.corp:8443/v1",
        "llm_model": "small",
        "llm_key": SecretStr("sk-0123"),
        "root_path": "/ask/here",
        "log": "json",
        "log_questions": True,
        "otlp": "http://collector:4318",
        "keep_refused_days": 30,
        "library": "milvus://db/news",
        "redis": SecretStr("redis://:secret@db:6379/0"),
        "milvus_token": SecretStr("user:password"),
        "threads": 64,
    }
    assert set(given) == set(Settings.model_fields)
    for name, value in given.items():
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        monkeypatch.setenv(f"PULLQUOTE_{name.upper()}", str(plain))
    assert Settings().model_dump() == given
    assert Settings(port=1).port == 1  # what is given wins over the environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", value) for value in ("abc", "-1", "65536", "7860.5", "7860 7861")),
        *(("THREADS", value) for value in ("0", "65", "two")),
        *(("CACHED", value) for value in ("-1", "all")),
        *(("READER", value) for value in ("slow", "Best", "1")),
        *(("PROXIES", value) for value in ("proxy.corp", "10.0.0.2 10.0.0.3", "10.0.0.0/33", "10.0.0.2,,x")),
        *(("LLM_URL", value) for value in ("localhost:11434", "ftp://x/v1", "http://a b")),
        *(("ROOT_PATH", value) for value in ("ask", "/ask/", "/", "/a b", "//x", "/a?b", "https://x/ask")),
        *(("RATE", value) for value in ("-1", "many", "1.5")),
        ("EMBED_SECRET", "0123456789abcdef0123456789abcde"),
        *(("EMBED_ORIGINS", value) for value in ("*", "corp.example", "https://*", "https://a.example/path", "null")),
    ],
)
def test_a_bad_value_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PULLQUOTE_{name}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"] for error in caught.value.errors()] == [(name.lower(),)]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    default = Settings()
    monkeypatch.setenv(f"PULLQUOTE_{name.upper()}", "")
    assert Settings() == default


def test_settings_do_not_change() -> None:
    settings = Settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


def test_a_library_that_is_a_folder_is_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULLQUOTE_STORE", "here")
    assert (Settings().place, Settings().store) == (Path("here"), Path("here"))
    monkeypatch.setenv("PULLQUOTE_LIBRARY", "there")
    assert (Settings().place, Settings().store, Settings().library) == (Path("there"), Path("there"), "")
    monkeypatch.setenv("PULLQUOTE_LIBRARY", "milvus://db/news")
    assert (Settings().place, Settings().store) == ("milvus://db/news", Path("here"))


def test_every_setting_says_what_it_is() -> None:
    assert all(re.match(r"[a-z\"].{10,}", field.description or "") for field in Settings.model_fields.values())


def test_names_and_proxies_are_lists() -> None:
    settings = Settings(host="10.0.0.1", hosts=" Ask.Corp , ", proxies="10.0.0.2,10.1.2.3/16, 2001:db8::/32")
    assert settings.host_names == {"localhost", "127.0.0.1", "::1", "10.0.0.1", "ask.corp"}
    assert list(map(str, settings.proxy_networks)) == ["10.0.0.2/32", "10.1.0.0/16", "2001:db8::/32"]


def test_an_endpoint_needs_the_name_of_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULLQUOTE_LLM_URL", "http://127.0.0.1:1/v1")
    with pytest.raises(ValidationError) as caught:
        Settings()
    assert [error["loc"] for error in caught.value.errors()] == [("llm_model",)]


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULLQUOTE_LLM_KEY", "sk-0123")
    settings = Settings()
    assert "sk-0123" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


def test_the_page_of_settings_has_every_one_with_its_default() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `PULLQUOTE_(\w+)` \| (.+?) \| ", page, re.MULTILINE))
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}
    assert list(rows) == list(defaults), "a row for each setting, in the order of settings.py"
    assert rows.pop("THREADS") == "2, or 1 on one core"
    for name, shown in rows.items():
        value = defaults[name].get_secret_value() if isinstance(defaults[name], SecretStr) else defaults[name]
        assert shown == (
            "none" if value in (None, "") else f"`{str(value).lower() if value in (True, False) else value}`"
        )
    for field in Settings.model_fields.values():
        assert f"| {field.description} |" in page

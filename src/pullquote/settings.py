"""All settings, read once from the environment (`PULLQUOTE_STORE`, `PULLQUOTE_PORT`, …) and passed down."""

import os
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pullquote.origins import Origins

PREFIX = "PULLQUOTE_"
MAX_QUESTION = 2_000  # characters
MIN_SECRET = 32  # characters: HS256 has keys of 32 bytes (RFC 7518)
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Settings(BaseSettings):
    """What an operator may change; the field's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    store: Path = Field(default=Path("index/store"), description="folder of the library and its index")
    library: str = Field(
        default="",
        description="where the library is, if not in the folder of PULLQUOTE_STORE: milvus://host:19530/NAME, "
        "which many processes share (docs/milvus.md), or another folder",
    )
    milvus_token: SecretStr = Field(default=SecretStr(""), description='what Milvus knows the app by: "user:password"')
    articles: Path = Field(
        default=Path("index/articles"), description="folder whose files are added when the app starts"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=7860, ge=0, le=65535, description="port to listen on")
    encoder: str = Field(
        default="all-MiniLM-L6-v2",
        min_length=1,
        description="the built-in encoder, or a sentence-transformers folder or name (then `pullquote reembed`)",
    )
    reader: Literal["best", "fast"] = Field(
        default="best",
        description='"best" reads likely passages twice, the second time with the large reader; "fast" once',
    )
    judge: Path | None = Field(
        default=None, description="a file that `pullquote calibrate` made, for the built-in judge"
    )
    cached: int = Field(
        default=500, ge=0, description="answers kept for who asks the same again, until the library changes; 0 for none"
    )
    fetch_allow: str = Field(
        default="",
        description='intranet hosts that articles may be fetched from beside the public web: "wiki, docs.corp:8080"',
    )
    hosts: str = Field(
        default="",
        description='names that the app answers to beside localhost: "ask.corp, *.corp.example", or "*" for any',
    )
    proxies: str = Field(
        default="",
        description='proxies whose X-Forwarded-For, -Proto and -Host are believed: "10.0.0.2, 10.1.0.0/16"',
    )
    access: Literal["open", "password", "oidc", "proxy"] | None = Field(
        default=None,
        description="who may ask: open to whoever reaches it (the default on this machine only), or people known by a "
        "password, by an OpenID provider, or by X-Forwarded-User and -Groups of the named proxies",
    )
    passwords: Path | None = Field(default=None, description="file of people, made by `pullquote user set NAME`")
    oidc_issuer: str = Field(default="", description="address of the OpenID provider: https://login.corp")
    oidc_client: str = Field(default="", description="this app's client id at the provider")
    oidc_secret: SecretStr = Field(default=SecretStr(""), description="this app's client secret at the provider")
    editor_group: str = Field(default="editors", description="group whose members change articles")
    admin_group: str = Field(default="admins", description="group whose members see logs and settings too")
    session_hours: float = Field(default=12, gt=0, le=8760, description="hours until one signs in again")
    rate: int = Field(default=30, ge=0, description="questions a minute from one visitor; 0 for no limit")
    rate_all: int = Field(default=600, ge=0, description="questions a minute from all visitors; 0 for no limit")
    redis: SecretStr = Field(
        default=SecretStr(""), description="redis://host:6379/0, where all replicas count questions together"
    )
    line: int = Field(default=64, ge=0, description="questions that may wait in line; more are told to come again")
    watch: Path | None = Field(
        default=None, description="folder whose files are added while the app runs, whenever one is new or changed"
    )
    open_reading: bool = Field(
        default=True, description="whether the articles may be read without a token; asking is open in any case"
    )
    embed_origins: str = Field(
        default="",
        description='pages that may show the chat: "https://intranet.example, https://*.corp.example"; no others may',
    )
    embed_secret: SecretStr = Field(
        default=SecretStr(""),
        description="at least 32 characters, shared with the pages' servers that sign visitors' tokens",
    )
    llm_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="an OpenAI-compatible endpoint that words answers: http://127.0.0.1:11434/v1",
    )
    llm_model: str = Field(default="", validate_default=True, description="the model's name at that endpoint")
    llm_key: SecretStr = Field(default=SecretStr(""), description="the endpoint's key, if it needs one")
    root_path: str = Field(
        default="",
        pattern=r"^(/[\w.~-]+)*$",
        description='path that a proxy serves the app under, and takes off before it passes a request on: "/ask"',
    )
    log: Literal["text", "json"] = Field(
        default="text", description='"json" writes a line of JSON for every event, request and question'
    )
    log_questions: bool = Field(
        default=False, description="whether the log may hold the text of questions, and the messages of failures"
    )
    otlp: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="a collector that traces of questions are sent to, without texts: http://127.0.0.1:4318",
    )
    keep_refused_days: int = Field(
        default=0, ge=0, le=3650, description="days that refused questions are kept for the gap report; 0 keeps none"
    )
    threads: int = Field(default=min(2, os.cpu_count() or 1), ge=1, le=64, description="threads of a reader")

    @property
    def place(self) -> str | Path:
        """Where the library is: an address, or a folder."""
        return self.library or self.store

    @property
    def fetch_hosts(self) -> frozenset[str]:
        """The intranet hosts of `fetch_allow`."""
        return frozenset(_listed(self.fetch_allow))

    @property
    def host_names(self) -> frozenset[str]:
        """The names of `hosts`, of this machine, and the address listened on; in lower case."""
        return frozenset(name.lower() for name in (*LOOPBACK, self.host, *_listed(self.hosts)))

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of `proxies`; an address is a network of one."""
        return tuple(ip_network(network, strict=False) for network in _listed(self.proxies))

    @model_validator(mode="before")
    @classmethod
    def _is_a_folder(cls, given: dict[str, Any]) -> dict[str, Any]:
        """A library that is a folder is the store."""
        library = str(given.get("library") or "")
        return given | {"library": "", "store": library} if library and "://" not in library else given

    @field_validator("llm_model")
    @classmethod
    def _is_named(cls, llm_model: str, info: ValidationInfo) -> str:
        if info.data.get("llm_url") and not llm_model:
            raise ValueError("name the model that PULLQUOTE_LLM_URL is to be asked for")
        return llm_model

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        for network in _listed(proxies):
            ip_network(network, strict=False)
        return proxies

    @field_validator("embed_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        Origins.parse(text)
        return text

    @field_validator("embed_secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < MIN_SECRET:
            raise ValueError(f"a secret has at least {MIN_SECRET} characters; make one with `openssl rand -hex 32`")
        return secret

    @property
    def origins(self) -> Origins:
        """The allowlist of `embed_origins`."""
        return Origins.parse(self.embed_origins)


def origin(name: str) -> str:
    """Where a setting came from: the environment variable of its name, or "default"."""
    variable = f"{PREFIX}{name.upper()}"
    return variable if any(key.upper() == variable and value for key, value in os.environ.items()) else "default"


def strangers() -> dict[str, str]:
    """Environment variables that look like settings and are none, each with the setting it is likely meant for."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    found = [name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known]
    return {name: next(iter(get_close_matches(name.upper(), known, 1)), "") for name in sorted(found)}


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

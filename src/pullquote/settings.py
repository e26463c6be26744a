"""All settings, read once from the environment (`PULLQUOTE_STORE`, `PULLQUOTE_PORT`, …) and passed down."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MAX_QUESTION = 2_000  # characters


class Settings(BaseSettings):
    """What an operator may change; the field's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix="PULLQUOTE_", env_ignore_empty=True, frozen=True)

    store: Path = Field(default=Path("index/store"), description="folder of the library and its index")
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
    fetch_allow: str = Field(
        default="",
        description='intranet hosts that articles may be fetched from beside the public web: "wiki, docs.corp:8080"',
    )
    watch: Path | None = Field(
        default=None, description="folder whose files are added while the app runs, whenever one is new or changed"
    )
    open_reading: bool = Field(
        default=True, description="whether the articles may be read without a token; asking is open in any case"
    )
    threads: int = Field(default=min(2, os.cpu_count() or 1), ge=1, le=64, description="threads of a reader")

    @property
    def fetch_hosts(self) -> frozenset[str]:
        """The intranet hosts of `fetch_allow`."""
        return frozenset(host.strip() for host in self.fetch_allow.split(",") if host.strip())

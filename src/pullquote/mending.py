"""What is amiss with an installation, and how it is mended: what `pullquote doctor` shows."""

import errno
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from pullquote import embedding, keeping, reading
from pullquote.errors import PullquoteError
from pullquote.inference import MODELS as MODELS
from pullquote.inference import check_weights
from pullquote.library import FILE_NAME
from pullquote.opening import open_library
from pullquote.settings import LOOPBACK, Settings, strangers

FREE = 1_000_000_000  # bytes: room for an update of the library, a backup, a log
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` says what to do where it is not well."""

    what: str
    state: Literal["ok", "warn", "bad"]
    found: str
    mend: str = ""


def examine(settings: Settings) -> list[Finding]:
    """Everything that is looked at; nothing is changed, but for a library of an older format, which is brought up."""
    looks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _settings,
        _weights,
        _library,
        _disk,
        _port,
        _proxy,
        _embedding,
    )
    return [finding for look in looks for finding in look(settings)]


def _settings(_settings: Settings) -> Iterator[Finding]:
    unknown = strangers()
    for name, likely in unknown.items():
        yield Finding("settings", "warn", f"{name} is no setting", f"did you mean {likely}?" if likely else "remove it")
    if not unknown:
        yield Finding("settings", "ok", "every PULLQUOTE_ variable is one")


def _weights(settings: Settings) -> Iterator[Finding]:
    files = [(MODELS / "encoder" / "model.onnx", embedding.EXPORT_SHA256)]
    readers = [reading.SMALL] if settings.reader == "fast" else [reading.SMALL, reading.LARGE]
    for one in readers:
        files += [(one.folder / "model.onnx", one.model), (one.folder / "tokenizer.json", one.tokenizer)]
    for path, sha256 in files:
        name = f"weights {path.parent.name}/{path.name}"
        try:
            check_weights(path, sha256)
        except PullquoteError as error:
            yield Finding(name, "bad", str(error), "install again: pip install --force-reinstall -r requirements.txt")
        else:
            yield Finding(name, "ok", "its SHA-256 is the one we released")


def _library(settings: Settings) -> Iterator[Finding]:
    if not settings.library and not (settings.store / FILE_NAME).exists():
        yield Finding("library", "warn", f"there is none in {settings.store}", "`pullquote serve` or `add` makes one")
        return
    try:
        library = open_library(settings)
    except PullquoteError as error:
        yield Finding("library", "bad", str(error), "see above; else set it aside, and `pullquote import` a backup")
        return
    try:
        library.require_encoder(embedding.fingerprint(settings.encoder))
        problems = keeping.check(library)
        index = [problem for problem in problems if problem.startswith("the vector index")]
        rest = [problem for problem in problems if problem not in index]
        for problem in rest:
            yield Finding("library", "bad", problem, "`pullquote import` a backup, or add the article again")
        if not rest:
            yield Finding("library", "ok", f"{len(library.titles())} articles, all as they were stored")
        for problem in index:
            yield Finding("index", "warn", problem, "nothing to do, or have it now: start the app")
        if not index and not settings.library:
            yield Finding("index", "ok", "it is the library's own")
    except (PullquoteError, sqlite3.Error) as error:
        yield Finding("library", "bad", str(error), "see above; else `pullquote import` a backup")
    finally:
        library.close()


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = next(path for path in (settings.store.absolute(), *settings.store.absolute().parents) if path.exists())
    free = shutil.disk_usage(folder).free
    state: Literal["ok", "warn"] = "ok" if free >= FREE else "warn"
    mend = "" if free >= FREE else f"free some; {FREE // 10**6:,} MB are a good measure"
    yield Finding("disk", state, f"{free // 10**6:,} MB are free at {folder}", mend)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "bad", f"{folder} cannot be written to", "give the account that runs the app the right")


def _port(settings: Settings) -> Iterator[Finding]:
    place = f"{settings.host}:{settings.port}"
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield Finding("port", "warn", f"{place} is taken", "fine if that is this app; else set PULLQUOTE_PORT")
        else:
            yield Finding("port", "bad", f"{place}: {error.strerror or error}", "set PULLQUOTE_HOST and PULLQUOTE_PORT")
    else:
        yield Finding("port", "ok", f"{place} is free")


def _proxy(settings: Settings) -> Iterator[Finding]:
    if settings.root_path and not settings.proxies:
        found = f"the app is under {settings.root_path}, but no proxy is named"
        yield Finding("proxy", "warn", found, "PULLQUOTE_PROXIES=127.0.0.1 lets its word count on who calls")
    elif settings.proxies and not settings.hosts:
        found = "a proxy is named, but no name that visitors call the app by"
        yield Finding("proxy", "warn", found, "set PULLQUOTE_HOSTS to the name in the visitors' address bar")
    elif settings.host not in LOOPBACK and not settings.hosts:
        found = f"it listens on {settings.host}, but answers to its address and localhost only"
        yield Finding("proxy", "warn", found, "set PULLQUOTE_HOSTS to the name that visitors use")
    else:
        yield Finding("proxy", "ok", "names, proxies and prefix go together")
    if used := [name for name in PROXY_VARIABLES if os.environ.get(name) or os.environ.get(name.upper())]:
        found = f"{', '.join(used)} is set, and not used: pages are fetched directly, so that addresses can be checked"
        yield Finding("proxy for fetching", "ok", found)


def _embedding(settings: Settings) -> Iterator[Finding]:
    entries = settings.origins.entries
    plain = [entry for entry in entries if entry.startswith("http://") and not entry.startswith("http://localhost")]
    if plain:
        yield Finding(
            "embed origins", "warn", f"{', '.join(plain)}: anybody on the way can change such a page", "use https"
        )
    else:
        yield Finding("embed origins", "ok", f"{len(entries)} listed" if entries else "no page may show the chat")

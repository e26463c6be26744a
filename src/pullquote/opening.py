"""A library by its place: a folder, or an address on a server."""

from pathlib import Path

from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.shared_library import AnyLibrary


def is_address(place: str | Path) -> bool:
    """Whether this is where a server is, and not a folder."""
    return "://" in str(place)


def open_at(place: str | Path, token: str = "") -> AnyLibrary:
    """The library in a folder, or at `milvus://host:19530/NAME`, made if it is not there yet; close it at the end.

    `token` is what Milvus knows the app by. Raises `LibraryError`, and `MissingLibrary` without pymilvus.
    """
    if not is_address(place):
        return Library(Path(place))
    from pullquote.milvus.library import MilvusLibrary

    return MilvusLibrary.open(str(place), token)


def open_library(settings: Settings) -> AnyLibrary:
    """The library that the settings name."""
    return open_at(settings.place, settings.milvus_token.get_secret_value())

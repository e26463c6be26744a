"""Pullquote: ask an article a question, get the answer in the article's own words.

from pullquote import Pullquote

with Pullquote.open("index/store") as pullquote:
    answer = pullquote.ask("Who was the first to report it?")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullquote.facade import Pullquote

__all__ = ["Pullquote"]


def __getattr__(name: str) -> Any:
    """`Pullquote`, imported when it is first asked for: the package itself stays light."""
    if name != "Pullquote":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pullquote.facade import Pullquote

    return Pullquote

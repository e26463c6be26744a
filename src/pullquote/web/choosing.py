"""Which articles a visitor may choose to ask: all of them, those with a tag, or one."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pullquote.errors import UnknownArticle
from pullquote.messages import ENGLISH, Messages
from pullquote.shared_library import AnyLibrary
from pullquote.tagging import named, tags


def choices(library: AnyLibrary, only: Sequence[str] = (), _: Messages = ENGLISH) -> dict[str, Any]:
    """The choices for a dropdown; with `only`, those of the articles that these ids and tags name.

    Where there is one article to ask, it is chosen, and there is nothing to see.
    """
    articles = [(title, article_id) for article_id, title in library.titles().items()]
    everything = _("All articles")
    if not only:
        tagged = [(f"#{tag}", tag) for tag in tags(library)]
        return {"choices": [(everything, ""), *tagged, *articles], "value": "", "visible": len(articles) > 1}
    ids = known(library, only)
    value = ",".join(ids) or only[0]
    own = [choice for choice in articles if choice[1] in ids]
    several = len(own) > 1
    return {"choices": [(everything, value), *own] if several else [("", value)], "value": value, "visible": several}


def known(library: AnyLibrary, names: Sequence[str]) -> list[str]:
    """The ids of the articles that are named by ids and tags; a name that is neither is passed over."""
    found: list[str] = []
    for name in names:
        with suppress(UnknownArticle):
            found += named(library, name)
    return list(dict.fromkeys(found))

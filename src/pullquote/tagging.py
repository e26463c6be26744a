"""Tags: words by which several articles are named at once. A question may be asked of the articles with a tag."""

import re
from collections.abc import Iterable

from pullquote.errors import LibraryError
from pullquote.shared_library import AnyLibrary, SharedLibrary

TAG = r"[\w-]{1,40}"


def tags(library: AnyLibrary) -> dict[str, list[str]]:
    """Every tag of an article that is shown, in order, with the ids of those articles."""
    found: dict[str, list[str]] = {}
    for tag, article_id in sorted(_pairs(library)):
        found.setdefault(tag, []).append(article_id)
    return found


def tags_by_article(library: AnyLibrary) -> dict[str, list[str]]:
    """Id → tags, in order, of every article that is shown and has one."""
    found: dict[str, list[str]] = {}
    for tag, article_id in sorted(_pairs(library)):
        found.setdefault(article_id, []).append(tag)
    return found


def tags_of(library: AnyLibrary, article_id: str) -> list[str]:
    """The tags of an article, in order."""
    return tags_by_article(library).get(article_id, [])


def set_tags(library: AnyLibrary, article_id: str, given: Iterable[str]) -> None:
    """Give an article these tags and no others, in lower case; they stay when a new version replaces it.

    Raises `LibraryError` for a tag that is not one word, and `UnknownArticle`.
    """
    known = library.article(article_id).id
    wanted = {tag.lower() for tag in given}
    if wrong := [tag for tag in wanted if not re.fullmatch(TAG, tag)]:
        raise LibraryError(f"{wrong[0]!r} is no tag; a tag is one word of letters, digits, - and _, up to 40")
    if isinstance(library, SharedLibrary):
        library.tag(known, sorted(wanted))
        return
    with library._change() as db:
        db.execute("DELETE FROM tags WHERE article_id = ?", [known])
        db.executemany("INSERT INTO tags VALUES (?, ?)", [(tag, known) for tag in wanted])


def named(library: AnyLibrary, names: str) -> list[str]:
    """The ids of the articles that are named by ids and tags, with commas or blanks between, each once.

    Raises `UnknownArticle` for a name that is neither.
    """
    known = tags(library)
    parts = re.split(r"[\s,]+", names.strip(" ,"))
    return list(dict.fromkeys(key for name in parts for key in known.get(name.lower()) or [library.article(name).id]))


def _pairs(library: AnyLibrary) -> list[tuple[str, str]]:
    """Tags, each with an article that has it and is shown."""
    if isinstance(library, SharedLibrary):
        return library.tagged()
    hidden = library.hidden_articles()
    pairs = library._db.execute("SELECT tag, article_id FROM tags").fetchall()
    return [(tag, article_id) for tag, article_id in pairs if article_id not in hidden]

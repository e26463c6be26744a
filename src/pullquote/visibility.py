"""Which articles somebody sees: the library again, for members of some groups, without what is not shown to them.

An article is shown to everybody unless groups are named for it. Who it is not shown to cannot tell it from one that is
not there: it is left out where passages are searched for, not after.
"""

import json
from collections.abc import Iterable, Sequence

from pullquote.datatypes import Article
from pullquote.library import Library, unknown
from pullquote.shared_library import AnyLibrary, SharedLibrary

# subtle: no foreign key, so that the groups outlast the moment in which a new version replaces the article
_HIDDEN = (
    'SELECT article_id FROM visible GROUP BY article_id HAVING sum("group" IN (SELECT value FROM json_each(?))) = 0'
)


class SeenLibrary(Library):
    """A library as members of `groups` see it; with None, all of it. It shares the library's connections."""

    _whole: Library

    def __init__(self, library: Library, groups: frozenset[str] | None) -> None:
        whole = library._whole if isinstance(library, SeenLibrary) else library
        vars(self).update(vars(whole))
        self._whole = whole
        self._groups = groups

    def article(self, article_id: str) -> Article:
        """The article with this id. Raises `UnknownArticle`, also for one that is not shown."""
        self._require(article_id)
        return super().article(article_id)

    def articles(self) -> list[tuple[Article, int]]:
        """The articles that are shown, with the number of their chunks, oldest first."""
        with self.snapshot():
            hidden = self.hidden_articles()
            return [row for row in self._whole.articles() if row[0].id not in hidden]

    def keys(self, article_id: str) -> range:
        """The keys of an article's chunks. Raises `UnknownArticle`, also for one that is not shown."""
        self._require(article_id)
        return super().keys(article_id)

    def hidden_articles(self) -> frozenset[str]:
        """The ids of all articles that are not shown."""
        if self._groups is None:
            return super().hidden_articles()
        return frozenset(found for (found,) in self._db.execute(_HIDDEN, [self._names]))

    def hidden_keys(self) -> frozenset[int]:
        """The keys of all chunks that are not shown."""
        if self._groups is None:
            return super().hidden_keys()
        query = f"SELECT id FROM chunks WHERE article_id IN ({_HIDDEN})"
        return frozenset(key for (key,) in self._db.execute(query, [self._names]))

    def search_words(self, words: Sequence[str], count: int, within: range | None = None) -> list[tuple[int, float]]:
        """As `Library.search_words`, among the chunks that are shown."""
        hidden = self.hidden_keys()
        if not hidden:
            return super().search_words(words, count, within)
        found = super().search_words(words, count + len(hidden), within)
        return [pair for pair in found if pair[0] not in hidden][:count]

    def _require(self, article_id: str) -> None:
        if article_id in self.hidden_articles():
            raise unknown(article_id)

    @property
    def _names(self) -> str:
        return json.dumps(sorted(self._groups or ()))


def seen_by(library: AnyLibrary, groups: frozenset[str] | None) -> AnyLibrary:
    """The library as members of these groups see it; with None, all of it."""
    return library.seen_by(groups) if isinstance(library, SharedLibrary) else SeenLibrary(library, groups)


def groups_of(library: AnyLibrary, article_id: str) -> list[str]:
    """The groups that an article is shown to; none where it is shown to everybody."""
    if isinstance(library, SharedLibrary):
        return library.groups_of(article_id)
    query = 'SELECT "group" FROM visible WHERE article_id = ? ORDER BY "group"'
    return [group for (group,) in library._db.execute(query, [article_id])]


def groups_by_article(library: AnyLibrary) -> dict[str, list[str]]:
    """Id → groups, of every article that is not shown to everybody."""
    if isinstance(library, SharedLibrary):
        return library.groups_by_article()
    query = 'SELECT article_id, "group" FROM visible WHERE article_id IN (SELECT id FROM articles) ORDER BY 1, 2'
    found: dict[str, list[str]] = {}
    for article_id, group in library._db.execute(query):
        found.setdefault(article_id, []).append(group)
    return found


def show_to(library: AnyLibrary, article_id: str, groups: Iterable[str]) -> None:
    """Show an article to these groups only; with none, to everybody. A question asked from now on heeds it."""
    if isinstance(library, SharedLibrary):
        library.show_to(article_id, groups)
        return
    with library._change() as db:
        db.execute("DELETE FROM visible WHERE article_id = ?", [article_id])
        db.executemany("INSERT INTO visible VALUES (?, ?)", [(article_id, group) for group in sorted(set(groups))])

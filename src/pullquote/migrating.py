"""A library moved to another place, of the same kind or the other, and compared with what it was."""

from collections.abc import Iterator, Sequence

import numpy as np

from pullquote import keeping
from pullquote.embedding import Encoder
from pullquote.errors import LibraryError
from pullquote.feedback import Feedback
from pullquote.retrieving import Retriever
from pullquote.shared_library import AnyLibrary
from pullquote.tagging import tags_of
from pullquote.tokens import Tokens
from pullquote.visibility import groups_of

QUESTIONS = 10
FIRST = 5  # passages of a question that are compared
ALIKE = 0.9  # of these passages: the two kinds weigh rare words a little differently


def migrate(source: AnyLibrary, target: AnyLibrary) -> int:
    """Copy articles with their vectors, titles, groups and tags, tokens and feedback; gives the number of articles.

    Sessions are left behind: who was signed in signs in again. Raises `LibraryError` where the target is not empty.
    """
    if not target.is_empty:
        raise LibraryError("the library to move to holds articles already; name an empty one")
    new, _ = keeping.copy_articles(target, source)
    for sha256 in source.starters():
        target.mark_starter(sha256)
    Tokens(source).copy_to(Tokens(target))
    Feedback(source).copy_to(Feedback(target))
    return new


def differences(source: AnyLibrary, target: AnyLibrary, encoder: Encoder) -> Iterator[str]:
    """What the two do not have alike: articles, chunks, vectors, who sees them, what ten questions find."""
    known, found = dict(source.articles()), dict(target.articles())
    if len(known) != len(found):
        yield f"{len(known)} articles have become {len(found)}"
    ids = {article.id for article in found}
    for article in known:
        if article.id not in ids:
            yield f"{article.id} is missing"
        elif wrong := [what for what, is_same in _compared(source, target, article.id) if not is_same]:
            yield f"{article.id}: other {', '.join(wrong)}"
    same, asked = _found_alike(source, target, encoder)
    if asked and same < ALIKE * asked:
        yield f"of the {asked} passages that {QUESTIONS} questions find, {same} are the same"


def _compared(source: AnyLibrary, target: AnyLibrary, key: str) -> Iterator[tuple[str, bool]]:
    """Each thing that an article has, and whether it has it in both."""
    one, other = source.article(key), target.article(key)
    yield "text", one == other
    yield "given title", source.given_title(key) == target.given_title(key)
    yield "groups", groups_of(source, key) == groups_of(target, key)
    yield "tags", tags_of(source, key) == tags_of(target, key)
    yield "chunks", source.chunks_of(key) == target.chunks_of(key)
    vectors = [library.vectors_of(library.keys(key)) for library in (source, target)]
    yield "vectors", np.array_equal(vectors[0], vectors[1])


def _found_alike(source: AnyLibrary, target: AnyLibrary, encoder: Encoder) -> tuple[int, int]:
    """How many of the first passages of some questions both find, and how many there are."""
    same = asked = 0
    retrievers = Retriever(source, encoder), Retriever(target, encoder)
    for question in _questions(source):
        one, other = (
            {(passage.article.id, passage.chunk.start) for passage in retriever.retrieve(question, FIRST)}
            for retriever in retrievers
        )
        same, asked = same + len(one & other), asked + len(one)
    return same, asked


def _questions(library: AnyLibrary) -> Sequence[str]:
    """First sentences, or what stands there, of chunks from all over the library."""
    chunks = [chunk for _, chunk in library.all_chunks()]
    some = chunks[:: max(1, len(chunks) // QUESTIONS)][:QUESTIONS]
    return [library.article(chunk.article_id).text[chunk.start : chunk.start + 150] for chunk in some]

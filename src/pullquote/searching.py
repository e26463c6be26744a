"""Search in a folder's library: by meaning in the vector index, by words in SQLite or the index of words."""

from collections.abc import Sequence
from itertools import chain

from pullquote.following import Follower
from pullquote.library import Library
from pullquote.shared_library import AnyLibrary, Candidates
from pullquote.timing import stage
from pullquote.vector_index import VectorIndex
from pullquote.vector_rows import Vectors
from pullquote.word_index import WordIndex


def build_index(library: AnyLibrary) -> None:
    """Make the index beside a folder's library anew: now, rather than at the next question."""
    if isinstance(library, Library):
        VectorIndex.build(library)


class LocalSearch:
    """Searches one library; follows its changes. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._index = Follower(library)
        self._words = WordIndex(library)

    def candidates(
        self, library: Library, vector: Vectors, words: Sequence[str], count: int, within: Sequence[range] | None
    ) -> Candidates:
        """The `count` nearest chunks to a unit vector, and as many with the words, in the caller's snapshot.

        `library` is the one searched as somebody sees it. With `within`, all chunks of these keys and no others.
        """
        index, hidden = self._index.current(), library.hidden_keys()
        with stage("lexical"):
            most = count + len(hidden)
            found = [self._words.search(words, most, index.size, keys) for keys in within or (None,)]
            shown = [pair for pair in chain(*found) if pair[0] not in hidden]
            lexical = dict(sorted(shown, key=lambda pair: -pair[1])[:count])
        with stage("dense"):
            every = index.cosines(vector, chain(*within)) if within else {}
            nearest = every or dict(index.search(vector, count, hidden))
            return Candidates(nearest | index.cosines(vector, lexical.keys() - nearest.keys()), lexical)

    def wait(self) -> None:
        """Wait until what has been noticed of the library so far is in the indexes."""
        self._words.wait()

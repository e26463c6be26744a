"""The vector index of a library that changes, for those who answer; made whole again in the background.

A large one is made by a process of its own: in this one, reading the vectors would keep the interpreter from who asks.
"""

import logging
import threading
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from pathlib import Path

from pullquote.errors import LibraryError
from pullquote.index_types import SMALL, use_one_thread
from pullquote.library import Library
from pullquote.vector_index import VectorIndex
from pullquote.workers import come_after_others, new_process

log = logging.getLogger("pullquote")


class Follower:
    """The index of a library that changes, for readers in many threads; made whole again in the background."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._index = VectorIndex.open(library)
        self._lock = threading.Lock()
        self._building: threading.Thread | None = None
        library.call_before_close(self._finish)

    def current(self) -> VectorIndex:
        """The index of the library as it is in the caller's snapshot."""
        with self._lock:
            if self._index.state != self._library.state:
                self._index = self._index.following(self._library)
            if not self._index.is_whole and self._building is None:
                self._building = threading.Thread(target=self._rebuild, name="index", daemon=True)
                self._building.start()
            return self._index

    def _finish(self) -> None:
        if building := self._building:
            building.join()

    def _rebuild(self) -> None:
        come_after_others()
        try:
            apart = _built_apart(self._library) if self._index.size > SMALL else None
            built = apart or VectorIndex.build(self._library)
            with self._lock:
                # subtle: what came while it was built is a delta of the new index at the next question
                self._index = built
        finally:
            self._building = None


def _built_apart(library: Library) -> VectorIndex | None:
    """The index made by a process of its own; None where that failed."""
    with new_process() as pool:
        try:
            moment = pool.submit(_build_in, library.folder).result()
        except (BrokenProcessPool, LibraryError) as error:
            log.warning("the vector index is made in the process that answers: %s", error)
            return None
    return VectorIndex.saved(library.folder, *moment)


def _build_in(folder: Path) -> tuple[int, str]:
    """What that process does; gives the moment that its index is of."""
    logging.disable()  # the process that answers says it
    use_one_thread()  # of two cores, one stays with who asks; it is done no later
    with closing(Library(folder)) as library:
        built = VectorIndex.build(library)
        return built.revision, built.state

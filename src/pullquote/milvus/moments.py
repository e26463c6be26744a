"""What a library on Milvus is at one moment: one record, whose replacement is the one switch from state to state.

Milvus has no transaction over rows, so none is ever changed. Each change writes rows of a new version, which nobody
looks at, and then replaces the record of the moment, which says up to which version one looks, and past which. What is
gone is deleted a little later, so that whoever reads goes on reading what was. A crash in between leaves what was
before, or what is after; the next writer tidies up.
"""

import logging
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from random import uniform
from typing import Any

from pullquote.errors import LibraryError, LibraryUnreachable
from pullquote.milvus.client import Milvus
from pullquote.milvus.records import MilvusRecords
from pullquote.milvus.rows import between, of_version

log = logging.getLogger("pullquote")

FORMAT = 2  # 1 had other terms of words
LEASE = 30.0  # seconds after which a writer that said nothing is taken for dead; clocks have to agree within some
PATIENCE = 40.0  # seconds to wait for another writer
GRACE = 2.0  # seconds for which what is gone can be read by whoever began before; a question is read in less
VERSIONED = 'kind in ["article", "text"]'


@dataclass(frozen=True, slots=True)
class Moment:
    """What the library is: the versions up to `last`, but for those that are gone."""

    format: int = FORMAT
    revision: int = 0
    state: str = ""
    encoder: str = ""
    chunks: str = ""  # the collection of the chunks, "" while there is none
    dimension: int = 0
    last: int = 0
    gone: tuple[tuple[int | str, float], ...] = ()  # versions, and collections of chunks, and since when: Unix time

    @property
    def next(self) -> int:
        """The version after all others: the milliseconds since 1970, nearly always."""
        return max(time.time_ns() // 1_000_000, self.last + 1)

    def has_chunk(self) -> str:
        """What is true of the chunks that there are."""
        there, gone = f"key < {of_version(self.last).stop}", [of_version(version) for version in self._versions()]
        return f"{there} and not {between(gone)}" if gone else there

    def has_record(self) -> str:
        """What is true of the records of versions that there are."""
        there, gone = f"at <= {self.last}", self._versions()
        return f"{there} and at not in {gone}" if gone else there

    def _versions(self) -> list[int]:
        return [what for what, _ in self.gone if isinstance(what, int)]


class Writers:
    """One writer at a time, over all threads and processes, and what each of them does in which order."""

    def __init__(self, milvus: Milvus, records: MilvusRecords, lease: float = LEASE, grace: float = GRACE) -> None:
        self.grace = grace
        self._milvus = milvus
        self._records = records
        self._lease = lease
        self._me = uuid.uuid4().hex
        self._here = threading.Lock()
        self._failed = False  # whether a change of ours may have left something behind
        self._tidies = self._closing = False
        self._tidying: threading.Thread | None = None

    def moment(self) -> Moment:
        """The library as it is now. Raises `LibraryError` for a format that this version does not know."""
        known = self._records.get("moment", "")
        if known is None:
            return Moment()
        if known["format"] != FORMAT:
            raise LibraryError(
                f"the library {self._milvus.name} has format {known['format']} of those on Milvus, this version reads "
                f"{FORMAT}; use the version that made it"
            )
        return Moment(**known | {"gone": tuple((what, since) for what, since in known["gone"])})

    @contextmanager
    def writing(self) -> Iterator[Moment]:
        """Be the only writer. Raises `LibraryError` when another one stays."""
        if not self._here.acquire(timeout=PATIENCE):
            raise _busy()
        try:
            if self._enter() or self._failed:
                self._sweep()
            with self._leaving():
                yield self._tidied(self.moment())
        finally:
            self._here.release()

    def stay(self) -> None:
        """Say that we are still writing. Raises `LibraryError` where another one has taken us for dead."""
        if (said := self._records.get("writer", self._me)) is None:
            raise LibraryError("the change took too long, and another process began one; nothing was changed")
        self._say(said["began"])

    def commit(self, old: Moment, gone: int | str = 0, **changes: Any) -> None:
        """The switch: what was written is there for all who read, all of it and at once, and something else is gone."""
        self.stay()
        all_gone = (*old.gone, (gone, time.time())) if gone else old.gone
        new = replace(old, revision=old.revision + 1, state=secrets.token_hex(8), gone=all_gone, **changes)
        self._records.put("moment", "", asdict(new))
        if not self.grace:
            self._tidied(new)
        elif new.gone and not self._tidies:
            self._tidies = True
            self._tidying = threading.Thread(target=self._tidy, daemon=True)
            self._tidying.start()

    def close(self) -> None:
        """Wait until what is gone is deleted."""
        self._closing = True
        if self._tidying and self._tidying.is_alive():
            self._tidying.join()

    def _tidy(self) -> None:
        """Delete what has been gone for long enough, until nothing is left or, others go on writing, until the end."""
        try:
            while self._tidies:
                is_last = self._closing  # what was gone before the end is old enough after this wait
                time.sleep(self.grace)
                with self.writing() as moment:  # which tidies up; in there, nobody begins a change meanwhile
                    self._tidies = bool(moment.gone) and not is_last
        except LibraryError as error:
            self._tidies = False
            log.warning("what is gone is deleted by whoever writes next: %s", error)

    def _tidied(self, moment: Moment) -> Moment:
        """Delete what has been gone for long enough. Doing it twice does no harm."""
        before = time.time() - self.grace
        old = [what for what, since in moment.gone if since <= before]
        if versions := [what for what in old if isinstance(what, int)]:
            self._records.remove_where(f"{VERSIONED} and at in {versions}")
            self._milvus.delete(moment.chunks, between([of_version(version) for version in versions]))
        for what in old:
            if isinstance(what, str):
                self._milvus.drop(what)
        if old:
            moment = replace(moment, gone=tuple(one for one in moment.gone if one[0] not in old))
            self._records.put("moment", "", asdict(moment))
        return moment

    def _sweep(self) -> None:
        """Delete what a writer that died, or failed, has left where nobody looks."""
        moment = self.moment()
        known = {moment.chunks, *(what for what, _ in moment.gone)}
        for name in self._milvus.collections():
            if name.startswith(f"{self._milvus.name}_chunks_") and name not in known:
                self._milvus.drop(name)
        if moment.chunks:
            self._milvus.delete(moment.chunks, f"key >= {of_version(moment.last).stop}")
        self._records.remove_where(f"{VERSIONED} and at > {moment.last}")

    @contextmanager
    def _leaving(self) -> Iterator[None]:
        """Let others write at the end, and leave nothing behind of what failed; where we cannot, the next one does."""
        self._failed = True
        try:
            yield
            self._failed = False
        finally:
            try:
                if self._failed:
                    self._sweep()
                    self._failed = False
                self._records.remove("writer", self._me)
            except LibraryUnreachable as error:
                log.warning("what a change has left behind is deleted by whoever writes next: %s", error)

    def _enter(self) -> bool:
        """Wait until nobody else writes; says whether somebody died at it.

        Who has said that he writes, and sees nobody else who has, is alone: all who say it later see him. Of two who
        see each other, the later one takes it back.
        """
        began = time.time()
        while True:
            self._say(began)
            others = [one for one in self._records.all("writer") if one["id"] != self._me]
            if all(one["until"] < time.time() for one in others):
                for one in others:
                    self._records.remove("writer", one["id"])
                return bool(others)
            is_late, is_first = time.time() > began + PATIENCE, all(began < one["began"] for one in others)
            if is_late or not is_first:
                self._records.remove("writer", self._me)
            if is_late:
                raise _busy()
            time.sleep(uniform(0.02, 0.1))

    def _say(self, began: float) -> None:
        self._records.put("writer", self._me, {"id": self._me, "began": began, "until": time.time() + self._lease})


def _busy() -> LibraryError:
    return LibraryError("another process is changing the library; try again when it is done")

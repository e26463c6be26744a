"""Answers are heard here, and written down by a thread of its own, so that nobody waits for it and none fails by it."""

import logging
import sqlite3
import threading
from datetime import date
from queue import Empty, Full, Queue

from pullquote.counting import Counts, Heard, today
from pullquote.datatypes import Answer
from pullquote.errors import LibraryError
from pullquote.refused import RefusedQuestions

ROOM = 10_000  # answers that may wait to be written
LINGER = 1.0  # seconds until what was heard is written, with all that came meanwhile
IDLE = 3_600.0  # seconds after which what is too old is looked for, if nothing is heard

log = logging.getLogger("pullquote")


class Recorder:
    """Counts answers, and keeps refused questions. Closes what it writes to when it is closed."""

    def __init__(self, counts: Counts, refused: RefusedQuestions) -> None:
        self._counts, self._refused = counts, refused
        self._queue: Queue[Heard | None] = Queue(ROOM)
        self._is_closing = threading.Event()
        self._expired = date.min  # the day on which what was too old was deleted
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def hear(self, answer: Answer) -> None:
        """Take note of an answer: at once, for another thread writes it."""
        try:
            self._queue.put_nowait((today(), answer))
        except Full:
            log.warning("an answer was not counted: %d wait already", ROOM)

    def close(self) -> None:
        """Write what was heard so far, and end."""
        self._is_closing.set()
        self._queue.put(None)
        self._thread.join()
        self._counts.close()
        self._refused.close()

    def _run(self) -> None:
        self._write([])
        is_open = True
        while is_open:
            heard = self._wait()
            is_open = None not in heard
            self._write([one for one in heard if one])

    def _wait(self) -> list[Heard | None]:
        """What was heard in a second; nothing, after an hour of silence."""
        try:
            heard = [self._queue.get(timeout=IDLE)]
        except Empty:
            return []
        self._is_closing.wait(LINGER)
        while not self._queue.empty():  # nobody else takes from it
            heard.append(self._queue.get())
        return heard

    def _write(self, heard: list[Heard]) -> None:
        try:
            if heard:
                self._refused.add(heard)
                self._counts.add(heard)
            if self._expired != today():
                self._refused.expire()
                self._expired = today()
        except (LibraryError, sqlite3.Error) as error:
            log.warning("%d answers were not recorded: %s", len(heard), error)

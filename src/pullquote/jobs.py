"""Changes to the library as jobs: a bounded queue, progress by stage, cancelling; what the page and HTTP add by."""

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any, Literal

from pullquote.datatypes import Article
from pullquote.embedding import WorkerEncoder
from pullquote.errors import JobError, PullquoteError, UnknownJob
from pullquote.ingesting import Outcome, add_article, rename
from pullquote.shared_library import AnyLibrary

log = logging.getLogger("pullquote")

AT_ONCE = 2  # sources read at the same time; the encoder's process takes their chunks in turn
ROOM = 100  # jobs that wait or run; one more is refused
KEPT = 200  # finished jobs remembered
LINGER = 60.0  # seconds without a job after which the encoder's process, 500 MB, ends

State = Literal["waiting", "reading", "embedding", "done", "failed", "cancelled"]
OVER = ("done", "failed", "cancelled")
Read = Callable[[threading.Event], Article]  # reads a source; stops with an error once the event is set


@dataclass(frozen=True, slots=True)
class Job:
    """A change under way, as it stood when it was asked for: `done` of `total` chunks are embedded."""

    id: str
    name: str
    state: State = "waiting"
    done: int = 0
    total: int = 0
    outcome: Outcome | Literal["renamed"] | None = None
    article_id: str | None = None
    message: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class _Cancelled(PullquoteError):
    """Somebody cancelled the job."""


class Jobs:
    """The queue of one library; `new_encoder` starts the encoder's process, when there is something to embed.

    Safe to share between threads; close it before the library.
    """

    def __init__(self, library: AnyLibrary, new_encoder: Callable[[], WorkerEncoder], room: int = ROOM) -> None:
        self._library = library
        self._new_encoder = new_encoder
        self._room = room
        self._encoder: WorkerEncoder | None = None
        self._idle: threading.Timer | None = None
        self._pool = ThreadPoolExecutor(AT_ONCE, "ingest")
        self._jobs: dict[str, Job] = {}
        self._cancels: dict[str, tuple[threading.Event, Future[None]]] = {}
        self._lock = threading.RLock()

    def add(self, name: str, read: Read) -> Job:
        """Queue an article to be read and added. Raises `JobError` when the queue is full."""

        def work(job: str, cancel: threading.Event) -> dict[str, Any]:
            self._update(job, state="reading")
            article = read(cancel)
            stored, outcome = add_article(self._library, article, self._open_encoder(), self._progress(job, cancel))
            return {"outcome": outcome, "article_id": stored.id, "name": stored.title}

        return self._queue(name, work)

    def rename(self, article_id: str, title: str) -> Job:
        """Queue another title for an article. Raises `UnknownArticle`, and `JobError` when the queue is full."""
        name = self._library.article(article_id).title

        def work(job: str, cancel: threading.Event) -> dict[str, Any]:
            article = rename(self._library, article_id, title, self._open_encoder(), self._progress(job, cancel))
            return {"outcome": "renamed", "article_id": article_id, "name": article.title}

        return self._queue(name, work)

    def all(self) -> list[Job]:
        """The jobs that wait, run, or are among the last to have finished, newest first."""
        with self._lock:
            return list(self._jobs.values())[::-1]

    def job(self, job_id: str) -> Job:
        """The job as it stands. Raises `UnknownJob`."""
        with self._lock:
            if job_id not in self._jobs:
                raise UnknownJob(f"no job has the id {job_id!r}; it may have ended long ago")
            return self._jobs[job_id]

    def wait(self, job_id: str) -> Job:
        """The job when it is over. Raises `UnknownJob`."""
        with self._lock:
            _, future = self._cancels.get(job_id, (None, None))
        if future:
            wait([future])
        return self.job(job_id)

    def cancel(self, job_id: str) -> Job:
        """Cancel a job that waits or runs; one that is over stays as it is. Raises `UnknownJob`."""
        with self._lock:
            job = self.job(job_id)
            event, future = self._cancels.get(job_id, (None, None))
            if event and future and not job.is_over:
                event.set()
                if future.cancel():
                    self._finish(job_id, state="cancelled", message="cancelled")
        return self.job(job_id)

    @property
    def open(self) -> int:
        """How many wait or run."""
        return len(self._cancels)

    @property
    def room(self) -> int:
        """How many more may be queued."""
        return self._room - self.open

    def close(self) -> None:
        """Cancel what waits and runs, and end the encoder's process."""
        for job in self.all():
            self.cancel(job.id)
        self._pool.shutdown()
        self._close_encoder()

    def _queue(self, name: str, work: Callable[[str, threading.Event], dict[str, Any]]) -> Job:
        with self._lock:
            if self.room <= 0:
                raise JobError(f"{self._room} changes are waiting already; try again when some are done")
            job = Job(uuid.uuid4().hex[:12], name)
            self._jobs[job.id] = job
            for old in [key for key, known in self._jobs.items() if known.is_over][:-KEPT]:
                del self._jobs[old]
            cancel = threading.Event()
            self._cancels[job.id] = cancel, self._pool.submit(self._run, job.id, cancel, work)
            return job

    def _run(self, job: str, cancel: threading.Event, work: Callable[[str, threading.Event], dict[str, Any]]) -> None:
        try:
            self._finish(job, state="done", **work(job, cancel))
        except PullquoteError as error:
            if cancel.is_set():
                self._finish(job, state="cancelled", message="cancelled")
            else:
                self._finish(job, state="failed", message=str(error))
        except BaseException:
            log.exception("a job failed")
            self._finish(job, state="failed", message="something broke on our side; the log has the details")
            raise

    def _progress(self, job: str, cancel: threading.Event) -> Callable[[int, int], None]:
        def hear(done: int, total: int) -> None:
            if cancel.is_set() and done < total:  # the last batch is saved: cancelled too late
                raise _Cancelled
            self._update(job, state="embedding", done=done, total=total)

        return hear

    def _update(self, job: str, **changes: Any) -> None:
        with self._lock:
            self._jobs[job] = replace(self._jobs[job], **changes)

    def _finish(self, job: str, **changes: Any) -> None:
        with self._lock:
            self._update(job, **changes)
            self._cancels.pop(job, None)
            if not self._cancels and self._encoder:
                self._idle = threading.Timer(LINGER, self._close_encoder)
                self._idle.daemon = True
                self._idle.start()

    def _open_encoder(self) -> WorkerEncoder:
        with self._lock:
            if self._idle:
                self._idle.cancel()
            self._encoder = self._encoder or self._new_encoder()
            return self._encoder

    def _close_encoder(self) -> None:
        with self._lock:
            if self._idle:
                self._idle.cancel()
            if self._encoder and not self._cancels:
                self._encoder.close()
                self._encoder = None

"""A watched folder: what is new or changed in it is added, for as long as the app runs."""

import logging
import threading
from pathlib import Path

from watchfiles import Change, watch

from pullquote.errors import ArticleError, JobError
from pullquote.jobs import Jobs
from pullquote.sources import SUFFIXES, find_files, read_file

log = logging.getLogger("pullquote")


class Watcher:
    """Watches until it is closed. A file that goes leaves its article in the library.

    Raises `ArticleError` where there is no folder.
    """

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        if not folder.is_dir():
            raise ArticleError(f"{folder}: there is no such folder to watch; make it, or unset PULLQUOTE_WATCH")
        self._folder = folder
        self._jobs = jobs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Watch no longer."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        changes = watch(self._folder, stop_event=self._stop, raise_interrupt=False)
        for path in find_files([self._folder]):
            self._add(path)
        for batch in changes:
            for change, name in sorted(batch):
                if change is not Change.deleted and Path(name).suffix.lower() in SUFFIXES:
                    self._add(Path(name))

    def _add(self, path: Path) -> None:
        try:
            self._jobs.add(path.name, lambda cancel: read_file(path, cancel=cancel))
        except JobError as error:
            log.warning("%s was not added: %s", path, error)

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pullquote.embedding import Vectors, WorkerEncoder
from pullquote.errors import ArticleError
from pullquote.jobs import Jobs
from pullquote.library import Library
from pullquote.watching import Watcher
from tests.conftest import BagOfWords

PATIENCE = 20.0  # seconds


class Words(WorkerEncoder):
    """A bag of words in the worker's place."""

    def encode_batch(self, texts: list[str]) -> Vectors:
        return BagOfWords().encode(texts)


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_in_a_folder_and_what_changes_there_is_added_until_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "old.txt").write_text("It was here before.")
    library = Library(tmp_path / "store")
    jobs = Jobs(library, lambda: Words(BagOfWords.name))
    watcher = Watcher(folder, jobs)

    def texts() -> set[str]:
        return {article.text for article, _ in library.articles()}

    wait(lambda: texts() == {"It was here before."})
    (folder / "deep" / "new.md").write_text("It came later.")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    wait(lambda: texts() == {"It was here before.", "It came later."})
    (folder / "old.txt").write_text("It has changed.")
    wait(lambda: texts() == {"It has changed.", "It came later."})
    (folder / "old.txt").unlink()
    watcher.close()
    assert "watcher" not in {thread.name for thread in threading.enumerate()}
    (folder / "late.txt").write_text("Nobody looks.")
    time.sleep(0.3)
    jobs.close()
    assert texts() == {"It has changed.", "It came later."}
    assert all(job.state == "done" for job in jobs.all())
    library.close()


def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    library = Library(tmp_path / "store")
    jobs = Jobs(library, lambda: Words(BagOfWords.name))
    with pytest.raises(ArticleError, match="no such folder to watch"):
        Watcher(tmp_path / "nowhere", jobs)
    jobs.close()
    library.close()

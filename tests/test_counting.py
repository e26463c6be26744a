"""Counts by day, against numpy and a plain counter; and the thread that writes them."""

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from pullquote import keeping
from pullquote.counting import ACCURACY, KEPT_DAYS, Counts, bucket_of, quantile, today
from pullquote.datatypes import Answer, Status
from pullquote.library import FILE_NAME, Library
from pullquote.recording import Recorder
from pullquote.refused import RefusedQuestions


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path)
    yield library
    library.close()


def answer(status: Status = "guidance", question: str = "?", **seconds: float) -> Answer:
    return Answer(question, status, "", 1.0, seconds=seconds)


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95, 1.0])
def test_a_quantile_is_numpys_within_the_accuracy(spread: float, share: float) -> None:
    seconds = np.random.default_rng(7).lognormal(-2, spread, 5_000)
    right = np.quantile(seconds, share, method="lower")
    assert quantile(Counter(map(bucket_of, seconds)), share) == pytest.approx(right, rel=ACCURACY)


def test_what_several_processes_count_on_several_days_adds_up(library: Library) -> None:
    rng = np.random.default_rng(1)
    statuses: list[Status] = ["guidance", "not_found"]
    heard = [
        (today() - timedelta(int(rng.integers(5))), answer(statuses[int(rng.integers(2))], total=float(rng.random())))
        for _ in range(300)
    ]
    all_counts = [Counts(library) for _ in range(3)]

    def count(counts: Counts, first: int) -> None:
        for start in range(first, 300, 30):
            counts.add(heard[start : start + 10])

    threads = [threading.Thread(target=count, args=pair) for pair in zip(all_counts, (0, 10, 20), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    right = Counter((f"{day}", one.status) for day, one in heard)
    found = all_counts[0].asked(date.min)
    assert {(day, status): n for day, row in found.items() for status, n in row.items()} == right
    assert sum(all_counts[0].took(date.min)["total"].values()) == 300
    recent = [one for day, one in heard if day >= today() - timedelta(1)]
    assert sum(sum(row.values()) for row in all_counts[0].asked(today() - timedelta(1)).values()) == len(recent)
    for counts in all_counts:
        counts.close()


def test_old_counts_go_and_an_export_has_none(library: Library, tmp_path: Path) -> None:
    with closing(Counts(library)) as counts:
        counts.add([(today() - timedelta(KEPT_DAYS + 1), answer(total=1.0)), (today(), answer(total=0.0))])
        assert counts.asked(date.min) == {f"{today()}": {"guidance": 1}}
        assert counts.took(date.min) == {}  # a stage that was not entered took no time
    keeping.export(library, tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out")) as copy:
        assert copy.execute("SELECT count(*) FROM asked").fetchone() == (0,)


def test_nobody_waits_for_a_count_and_none_fails_by_it(
    library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(Counts(library), RefusedQuestions(tmp_path, 7))
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another writer stays for a while
    began = time.perf_counter()
    for _ in range(1_000):
        recorder.hear(answer("not_found", "How high is it?", total=0.1))
    assert time.perf_counter() - began < 0.5
    time.sleep(1.2)
    other.execute("COMMIT")
    other.close()
    recorder.close()  # what was heard is written first
    with closing(Counts(library)) as counts, closing(RefusedQuestions(tmp_path, 7)) as refused:
        assert counts.asked(today()) == {f"{today()}": {"not_found": 1_000}}
        assert [(one.question, one.count) for one in refused.all()] == [("How high is it?", 1_000)]

    broken = Recorder(Counts(library), RefusedQuestions(tmp_path, 7))
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db:
        db.execute("DROP TABLE asked")
    with caplog.at_level(logging.WARNING, "pullquote"):
        broken.hear(answer("not_found", "a secret"))
        broken.close()
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["1 answers were not recorded"]
    assert "secret" not in caplog.text

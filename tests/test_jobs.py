"""The queue, over a real library and a fake encoder whose batches wait for the test."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.embedding import Vectors, WorkerEncoder
from pullquote.errors import ArticleError, EncoderMismatch, JobError, UnknownArticle, UnknownJob
from pullquote.jobs import AT_ONCE, Job, Jobs
from pullquote.library import Library
from tests.building import put
from tests.conftest import BagOfWords

LONG = "\n\n".join(f"Paragraph {number} tells of thing{number}. " + "It goes on and on. " * 30 for number in range(40))
PATIENCE = 20.0  # seconds


class Gated(WorkerEncoder):
    """Embeds a batch whenever the gate is open."""

    def __init__(self, gate: threading.Event, name: str = BagOfWords.name) -> None:
        super().__init__(name)
        self.gate = gate
        self.batches = 0

    def encode_batch(self, texts: list[str]) -> Vectors:
        assert self.gate.wait(PATIENCE)
        self.batches += 1
        return BagOfWords().encode(texts)


class Bench:
    """A library, its queue, and what the tests hold on to."""

    def __init__(self, folder: Path) -> None:
        self.library = Library(folder)
        self.gate = threading.Event()
        self.encoders: list[Gated] = []
        self.jobs = Jobs(self.library, self.new_encoder, room=4)

    def new_encoder(self) -> WorkerEncoder:
        self.encoders.append(Gated(self.gate))
        return self.encoders[-1]

    def wait(self, job: Job, until: Callable[[Job], bool] = lambda job: job.is_over) -> Job:
        end = time.monotonic() + PATIENCE
        while not until(self.jobs.job(job.id)):
            assert time.monotonic() < end, self.jobs.job(job.id)
            time.sleep(0.005)
        return self.jobs.job(job.id)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.gate.set()
    bench.jobs.close()
    bench.library.close()


def given(article: Article) -> Callable[[threading.Event], Article]:
    return lambda _cancel: article


def test_an_article_is_added_and_the_job_says_what_came_of_it(bench: Bench) -> None:
    bench.gate.set()
    article = make_article("The moth sat in the relay.", title="Moth")
    first = bench.wait(bench.jobs.add("moth.txt", given(article)))
    assert (first.state, first.outcome, first.article_id, first.name) == ("done", "new", article.id, "Moth")
    again = bench.wait(bench.jobs.add("moth.txt", given(make_article("The moth sat in the relay."))))
    assert (again.state, again.outcome, again.article_id) == ("done", "unchanged", article.id)
    assert [job.id for job in bench.jobs.all()] == [again.id, first.id]
    assert bench.library.article(article.id).text == article.text


def test_chunks_are_counted_as_they_are_embedded(bench: Bench) -> None:
    job = bench.jobs.add("long", given(make_article(LONG)))
    started = bench.wait(job, lambda job: job.state == "embedding")
    assert started.done == 0
    assert started.total > 20
    bench.gate.set()
    ended = bench.wait(job)
    assert (ended.done, ended.total) == (started.total, len(bench.library.all_chunks()))


@pytest.mark.parametrize("kind", [ArticleError, EncoderMismatch])
def test_an_expected_failure_is_told_and_nothing_is_stored(bench: Bench, kind: type[Exception]) -> None:
    def fail(_cancel: threading.Event) -> Article:
        raise kind("a.pdf: it is a scan; recognise its text first")

    job = bench.wait(bench.jobs.add("a.pdf", fail))
    assert (job.state, job.message) == ("failed", "a.pdf: it is a scan; recognise its text first")
    assert bench.library.is_empty


def test_an_unexpected_failure_is_logged_whole_and_told_without_its_words(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_cancel: threading.Event) -> Article:
        raise ZeroDivisionError("secret")

    with caplog.at_level(logging.ERROR):
        job = bench.wait(bench.jobs.add("a.pdf", fail))
    assert job.state == "failed"
    assert "secret" not in job.message
    assert "ZeroDivisionError: secret" in caplog.text


def test_a_job_is_cancelled_while_it_waits_reads_or_embeds(bench: Bench) -> None:
    entered, ended = threading.Event(), threading.Event()

    def slow(cancel: threading.Event) -> Article:
        entered.set()
        assert cancel.wait(PATIENCE)
        ended.set()
        raise ArticleError("it was stopped")

    embedding = bench.jobs.add("long", given(make_article(LONG)))
    bench.wait(embedding, lambda job: job.state == "embedding")
    reading = bench.jobs.add("slow", slow)
    assert entered.wait(PATIENCE)
    waiting = bench.jobs.add("waits", given(make_article("Never read.")))
    assert bench.jobs.job(waiting.id).state == "waiting"
    for job in (waiting, reading, embedding):
        bench.jobs.cancel(job.id)
    bench.gate.set()
    for job in (waiting, reading, embedding):
        assert (bench.wait(job).state, bench.wait(job).message) == ("cancelled", "cancelled")
    assert ended.is_set()
    assert bench.library.is_empty
    assert bench.encoders[0].batches <= 1
    assert bench.jobs.cancel(waiting.id).state == "cancelled"  # twice is no error


def test_the_queue_is_bounded_and_takes_more_when_some_are_done(bench: Bench) -> None:
    held = [bench.jobs.add(f"{number}", given(make_article(f"Text {number}. " + LONG))) for number in range(4)]
    with pytest.raises(JobError, match="4 changes are waiting already"):
        bench.jobs.add("one too many", given(make_article("Late.")))
    running = [job for job in held if bench.jobs.job(job.id).state != "waiting"]
    assert len(running) <= AT_ONCE
    bench.gate.set()
    for job in held:
        assert bench.wait(job).state == "done"
    assert bench.wait(bench.jobs.add("now", given(make_article("Late.")))).state == "done"
    assert len(bench.library.articles()) == 5
    assert len(bench.encoders) == 1  # one process for all


def test_a_rename_is_a_job_and_embeds_under_the_new_title(bench: Bench) -> None:
    bench.gate.set()
    article = make_article("The moth sat in the relay.", title="Moth")
    put(bench.library, article)
    job = bench.wait(bench.jobs.rename(article.id, " The  bug "))
    assert (job.state, job.outcome, job.name) == ("done", "renamed", "The bug")
    assert bench.library.article(article.id).title == bench.library.given_title(article.id) == "The bug"
    expected = BagOfWords().encode([f"The bug\n{article.text}"])
    assert (bench.library.vectors()[2] == expected).all()
    assert bench.wait(bench.jobs.rename(article.id, " ")).state == "failed"
    with pytest.raises(UnknownArticle):
        bench.jobs.rename("nothing", "Title")


def test_a_job_that_is_not_known_is_refused(bench: Bench) -> None:
    for ask in (bench.jobs.job, bench.jobs.cancel):
        with pytest.raises(UnknownJob, match="no job has the id"):
            ask("nothing")


def test_closing_ends_what_runs(bench: Bench) -> None:
    job = bench.jobs.add("long", given(make_article(LONG)))
    bench.wait(job, lambda job: job.state == "embedding")
    threading.Timer(0.1, bench.gate.set).start()
    bench.jobs.close()
    assert bench.jobs.job(job.id).state == "cancelled"
    assert bench.library.is_empty

"""Refused questions: kept for their days, and then nowhere in the files."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pullquote import refused
from pullquote.articles import make_article
from pullquote.counting import Counts, today
from pullquote.datatypes import Answer, Quote
from pullquote.library import Library
from pullquote.recording import Recorder
from pullquote.refused import RefusedQuestions

ARTICLE = make_article("The lamp was lit in 1874. It burned oil.", title="Lamp")
CLOSEST = Quote.cut(1, ARTICLE, (0, 25), (0, 25))


def answer(question: str, closest: Quote | None = CLOSEST, read_as: str | None = None) -> Answer:
    return Answer(question, "not_found", "", 0.9, closest=closest, read_as=read_as)


def bytes_in(folder: Path) -> bytes:
    """All that the files hold, their logs too."""
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[RefusedQuestions]:
    with closing(RefusedQuestions(tmp_path, 7)) as kept:
        yield kept


def test_a_refused_question_is_counted_over_days_with_the_last_closest_place(kept: RefusedQuestions) -> None:
    before = today() - timedelta(3)
    kept.add([(before, answer("How high?", None)), (before, answer("How high?", None)), (before, answer("Why?"))])
    kept.add([(today(), answer("How high?")), (today(), answer("And now?", read_as="How high is it now?"))])
    kept.add([(today(), Answer("Who?", "guidance", "Ask something.", 1.0))])
    assert [(one.question, one.count, one.last) for one in kept.all()] == [
        ("How high?", 3, f"{today()}"),
        ("How high is it now?", 1, f"{today()}"),
        ("Why?", 1, f"{before}"),
    ]
    first = kept.all()[0]
    assert (first.article_id, first.article_sha256) == (ARTICLE.id, ARTICLE.sha256)
    assert ARTICLE.text[first.start : first.end] == "The lamp was lit in 1874."


def test_what_is_too_old_is_in_no_file_any_more(kept: RefusedQuestions, tmp_path: Path) -> None:
    for days in range(9):
        rows = [(today() - timedelta(days), answer(f"canary{days}x{n} " + "long " * 200)) for n in range(40)]
        kept.add(rows)
    assert {one.question[:7] for one in kept.all()} == {f"canary{days}" for days in range(7)}
    assert b"canary8x" in bytes_in(tmp_path)  # the control
    kept.expire()
    found = bytes_in(tmp_path)
    assert b"canary7x" not in found
    assert b"canary8x" not in found
    assert b"canary6x" in found
    kept.forget_all()
    assert kept.all() == []
    assert b"canary" not in bytes_in(tmp_path)


def test_nothing_is_kept_unless_that_is_set_and_what_was_is_deleted_at_the_next_start(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with closing(RefusedQuestions(tmp_path, 0)) as off:
        off.add([(today(), answer("canary"))])
        off.forget_all()
        assert off.all() == []
    assert not (tmp_path / refused.FILE_NAME).exists()
    with closing(RefusedQuestions(tmp_path, 1)) as on:
        on.add([(today(), answer("canary"))])
        assert [one.question for one in on.all()] == ["canary"]
    Recorder(Counts(library), RefusedQuestions(tmp_path, 0)).close()
    library.close()
    assert b"canary" not in bytes_in(tmp_path)


def test_the_oldest_go_when_there_are_too_many(kept: RefusedQuestions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "KEPT", 5)
    for number in range(8):
        kept.add([(today(), answer(f"{number}?"))])
    assert sorted(one.question for one in kept.all()) == ["3?", "4?", "5?", "6?", "7?"]

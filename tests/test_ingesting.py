"""The path of an article, with a fast encoder in place of the worker; stored rows are held against plain slices."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from pullquote import keeping
from pullquote.articles import make_article
from pullquote.datatypes import Article
from pullquote.embedding import Vectors, WorkerEncoder
from pullquote.errors import ArticleError, EncoderMismatch, ModelError
from pullquote.ingesting import add_article, add_many, new_starters, reembed
from pullquote.library import Library
from pullquote.sources import find_files, read_file
from tests.conftest import BagOfWords

LONG = "\n\n".join(f"Paragraph {number} tells of thing{number}. " + "It goes on and on. " * 30 for number in range(8))


class FakeWorker(WorkerEncoder):
    """A bag of words in the worker's place."""

    def __init__(self, name: str = "bag-of-words", sign: int = 1) -> None:
        super().__init__(name)
        self.sign = sign
        self.seen: list[str] = []

    def encode_batch(self, texts: list[str]) -> Vectors:
        self.seen += texts
        return self.sign * BagOfWords().encode(texts)


def nothing(done: int, total: int) -> None:
    """No progress is shown."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library")
    yield library
    library.close()


def test_an_article_is_stored_with_a_vector_for_each_chunk_under_its_title(library: Library) -> None:
    article = make_article(LONG, title="Things")
    stored, outcome = add_article(library, article, FakeWorker(), nothing)
    assert (stored, outcome) == (article, "new")
    assert library.article(article.id).text == article.text
    chunks = [chunk for _, chunk in library.all_chunks()]
    assert len(chunks) > 3
    expected = BagOfWords().encode([f"Things\n{article.text[chunk.start : chunk.end]}" for chunk in chunks])
    np.testing.assert_array_equal(library.vectors()[2], expected)
    assert library.encoder == "bag-of-words"


def test_progress_counts_from_nothing_to_all(library: Library) -> None:
    told: list[tuple[int, int]] = []
    add_article(library, make_article(LONG), FakeWorker(), lambda done, total: told.append((done, total)))
    count = len(library.all_chunks())
    assert (told[0], told[-1]) == ((0, count), (count, count))
    assert told == sorted(told)


def test_the_same_text_twice_is_one_article_and_embedded_once(library: Library) -> None:
    encoder = FakeWorker()
    first, _ = add_article(library, make_article(LONG, source="a.txt"), encoder, nothing)
    embedded = len(encoder.seen)
    again, outcome = add_article(library, make_article(LONG.replace("\n", "\r\n"), source="b.txt"), encoder, nothing)
    assert (again.id, outcome) == (first.id, "unchanged")
    assert (len(library.articles()), len(encoder.seen)) == (1, embedded)


def test_a_changed_file_replaces_its_text_under_the_same_id(library: Library, tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    ids, outcomes = [], []
    for text in ("Old words here.", "New words here."):
        file.write_text(text)
        article, outcome = add_article(library, read_file(file), FakeWorker(), nothing)
        ids.append(article.id)
        outcomes.append(outcome)
    assert (len(set(ids)), outcomes) == (1, ["new", "changed"])
    assert [article.text for article, _ in library.articles()] == ["New words here."]
    assert library.search_words(["old"], 9) == []
    assert len(library.search_words(["new"], 9)) == len(library.all_chunks()) == 1


def test_pasted_texts_do_not_replace_one_another(library: Library) -> None:
    for text in ("One text.", "Another text."):
        assert add_article(library, make_article(text), FakeWorker(), nothing)[1] == "new"
    assert len(library.articles()) == 2


def test_another_encoder_is_refused_and_changes_nothing(library: Library) -> None:
    add_article(library, make_article("One text."), FakeWorker(), nothing)
    revision = library.revision
    with pytest.raises(EncoderMismatch):
        add_article(library, make_article("Another text."), FakeWorker("other"), nothing)
    assert (library.revision, len(library.articles())) == (revision, 1)


def test_reembedding_gives_every_chunk_its_new_vector(library: Library) -> None:
    for text in (LONG, "One text."):
        add_article(library, make_article(text), FakeWorker(), nothing)
    _, keys, before = library.vectors()
    assert reembed(library, FakeWorker("other", sign=-1), nothing) == len(keys)
    _, same_keys, after = library.vectors()
    np.testing.assert_array_equal(same_keys, keys)
    np.testing.assert_array_equal(after, -before)
    assert library.encoder == "other"
    assert reembed(Library(library.folder.with_name("empty")), FakeWorker(), nothing) == 0


def test_no_text_takes_no_worker() -> None:
    with WorkerEncoder() as encoder:
        assert encoder.encode([], nothing).size == 0


def test_a_folder_stands_for_its_text_files_in_order_of_name(tmp_path: Path) -> None:
    names = ["b.txt", "a.md", "C.TXT", "deep/er/d.txt", "image.png", "txt", ".txt/e.md"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path])]
    assert found == [".txt/e.md", "C.TXT", "a.md", "b.txt", "deep/er/d.txt"]
    named = [tmp_path / "image.png", tmp_path / "b.txt"]
    assert find_files(named) == named  # what is named is tried; reading it says why it cannot be added
    assert find_files([]) == []


@pytest.mark.parametrize("name", ["nowhere.txt", "x" * 5000, "a.txt/below"])
def test_a_path_that_is_not_there_is_an_article_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ArticleError, match="check the path"):
        find_files([tmp_path / name])


def test_starters_are_the_texts_never_held_before(
    library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "starters"
    assert new_starters(library, folder) == []
    folder.mkdir()
    (folder / "a.txt").write_text("First text.")
    (folder / "b.txt").write_text("Second text.")
    (folder / "broken.txt").write_bytes(bytes(40))
    with caplog.at_level(logging.WARNING, "pullquote"):
        first, second = new_starters(library, folder)
    assert "broken.txt" in caplog.text
    assert [first.text, second.text] == ["First text.", "Second text."]
    library.mark_starter(first.sha256)
    assert [article.text for article in new_starters(library, folder)] == ["Second text."]
    (folder / "a.txt").write_text("First text, changed.")
    assert [article.text for article in new_starters(library, folder)] == ["First text, changed.", "Second text."]


def test_a_starter_removed_by_hand_does_not_come_back(library: Library, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("First text.")
    (starter,) = new_starters(library, tmp_path)
    stored, _ = add_article(library, replace(starter), FakeWorker(), nothing)
    library.mark_starter(starter.sha256)
    library.remove(stored.id)
    assert new_starters(library, tmp_path) == []


def texts(folder: Path, count: int) -> list[str]:
    """Files of a few sentences; every third has the text of the one before."""
    for number in range(count):
        text = f"Note {number - (number % 3 == 2)} says that boats came in. Nobody saw them."
        (folder / f"{number:03}.txt").write_text(text, "utf-8")
    return sorted(map(str, folder.glob("*.txt")))


class Dying(FakeWorker):
    """A worker whose process dies at its third batch."""

    def __init__(self) -> None:
        super().__init__()
        self.died = Event()

    def encode_batch(self, texts: list[str]) -> Vectors:
        if len(self.seen) == 2 and not self.died.is_set():
            self.died.set()
            raise ModelError("the embedding process ended unexpectedly")
        return super().encode_batch(texts)


class Waiting(FakeWorker):
    """A worker that embeds only once another has died, however the threads take turns."""

    def __init__(self, other: Dying) -> None:
        super().__init__()
        self.other = other

    def encode_batch(self, texts: list[str]) -> Vectors:
        assert self.other.died.wait(60)
        return super().encode_batch(texts)


def test_many_articles_are_added_once_each_though_a_worker_dies(tmp_path: Path) -> None:
    """And what is there already is passed over by a second run, without embedding."""
    files = tmp_path / "files"
    files.mkdir()
    names = texts(files, 60)
    library = Library(tmp_path / "store")
    dying = Dying()

    def read(name: str) -> Article:
        return read_file(Path(name))

    results = list(add_many(library, names, read, [dying, Waiting(dying)]))
    assert dying.died.is_set()
    outcomes = [result[2] for result in results if not isinstance(result, ArticleError)]
    assert sorted(outcomes) == ["new"] * 40 + ["unchanged"] * 20
    held = library.articles()
    assert len({article.sha256 for article, _ in held}) == len(held) == 40
    assert [problem for problem in keeping.check(library) if "vector index" not in problem] == []
    idle = FakeWorker()
    again = list(add_many(library, [*names, str(tmp_path / "none.txt")], read, [idle]))
    assert sum(isinstance(result, ArticleError) for result in again) == 1
    assert {result[2] for result in again if not isinstance(result, ArticleError)} == {"unchanged"}
    assert idle.seen == []
    library.close()


def test_a_worker_that_dies_again_ends_it_and_what_was_stored_stays(tmp_path: Path) -> None:
    class Dead(FakeWorker):
        def encode_batch(self, texts: list[str]) -> Vectors:
            if len(self.seen) >= 4:
                raise ModelError("the embedding process ended unexpectedly")
            return super().encode_batch(texts)

    names = texts(tmp_path, 30)
    library = Library(tmp_path / "store")
    with pytest.raises(ModelError, match="ended unexpectedly"):
        list(add_many(library, names, lambda name: read_file(Path(name)), [Dead()]))
    assert len(library.articles()) == 4
    library.close()

"""`from pullquote import Pullquote`."""

import subprocess
import sys
from pathlib import Path

import pytest

import pullquote
from pullquote import Pullquote
from pullquote.datatypes import Article
from pullquote.errors import LibraryError, QuestionError, UnknownArticle
from pullquote.settings import Settings

ASK = "Who was the first to report the intelligence discovery?"
FAST = Settings(reader="fast")


def test_it_answers_with_slices_of_the_article(store: Path, article: Article) -> None:
    with Pullquote.open(str(store), FAST) as opened:
        answer = opened.ask(ASK)
        (known,) = opened.articles()
        assert answer.text == "The New York Times"
        assert all(article.text[quote.start : quote.end] == quote.text for quote in answer.quotes)
        assert opened.ask("And when?", [ASK]).read_as
        assert opened.ask(ASK, article=known.id).text == answer.text
        assert opened.article(known.id).text == article.text


def test_it_finds_passages_best_first(store: Path, article: Article) -> None:
    with Pullquote.open(store, FAST) as opened:
        passages = opened.search("the intelligence discovery", 3)
        assert len(passages) == 3
        assert [one.fused for one in passages] == sorted((one.fused for one in passages), reverse=True)
        assert all(one.text in article.text for one in passages)
        assert "intelligence discovery" in passages[0].text


def test_the_settings_say_which_library(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULLQUOTE_STORE", str(store))
    monkeypatch.setenv("PULLQUOTE_READER", "fast")
    with Pullquote.open() as opened:
        assert len(opened.articles()) == 1


def test_what_cannot_be_is_said(store: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="pullquote add"):
        Pullquote.open(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with Pullquote.open(store, FAST) as opened:
        with pytest.raises(QuestionError):
            opened.ask(" ")
        with pytest.raises(QuestionError):
            opened.search("x" * 3000)
        with pytest.raises(UnknownArticle):
            opened.ask(ASK, article="nothing")
        with pytest.raises(UnknownArticle):
            opened.article("nothing")


def test_importing_the_package_costs_nothing() -> None:
    program = "import sys, pullquote; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert [name for name in loaded if name.startswith("pullquote")] == ["pullquote"]
    assert not {"numpy", "pydantic", "onnxruntime"} & set(loaded)


def test_there_is_nothing_else_in_the_package() -> None:
    with pytest.raises(AttributeError, match="Pulquote"):
        _ = pullquote.Pulquote

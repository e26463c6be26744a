from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pullquote.answering import Assistant
from pullquote.articles import make_article
from pullquote.caching import Cache
from pullquote.datatypes import Article
from pullquote.library import Library
from pullquote.settings import Settings
from pullquote.timing import noted
from tests.building import put_embedded

QUESTION = "Who was the first to report the intelligence discovery?"


def test_the_one_not_used_for_longest_goes() -> None:
    cache = Cache[str](2)
    cache.put("a", "1")
    cache.put("b", "2")
    assert cache.get("a") == "1"
    cache.put("c", "3")
    assert [cache.get(key) for key in "abc"] == ["1", None, "3"]
    assert (cache.hits, cache.misses, cache.hit_rate) == (3, 1, 0.75)


def test_without_room_nothing_is_kept() -> None:
    cache = Cache[str](0)
    assert cache.hit_rate == 0
    cache.put("a", "1")
    assert cache.get("a") is None


def test_many_threads_lose_no_count() -> None:
    cache = Cache[int](5)

    def use(number: int) -> None:
        if cache.get(number % 9) is None:
            cache.put(number % 9, number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(2_000)))
    assert cache.hits + cache.misses == 2_000


@pytest.fixture
def assistant(tmp_path: Path, article: Article) -> Iterator[Assistant]:
    library = Library(tmp_path)
    put_embedded(library, article)
    yield Assistant.open(library, Settings(reader="fast"))
    library.close()


def test_the_same_question_is_read_once_and_answered_the_same(assistant: Assistant) -> None:
    first = assistant.ask(QUESTION)
    with noted() as stages:
        again = assistant.ask(QUESTION)
    assert stages == {}
    assert replace(again, seconds={}) == replace(first, seconds={})
    assert again.seconds["total"] < first.seconds["total"]
    assert again.seconds["read"] == 0
    assert assistant.cache.hit_rate == 0.5


def test_history_and_article_and_question_are_told_apart(assistant: Assistant, article: Article) -> None:
    assistant.ask("And when?", ["Who reported it first?"])
    assistant.ask("And when?", ["Whom did North Korea blame?"])
    assistant.ask("And when?")
    assistant.ask("And when?", article=article.id)
    assert (assistant.cache.hits, assistant.cache.misses) == (0, 4)


def test_a_change_of_the_library_is_answered_anew(assistant: Assistant) -> None:
    assert assistant.ask("Who found the moth?").status == "not_found"
    put_embedded(assistant.library, make_article("Grace Hopper found the moth in the relay.", title="Moth"))
    assert "Grace Hopper" in assistant.ask("Who found the moth?").quotes[0].text
    assistant.library.remove(assistant.library.articles()[-1][0].id)
    assert assistant.ask("Who found the moth?").status == "not_found"
    assert assistant.cache.hits == 0

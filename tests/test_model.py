"""A real language model of 135 million parameters, which gets much wrong: nothing of that may be shown."""

from collections.abc import Iterator

import pytest

from tests.acceptance.worded import ask
from tests.conftest import needs_shared
from tests.small_model import MISSING, is_installed, serving_small_model

pytestmark = [pytest.mark.model, pytest.mark.skipif(not is_installed(), reason=MISSING)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving_small_model() as address:
        yield address


def test_ten_questions_show_nothing_unverified(url: str) -> None:
    needs_shared("eval/articles-dev.json")
    found = list(ask(url, 10, articles=2))
    assert len(found) == 10
    assert sum(one.not_literal for one in found) == 0
    assert [text for one in found for text in one.unverified] == []
    asked = [one for one in found if one.trace.wording]
    assert asked, "the control: the model was asked"
    assert all(one.trace.answer.seconds["total"] < 20 for one in found)

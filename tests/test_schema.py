"""A library of every format that was ever released, each made by the version that had it, opens in this one."""

import gzip
from contextlib import closing
from pathlib import Path

import pytest

from pullquote import keeping, schema
from pullquote.answering import Assistant
from pullquote.library import FILE_NAME, Library
from pullquote.settings import Settings
from pullquote.tokens import Tokens
from pullquote.vector_index import VectorIndex

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("number", range(1, int(schema.FORMAT) + 1))
def test_a_library_of_every_format_opens_is_sound_and_answers(tmp_path: Path, number: int) -> None:
    (tmp_path / FILE_NAME).write_bytes(gzip.decompress((DATA / f"library-{number}.sqlite.gz").read_bytes()))
    for _ in range(2):  # the second time it is of this format already
        with closing(Library(tmp_path)) as library:
            VectorIndex.build(library)
            assert keeping.check(library) == []
            answer = Assistant.open(library, Settings(reader="fast")).ask("When was the lighthouse of Brenn built?")
            assert answer.text == "1874"
            assert answer.quotes[0].is_literal(library.article(answer.quotes[0].article_id))
            with closing(Tokens(library)) as tokens:
                assert [name for name, _ in tokens.all()] == (["Ada"] if number >= 2 else [])

"""Articles, chunks and passages as plain data, judged by the article."""

from pullquote.chunking import chunk_article
from pullquote.datatypes import Passage
from pullquote.payloads import passage_row, whole_article
from tests.building import AWKWARD, awkward


def test_every_row_is_a_slice_of_the_article() -> None:
    for name in AWKWARD:
        article = awkward(name)
        chunks = chunk_article(article)
        found = whole_article(article, chunks, ["awkward"])
        assert (found["text"], found["chunks"], found["words"]) == (
            article.text,
            len(chunks),
            len(article.text.split()),
        )
        for chunk, row in zip(chunks, found["chunk_rows"], strict=True):
            assert article.text[row["start"] : row["end"]] == row["text"]
            passage = Passage(chunk, article, ((chunk.start, chunk.end),), 0.5, 0.0, 0.51234)
            shown = passage_row(passage)
            assert {**shown, "position": chunk.position}.items() >= row.items()
            assert (shown["article_id"], shown["score"]) == (article.id, 0.5123)

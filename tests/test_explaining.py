"""The workings of an answer, held against the trace they were made from and the raw article."""

from pullquote.answering import Assistant
from pullquote.explaining import Table, explain
from tests.conftest import ARTICLE_FILE


def tables(assistant: Assistant, question: str, *history: str) -> list[Table]:
    return explain(assistant.trace(question, history), assistant.examiner.judge)


def test_passages_and_sentences_of_a_question(assistant: Assistant) -> None:
    passages, sentences, scores = tables(assistant, "Who was the first to report the intelligence discovery?")
    assert "Who was the first" in passages.title
    assert [row[0] for row in passages.rows] == [str(place) for place in range(1, len(passages.rows) + 1)]
    assert all("Russia Purchases Rockets" in row[1] and "rank" in row[2] for row in passages.rows)
    best = dict(zip(sentences.columns, sentences.rows[0], strict=True))
    assert best["marked"] == "The New York Times"
    assert best["marked"] in ARTICLE_FILE.read_text(encoding="utf-8")
    scored = dict(zip(scores.columns, scores.rows[0], strict=True))
    assert float(scored["span"]) > float(scored["null"])
    assert [row[0] for row in scores.rows] == [row[0] for row in sentences.rows]
    assert best["verdict"].startswith("kept")
    confidences = [float(row[sentences.columns.index("confidence")]) for row in sentences.rows]
    assert confidences[0] == max(confidences)


def test_a_refusal_is_told_as_one(assistant: Assistant) -> None:
    _, sentences, _ = tables(assistant, "How much did the rockets cost?")
    assert all(row[-1].startswith("refused") for row in sentences.rows)


def test_a_compound_question_has_the_tables_of_both_parts(assistant: Assistant) -> None:
    found = tables(assistant, "Who reported the discovery, and when were the drones sent?")
    assert len(found) == 6


def test_nothing_read_has_no_tables(assistant: Assistant) -> None:
    assert tables(assistant, "hello") == []
    assert tables(assistant, "What is this article about?") == []


def test_every_row_fits_its_columns(assistant: Assistant) -> None:
    for table in tables(assistant, "And why?", "Who criticized the West?"):
        assert all(len(row) == len(table.columns) for row in table.rows)

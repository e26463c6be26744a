import time
from itertools import islice

import pytest

from pullquote import profiling
from pullquote.answering import Assistant
from pullquote.benchmarking import Figure
from pullquote.profiling import Limits, flop, measure_models, measure_stages, measure_visitors
from pullquote.settings import Settings
from pullquote.timing import noted, stage

QUESTIONS = ["Who was the first to report the intelligence discovery?", "What is the capital of France?"]


def test_stages_are_noted_for_who_asks_and_add_up() -> None:
    with stage("outside"):
        pass
    with noted() as seconds:
        for _ in range(2):
            with stage("one"):
                time.sleep(0.01)
        with noted() as inner, stage("two"):
            pass
    assert list(seconds) == ["one"]
    assert list(inner) == ["two"]
    assert seconds["one"] >= 0.02


def test_a_stage_that_fails_is_noted_too() -> None:
    with noted() as seconds, pytest.raises(ValueError, match="no"), stage("one"):
        raise ValueError("no")
    assert "one" in seconds


def test_the_work_of_a_model_is_that_of_its_published_shape() -> None:
    """MiniLM-L6 (6 layers of 384) over 157 tokens; MPNet-base has 85 million weights in its layers."""
    assert flop(157, 6, 384) / 1e9 == pytest.approx(3.6, abs=0.1)
    assert flop(1, 12, 768) / 2 == pytest.approx(85e6, rel=0.01)


def test_the_stages_of_a_question_are_all_there_and_within_the_whole(assistant: Assistant) -> None:
    figures = {one.name: one for one in measure_stages(assistant, QUESTIONS, None)}
    parts = [figures[f"question: {name}"] for name in (*profiling.STAGES, "render")]
    assert all(one.median > 0 for one in parts if "again" not in one.name)
    assert sum(one.best for one in parts) <= figures["question: all"].worst
    assert 0 < figures["question: the readers' part of it"].median < 1


def test_visitors_are_counted(assistant: Assistant) -> None:
    rate, p95 = islice(measure_visitors(assistant, QUESTIONS, None), 2)
    assert rate.unit == "1/s"
    assert 0 < 1 / rate.median <= 2 * p95.median / 1e3


def test_a_model_is_measured_beside_the_limit() -> None:
    limits = Limits(Figure.of("a", "GFLOP/s", [100.0]), Figure.of("b", "GB/s", [10.0]))
    encoder, reader = measure_models(Settings(reader="fast"), limits)
    assert encoder.limit == reader.limit == 100.0
    assert 0 < encoder.worst <= encoder.best

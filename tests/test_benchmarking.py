import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from pullquote import benchmarking, cli
from pullquote.benchmarking import Figure, compare, result
from pullquote.settings import Settings


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        cli.main(list(arguments))
    return int(stop.value.code or 0)


def saved(path: Path, *figures: Figure) -> Path:
    path.write_text(json.dumps(result("test", figures, Settings())), "utf-8")
    return path


@pytest.mark.parametrize(
    ("unit", "values", "best", "worst"),
    [("ms", [3, 1, 2], 1, 3), ("chunks/s", [3, 1, 2], 3, 1), ("share", [0.5, 0.9], 0.9, 0.5), ("s", [4], 4, 4)],
)
def test_best_and_worst_are_those_of_the_unit(unit: str, values: list[float], best: float, worst: float) -> None:
    figure = Figure.of("a", unit, values)
    assert (figure.best, figure.worst) == (best, worst)
    assert min(values) <= figure.median <= max(values)
    assert figure.share is None


def test_a_share_is_of_the_limit() -> None:
    assert Figure.of("a", "ms", [10.0], 2.0).share == 0.2
    assert Figure.of("a", "GFLOP/s", [10.0], 40.0).share == 0.25


def test_a_figure_is_compared_in_its_own_direction() -> None:
    before = result("x", [Figure.of("time", "ms", [10, 10, 11]), Figure.of("rate", "1/s", [8, 8, 9])], Settings())
    after = result("x", [Figure.of("rate", "1/s", [4, 4, 5]), Figure.of("time", "ms", [5, 5, 5])], Settings())
    rate, time = compare(before, after)
    assert (rate.name, rate.factor, rate.is_clear) == ("rate", 2.0, True)
    assert (time.name, time.factor, time.is_clear) == ("time", 0.5, True)


def test_runs_that_overlap_are_no_clear_difference() -> None:
    before = result("x", [Figure.of("time", "ms", [10, 12, 30])], Settings())
    after = result("x", [Figure.of("time", "ms", [9, 14, 15])], Settings())
    [difference] = compare(before, after)
    assert difference.factor == pytest.approx(14 / 12)
    assert not difference.is_clear


def test_compare_ends_with_4_where_a_figure_is_clearly_slower(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = Figure.of("limit: memory", "GB/s", [20, 20])
    before = saved(tmp_path / "a.json", Figure.of("read", "ms", [10, 11, 12]), limit)
    worse = saved(tmp_path / "b.json", Figure.of("read", "ms", [20, 22, 24]), Figure.of("limit: memory", "GB/s", [5]))
    assert run("bench", "compare", str(before), str(worse)) == 4
    said = capsys.readouterr()
    assert "read" in said.out
    assert "2.00" in said.out
    assert "1 figures are clearly more than 10%" in said.err.replace("\n", " ")
    assert run("bench", "compare", str(before), str(worse), "--tolerance", "1.5") == 0
    assert run("bench", "compare", str(worse), str(before)) == 0


def test_files_that_are_no_results_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = saved(tmp_path / "a.json", Figure.of("read", "ms", [1]))
    other = saved(tmp_path / "b.json", Figure.of("write", "ms", [1]))
    (tmp_path / "bad.json").write_text('{"figures": [{"name": 1}]}', "utf-8")
    for name, words in (("bad.json", "no result"), ("none.json", "cannot be read"), ("b.json", "no figure in common")):
        assert run("bench", "compare", str(good), str(tmp_path / name)) == 1
        assert words in capsys.readouterr().err.replace("\n", " ")
    assert run("bench", "compare", str(other), str(other)) == 0


def test_an_empty_library_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULLQUOTE_STORE", str(tmp_path))
    assert run("bench") == 1
    assert "pullquote add" in capsys.readouterr().err


def test_a_result_says_what_it_was_made_with() -> None:
    figure = Figure.of("a", "ms", [1.0, 2.0], 0.5)
    data: dict[str, Any] = json.loads(json.dumps(result("x", [figure], Settings(reader="fast", threads=1))))
    assert (data["reader"], data["threads"], data["figures"]) == ("fast", 1, [asdict(figure)])
    assert benchmarking.figures_of(data) == [figure]


def test_the_imports_of_the_server_sum_up_and_have_no_torch() -> None:
    whole, *parts = benchmarking.measure_imports()
    assert whole.median == pytest.approx(sum(part.median for part in parts))
    assert {"import gradio", "import others"} <= {part.name for part in parts}
    assert "import torch" not in {part.name for part in parts}

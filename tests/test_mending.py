"""`pullquote doctor` and `pullquote config`, over an installation with everything wrong that can be."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pullquote import mending
from pullquote.library import FILE_NAME, Library
from pullquote.settings import Settings
from tests.conftest import PROJECT


def found(settings: Settings) -> dict[str, str]:
    """The state of each thing, the worst where there are several."""
    order = ["ok", "warn", "bad"]
    states: dict[str, str] = {}
    for finding in mending.examine(settings):
        worst = max(order.index(finding.state), order.index(states.get(finding.what, "ok")))
        states[finding.what] = order[worst]
        assert bool(finding.mend) or finding.state == "ok", finding
    return states


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("PULLQUOTE_")]:
        monkeypatch.delenv(name)


def test_a_sound_installation_has_nothing_to_mend(store: Path) -> None:
    states = found(Settings(store=store, port=0))
    assert set(states.values()) == {"ok"}
    assert {"library", "index", "disk", "port", "proxy", "embed origins", "weights reader/model.onnx"} <= set(states)


def test_each_fault_is_found_and_only_it(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faults(**settings: object) -> dict[str, str]:
        chosen = {"store": store, "port": 0, "reader": "fast"} | settings
        return {what: state for what, state in found(Settings(**chosen)).items() if state != "ok"}  # type: ignore[arg-type]

    assert faults(store=tmp_path / "none") == {"library": "warn"}
    shutil.copytree(store, tmp_path / "store")
    for folder in (tmp_path / "store").glob("gen-*"):
        (folder / "index.faiss").write_bytes(b"x")
    assert faults(store=tmp_path / "store") == {"index": "warn"}
    (tmp_path / "store" / FILE_NAME).write_bytes(b"no database" * 500)
    assert faults(store=tmp_path / "store") == {"library": "bad"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert faults(port=taken.getsockname()[1]) == {"port": "warn"}
    assert faults(host="192.0.2.1", hosts="ask.example") == {"port": "bad"}
    assert faults(root_path="/ask") == {"proxy": "warn"}
    assert faults(proxies="10.0.0.1") == {"proxy": "warn"}
    assert faults(embed_origins="http://intranet.example") == {"embed origins": "warn"}
    with closing(Library(tmp_path / "other")) as library:
        assert library.is_empty
    monkeypatch.setenv("PULLQUOTE_PROT", "1")
    assert faults() == {"settings": "warn"}


def test_damaged_weights_are_named(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(mending.MODELS, tmp_path / "models", ignore=shutil.ignore_patterns("reader*"))
    with (tmp_path / "models" / "encoder" / "model.onnx").open("r+b") as file:
        file.write(b"\xff")
    monkeypatch.setattr(mending, "MODELS", tmp_path / "models")
    assert found(Settings(store=store, port=0, reader="fast"))["weights encoder/model.onnx"] == "bad"


def run(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {f"PULLQUOTE_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "pullquote.cli", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environment | {"COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def test_config_tells_what_is_set_where_and_no_secret(store: Path) -> None:
    said = run("config", port="8081", llm_key="sk-not-to-be-seen", prot="1", store=str(store))
    rows = {row.split()[0]: row.split()[1:] for row in said.stdout.splitlines() if row.strip()}
    assert rows["port"] == ["8081", "PULLQUOTE_PORT"]
    assert rows["rate"] == ["30", "default"]
    assert set(Settings.model_fields) <= set(rows)
    assert "not-to-be-seen" not in said.stdout + said.stderr
    assert "did you mean PULLQUOTE_PORT?" in said.stderr


def test_doctor_ends_with_1_where_something_is_broken(store: Path, tmp_path: Path) -> None:
    well = run("doctor", store=str(store), port="0", reader="fast")
    assert (well.returncode, "✗" in well.stdout) == (0, False), well.stdout
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 500)
    broken = run("doctor", store=str(tmp_path), port="0", reader="fast")
    assert broken.returncode == 1
    assert "pullquote import" in broken.stdout

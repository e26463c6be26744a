"""The command: exit codes, what it prints, and what it must not start.

Each command is a process of its own once or twice (`started`); else it runs in this one, which loads all but once.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pullquote import cli
from pullquote.library import Library
from tests.conftest import ARTICLE_FILE
from tests.endpoints import saying, serving_model

ASK = "Who was the first to report the intelligence discovery?"
FIRST = "The New York Times was the first to report the intelligence discovery."
ABSENT = "What is the capital of Peru?"
ON_DISK = ARTICLE_FILE.read_text(encoding="utf-8")
TORCH_AND_WEB = ("torch", "sentence_transformers", "transformers", "gradio", "fastapi", "uvicorn", "openai")

KEYS = [
    "question",
    "status",
    "text",
    "confidence",
    "quotes",
    "points",
    "closest",
    "read_as",
    "differ",
    "worded_by",
    "seconds",
]

Done = subprocess.CompletedProcess[str]

pytestmark = pytest.mark.usefixtures("one_worker")


def environment_of(store: Path, settings: dict[str, str]) -> dict[str, str]:
    return {"PULLQUOTE_STORE": str(store), "PULLQUOTE_ARTICLES": str(store / "no-starters")} | settings


def process(store: Path, command: list[str], text: str = "", **settings: str) -> Done:
    """Run with the library in `store`, no other settings, no terminal, and `text` on standard input."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PULLQUOTE_")}
    return subprocess.run(
        [sys.executable, *command],
        env=environment | environment_of(store, settings),
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def started(store: Path, *arguments: object, text: str = "", **settings: str) -> Done:
    return process(store, ["-m", "pullquote.cli", *map(str, arguments)], text, **settings)


def pullquote(store: Path, *arguments: object, **settings: str) -> Done:
    """The same in this process, from the arguments to the exit code."""
    command = [str(argument) for argument in arguments]
    others = dict.fromkeys(name for name in os.environ if name.startswith("PULLQUOTE_"))
    with CliRunner().isolation(env=others | environment_of(store, settings)) as (out, err, _):
        with pytest.raises(SystemExit) as end:
            cli.main(command)
        return Done(command, int(end.value.code or 0), out.getvalue().decode(), err.getvalue().decode())


def titles(store: Path) -> list[str]:
    library = Library(store)
    found = sorted(article.title for article, _ in library.articles())
    library.close()
    return found


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    article = {"id": "arms", "title": "The article", "text": ON_DISK}
    rows = [("a1", ASK, "answerable", ["New York Times"]), ("a2", ABSENT, "absent", [])]
    data = {
        "articles": [article, article | {"id": "other", "title": "[red]Other"}],
        "questions": [
            {"id": key, "article": "arms", "question": question, "kind": kind, "answers": answers}
            for key, question, kind, answers in rows
        ],
    }
    file = tmp_path_factory.mktemp("questions") / "own.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def test_an_answer_is_printed_with_its_quote_on_one_line(store: Path) -> None:
    done = started(store, "ask", ASK)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "The New York Times [1]"
    assert f"[1] {FIRST}" in lines


def test_the_json_of_an_answer_is_the_answer(store: Path) -> None:
    done = pullquote(store, "ask", "--json", ASK)
    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert list(data) == KEYS
    assert (data["question"], data["status"], data["text"]) == (ASK, "answered", "The New York Times")
    quote = data["quotes"][0]
    assert quote["text"] == FIRST == ON_DISK[quote["start"] : quote["end"]]


def test_not_found_is_exit_code_3_with_the_closest_passage_unbroken(store: Path) -> None:
    done = started(store, "ask", ABSENT)
    assert (done.returncode, done.stderr) == (3, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "The article does not say."
    (closest,) = [line.removeprefix("[1] ") for line in lines if line.startswith("[1] ")]
    assert closest in ON_DISK
    assert len(closest) > 80  # longer than a line of a terminal, which is what breaks it
    as_json = pullquote(store, "ask", "--json", ABSENT)
    assert as_json.returncode == 3
    assert json.loads(as_json.stdout)["closest"]["text"] == closest


def test_a_follow_up_and_one_article_can_be_asked(store: Path) -> None:
    before = "Were Iranian drones sent to the Russian military?"
    done = pullquote(store, "ask", "When was that?", "--after", before)
    assert (done.returncode, done.stderr) == (0, "")
    read_as, _, said, *_ = done.stdout.splitlines()
    assert read_as.startswith("Read as: When were Iranian drones sent")
    assert said.startswith("August [1]")
    (article, *_) = pullquote(store, "list").stdout.splitlines()[1].split()
    assert pullquote(store, "ask", ASK, "--article", article).returncode == 0
    unknown = pullquote(store, "ask", ASK, "-a", "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "no article has the id or the tag 'nothing'" in unknown.stderr


@pytest.mark.parametrize("question", ["hello", "When was that?", "What is this about?", "Did Iran send drones?"])
def test_guidance_overviews_and_evidence_are_no_failure(store: Path, question: str) -> None:
    done = pullquote(store, "ask", question)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_explain_says_where_a_known_answer_was_lost(store: Path) -> None:
    found = started(store, "explain", ASK, "--expect", "New York Times")
    assert (found.returncode, found.stderr) == (0, "")
    assert "Sentences, likeliest first" in found.stdout
    assert "The expected answer is quoted." in found.stdout
    lost = pullquote(store, "explain", ABSENT, "--expect", "Lima")
    assert "lost in retrieval" in lost.stdout


def test_asking_starts_neither_torch_nor_the_web(store: Path) -> None:
    program = f"""
import sys
from pullquote import cli
try:
    cli.main(["ask", {ASK!r}])
except SystemExit as end:
    print(end.code, *(name for name in (*{TORCH_AND_WEB!r}, "onnxruntime") if name in sys.modules))
"""
    done = process(store, ["-c", program])
    assert done.stdout.splitlines()[-1] == "0 onnxruntime"  # the last is the control: what is loaded does show


@pytest.mark.parametrize("arguments", [["nonsense"], ["ask"], ["ask", ASK, "--nonsense"], ["serve", "--port", "x"]])
def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    done = pullquote(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage" in done.stderr


@pytest.mark.parametrize(("name", "value"), [("PULLQUOTE_PORT", "abc"), ("PULLQUOTE_THREADS", "0")])
def test_a_bad_setting_is_one_line_and_exit_code_2(tmp_path: Path, name: str, value: str) -> None:
    done = started(tmp_path, "list", **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{name}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", ASK], "add an article with `pullquote add PATH`"),
        (["ask", ASK], "add an article with `pullquote add PATH`"),
        (["add", "nowhere.txt"], "nowhere.txt"),
        (["remove", "[bold]", "--yes"], "no article has the id or the tag '[bold]'; `pullquote list` shows them all"),
        (["eval", "nowhere.json"], "nowhere.json"),
    ],
)
def test_a_failure_is_one_line_and_exit_code_1(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = pullquote(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_without_texts_is_a_failure_and_an_empty_library_lists_as_such(tmp_path: Path) -> None:
    done = pullquote(tmp_path / "store", "add", tmp_path)
    assert done.returncode == 1
    assert ".txt, .md" in done.stderr
    listed = pullquote(tmp_path / "store", "list")
    assert listed.returncode == 0
    assert "The library is empty" in listed.stdout


def test_a_question_that_cannot_be_asked_is_a_failure(store: Path) -> None:
    done = pullquote(store, "ask", "?" * 2001)
    assert (done.returncode, done.stdout) == (1, "")
    assert "2,000" in done.stderr


def test_serving_on_a_port_that_is_taken_is_a_failure(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = started(store, "serve", "--port", port)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_answer_waits_for_an_acknowledgement() -> None:
    """The connections that are accepted send at once (TCP_NODELAY), as the system itself says of them."""
    with cli._listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_folder_is_added_listed_embedded_again_and_removed(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "texts"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("Moths\n\nGrace found a moth in the relay.", encoding="utf-8")
    (folder / "b.txt").write_bytes(bytes(40))
    (folder / "deep" / "c.md").write_text("# [Notes](x) :smile:\n\nAda wrote the notes.", encoding="utf-8")
    (folder / "d.rtf").write_bytes(b"{}")

    added = pullquote(store, "add", folder)
    assert added.returncode == 1
    assert "b.txt" in added.stderr
    assert "1 of 3 were not added" in added.stderr
    assert titles(store) == ["Moths", "[Notes](x) :smile:"]
    ids = [line.split()[0] for line in added.stdout.splitlines()]

    again = pullquote(store, "add", folder / "a.txt", folder / "deep")
    assert again.returncode == 0
    assert [line.split()[0] for line in again.stdout.splitlines()] == ids
    assert again.stdout.count("was there already") == 2

    listed = started(store, "list", COLUMNS="300")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["id", *ids]
    assert "[Notes](x) :smile:" in listed.stdout
    assert str(folder / "a.txt") in listed.stdout

    before = titles(store)
    unconfirmed = started(store, "remove", ids[0])
    assert unconfirmed.returncode == 1
    assert titles(store) == before
    assert pullquote(store, "remove", ids[0], "--yes").returncode == 0
    assert titles(store) == ["[Notes](x) :smile:"]

    embedded = started(store, "reembed")
    assert embedded.returncode == 0
    assert "embedded 1 chunks with all-MiniLM-L6-v2" in embedded.stdout
    answered = pullquote(store, "ask", "Who wrote the notes?")
    assert (answered.returncode, answered.stdout.splitlines()[0]) == (0, "Ada [1]")

    assert pullquote(store, "remove", ids[1], "-y").returncode == 0
    assert titles(store) == []
    assert pullquote(store, "ask", "Who wrote the notes?").returncode == 1


def test_an_evaluation_prints_tables_and_writes_its_predictions(tmp_path: Path, questions: Path) -> None:
    file = tmp_path / "predictions.jsonl"
    file.write_text("an older, longer file\n" * 999)
    done = started(tmp_path, "eval", questions, "--predictions", file)
    assert done.returncode == 0
    rows = {cells[0]: cells[1:] for cells in (re.split(" {2,}", line.strip()) for line in done.stdout.splitlines())}
    assert rows["first quote holds answer"] == ["100.0 %", "± 0.0", "1"]
    assert rows["words a quote"][0] == f"{len(FIRST.split())}.0"
    assert (rows["EM"][0], rows["F1"][0], rows["literal quotes"][0]) == ("100.0", "100.0", "100.0 %")
    assert rows["answerable"] == ["1", "100.0", "100.0", "0.0", "–"]
    assert rows["absent"] == ["1", "100.0", "100.0", "100.0", "100.0"]
    written: list[dict[str, Any]] = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in written] == ["a1", "a2"]
    assert [row["answer"]["status"] for row in written] == ["answered", "not_found"]
    assert written[0]["answer"]["quotes"][0]["text"] == FIRST
    assert [path.name for path in tmp_path.iterdir()] == [file.name]  # nothing half-written is left


def test_an_evaluation_as_json_is_the_next_ones_baseline(tmp_path: Path, questions: Path) -> None:
    done = pullquote(tmp_path, "eval", questions, "--json", "--articles", "The article, ")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    measures = {name: measure["value"] for name, measure in report["measures"].items()}
    assert {kind: row["questions"] for kind, row in report["kinds"].items()} == {"answerable": 1, "absent": 1}
    assert (measures["exact_match"], measures["quote_holds_answer"], measures["literal"]) == (100.0, 100.0, 100.0)
    assert 0 < measures["seconds_median"] <= measures["seconds_p95"]

    baseline, page = tmp_path / "baseline.json", tmp_path / "report.html"
    baseline.write_text(done.stdout, encoding="utf-8")
    same = pullquote(tmp_path, "eval", questions, "--baseline", baseline, "--tolerance", "0", "--report", page)
    assert same.returncode == 0
    assert "Against the baseline" in same.stdout
    assert "fell" not in same.stdout
    text = page.read_text(encoding="utf-8")
    assert "Evaluation of own.json" in text
    assert text.count("<svg") == 2

    report["measures"]["literal"]["value"] = 100.5  # better than can be
    baseline.write_text(json.dumps(report), encoding="utf-8")
    fell = pullquote(tmp_path, "eval", questions, "--baseline", baseline, "--json")
    assert fell.returncode == 4
    assert json.loads(fell.stdout)["measures"]["literal"]["value"] == 100.0
    assert re.search(r"literal quotes +100\.5 +100\.0 +−0\.5 +fell", fell.stderr)
    assert "fell behind" in fell.stderr


@pytest.mark.parametrize("content", ["{}", "no JSON"])
def test_a_bad_baseline_is_told_before_the_work(tmp_path: Path, questions: Path, content: str) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text(content)
    done = pullquote(tmp_path, "eval", questions, "--baseline", baseline)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "not what `pullquote eval --json` of this version writes" in done.stderr


def test_questions_are_drafted_from_the_library_and_can_be_asked(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "drafted.json"
    done = pullquote(store, "eval", file, "--make-questions")
    assert (done.returncode, done.stderr) == (0, "")
    assert "about 1 article, made by rule" in done.stdout
    assert f"Then: pullquote eval {file}" in done.stdout
    drafted = json.loads(file.read_text(encoding="utf-8"))
    assert drafted["articles"][0]["text"] == ON_DISK
    assert ASK in {row["question"] for row in drafted["questions"]}
    measured = pullquote(tmp_path, "eval", file, "--json")
    assert measured.returncode == 0
    assert json.loads(measured.stdout)["kinds"]["answerable"]["questions"] == len(drafted["questions"])

    before = file.read_bytes()
    again = started(store, "eval", file, "--make-questions")
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--json"], 2, "--make-questions measures nothing"),
        (["--articles", "third"], 1, "no article is named third"),
    ],
)
def test_a_draft_that_cannot_be_made_says_so(
    store: Path, tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    done = pullquote(store, "eval", tmp_path / "drafted.json", "--make-questions", *arguments)
    assert done.returncode == code
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["--predictions", "--report"])
def test_an_evaluation_that_cannot_be_done_says_so_before_the_work(
    tmp_path: Path, questions: Path, option: str
) -> None:
    for place in (tmp_path / "nowhere" / "file", tmp_path):
        done = pullquote(tmp_path, "eval", questions, option, place)
        assert (done.returncode, done.stdout) == (2, "")
        assert option in done.stderr
    kept = tmp_path / "kept"
    kept.write_text("from the last time\n")
    unknown = pullquote(tmp_path, "eval", questions, "--articles", "third", option, kept)
    assert unknown.returncode == 1
    assert "no article is named third" in unknown.stderr
    assert kept.read_text() == "from the last time\n"


def test_an_evaluation_with_a_model_shows_both_modes(tmp_path: Path, questions: Path) -> None:
    missing = pullquote(tmp_path, "eval", questions, "--llm")
    assert (missing.returncode, "PULLQUOTE_LLM_URL" in missing.stderr) == (1, True)
    with serving_model(saying("The New York Times was the first to report the discovery. [1]")) as endpoint:
        model = {"PULLQUOTE_LLM_URL": endpoint.url, "PULLQUOTE_LLM_MODEL": "small", "PULLQUOTE_LLM_KEY": "sk-0123"}
        done = pullquote(tmp_path, "eval", questions, "--llm", "--articles", "The article", **model)
    assert done.returncode == 0, done.stderr
    both = done.stdout.split("Both modes")[1]
    rows = {row[0]: row[1:] for row in (re.split(r"\s{2,}", line.strip()) for line in both.splitlines())}
    assert rows["literal quotes"] == ["100.0 %", "100.0 %", "2"]
    assert rows["worded by a model"] == ["–", "100.0 %", "1"]
    assert rows["words said hold answer"] == ["100.0 %", "100.0 %", "1"]
    assert "seconds a question" in rows
    assert len(endpoint.asked) == 1, "the absent question is refused without the model"
    assert "sk-0123" not in done.stdout + done.stderr


def test_an_interrupted_evaluation_leaves_nothing_half_written(tmp_path: Path, questions: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("from the last time\n")
    program = f"""
import signal, time
from pullquote import cli, evaluating
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored, where the tests run in the background
def interrupted(*_):
    signal.raise_signal(signal.SIGINT)
    time.sleep(60)  # which the signal ends
    yield
evaluating.predict = interrupted
cli.main(["eval", {str(questions)!r}, "--predictions", {str(kept)!r}, "--report", {str(tmp_path / "page.html")!r}])
"""
    done = process(tmp_path, ["-c", program])
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert kept.read_text() == "from the last time\n"


def test_a_damaged_library_is_one_line_with_what_to_do(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "store")
    file = tmp_path / "store" / "library.sqlite"
    data = bytearray(file.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 64] = bytes(64)
    file.write_bytes(data)
    for arguments in (["ask", "Who reported it?"], ["list"], ["check"], ["export", tmp_path / "out"]):
        done = pullquote(tmp_path / "store", *arguments)
        assert done.returncode == 1, arguments
        assert "Traceback" not in done.stderr
        assert "damaged" in done.stderr or "malformed" in done.stderr or "cannot be" in done.stderr


def test_a_library_is_renamed_refreshed_checked_moved_and_backed_up(tmp_path: Path) -> None:
    store, file = tmp_path / "store", tmp_path / "tram.html"
    file.write_text("<html><title>Tram</title><body><p>The tram runs every nine minutes.</p></body></html>")
    added = pullquote(store, "add", file, "--title", "The tram")
    assert added.returncode == 0, added.stderr
    [key] = [line.split()[0] for line in added.stdout.splitlines()]
    assert started(store, "refresh").stdout == f"{key}  The tram: unchanged\n"
    assert pullquote(store, "rename", key, "Line 4").stdout == f"{key}  Line 4\n"
    assert pullquote(store, "tag", key, "Rails", "city").stdout == "Line 4: city, rails\n"
    assert "city rails" in pullquote(store, "list").stdout
    file.write_text("<html><body><p>The tram runs every ten minutes.</p></body></html>")
    assert pullquote(store, "refresh", key).stdout == f"{key}  Line 4: changed\n"
    asked = pullquote(store, "ask", "How often does the tram run?", "--article", "rails")
    assert "ten" in asked.stdout.splitlines()[0]
    assert "Line 4" in asked.stdout

    assert started(store, "check").stdout == "1 articles: all is as it was stored\n"
    for command in ("export", "backup"):
        assert started(store, command, tmp_path / command).returncode == 0
        other = tmp_path / f"other {command}"
        taken = started(other, "import", tmp_path / command)
        assert taken.stdout == "took in 1 articles\n", taken.stderr
        assert pullquote(other, "check").returncode == 0
        assert "ten" in pullquote(other, "ask", "How often does the tram run?").stdout

    file.unlink()
    gone = pullquote(store, "refresh")
    assert gone.returncode == 1
    assert "No such file" in gone.stderr
    assert titles(store) == ["Line 4"]


def test_text_that_is_piped_in_is_added(tmp_path: Path) -> None:
    store = tmp_path / "store"
    done = started(store, "add", "-", "--title", "Piped", text="Grace found a moth.")
    assert (done.returncode, done.stdout.split()[1:]) == (0, ["Piped"]), done.stderr
    assert titles(store) == ["Piped"]


def test_a_token_is_shown_once_listed_and_removed(tmp_path: Path) -> None:
    made = started(tmp_path, "token", "new", "--name", "Ada")
    token = made.stdout.strip()
    assert token.startswith("pq_")
    assert "not shown again" in made.stderr
    listed = pullquote(tmp_path, "token", "list")
    assert "Ada" in listed.stdout
    assert token not in listed.stdout
    assert pullquote(tmp_path, "token", "new", "--name", "Ada").returncode == 1
    assert pullquote(tmp_path, "token", "remove", "Ada").returncode == 0
    assert "no token named" in pullquote(tmp_path, "token", "remove", "Ada").stderr
    assert "Ada" not in pullquote(tmp_path, "token", "list").stdout


@pytest.mark.parametrize("address", ["http://127.0.0.1/x", "HTTP://localhost:80/", "https://169.254.169.254/latest"])
def test_an_address_inside_is_not_added(tmp_path: Path, address: str) -> None:
    done = pullquote(tmp_path, "add", address)
    assert done.returncode == 1
    assert "no public address" in done.stderr
    assert titles(tmp_path) == []

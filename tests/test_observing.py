"""What an operator sees, through the whole app and as other programs read it."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from starlette.testclient import TestClient

from pullquote import generations
from pullquote.answering import Assistant
from pullquote.embedding import WorkerEncoder
from pullquote.fetching import Fetcher
from pullquote.jobs import Jobs
from pullquote.library import FILE_NAME, Library
from pullquote.sessions import Sessions
from pullquote.settings import Settings
from pullquote.shared_library import AnyLibrary
from pullquote.tokens import Tokens
from pullquote.web.access import Access
from pullquote.web.server import build
from tests.conftest import open_settings

ASK = "Who was the first to report the intelligence discovery?"


def folder_of(library: AnyLibrary) -> Path:
    assert isinstance(library, Library)
    return library.folder


@dataclass(frozen=True)
class Desk:
    """An app over a library of its own, and what an editor sends along."""

    client: TestClient
    assistant: Assistant
    jobs: Jobs
    rights: dict[str, str]

    def sample(self, name: str, **labels: str) -> float:
        """The value of a metric, as Prometheus reads it; 0 while it was never counted."""
        text = self.client.get("/metrics", headers=self.rights).text
        rows = [row for family in parsed(text) for row in family.samples if row.name == name]
        return sum(row.value for row in rows if labels.items() <= row.labels.items())


@pytest.fixture
def desk(store: Path, tmp_path: Path) -> Iterator[Desk]:
    shutil.copytree(store, tmp_path / "store")
    settings = open_settings(reader="fast")
    library = Library(tmp_path / "store")
    assistant = Assistant.open(library, settings)
    tokens, sessions, jobs = Tokens(library), Sessions(library), Jobs(library, WorkerEncoder, room=1)
    app = build(assistant, jobs, Fetcher(), Access(tokens, sessions, settings), settings)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield Desk(client, assistant, jobs, {"authorization": f"Bearer {tokens.new('Ada')}"})
    jobs.close()
    tokens.close()
    library.close()


def test_what_happens_is_counted(desk: Desk) -> None:
    statuses = [desk.client.post("/api/ask", json={"question": text}).json()["status"] for text in (ASK, ASK, "Hi!")]
    assert statuses == ["answered", "answered", "guidance"]
    assert desk.sample("pullquote_questions_total", status="answered") == 2
    assert desk.sample("pullquote_questions_total", status="guidance") == 1
    assert desk.sample("pullquote_stage_seconds_count", stage="read") == 3
    assert 0 < desk.sample("pullquote_stage_seconds_sum", stage="total") < 60
    for path in ("/nope", "/nope/too", "/articles/nothing"):
        assert desk.client.get(path).status_code == 404
    requests = "pullquote_http_request_seconds_count"
    assert desk.sample(requests, route="/articles/{article_id}", status="404") == 1
    assert desk.sample(requests, method="POST", route="/api/ask", status="200") == 3
    assert "nothing" not in desk.client.get("/metrics", headers=desk.rights).text  # an address is no label


def test_methods_and_addresses_make_no_series(desk: Desk) -> None:
    for number in range(20):
        desk.client.request(f"FOO{number}", f"/x{number}")
    text = desk.client.get("/metrics", headers=desk.rights).text
    assert len(set(re.findall(r"pullquote_http_request_seconds_count\{(.*?)\}", text))) <= 3


def test_the_state_is_what_the_files_say(desk: Desk) -> None:
    folder = folder_of(desk.assistant.library)
    [name] = [path.name for path in folder.glob("gen-*")]
    assert desk.sample("pullquote_index_generation") == int(name.removeprefix("gen-"))
    assert desk.sample("pullquote_library_revision") == desk.assistant.library.revision > 0
    status = Path("/proc/self/status").read_text()
    resident = int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024
    assert desk.sample("process_resident_memory_bytes") == pytest.approx(resident, rel=0.2)


def test_metrics_need_a_token(desk: Desk) -> None:
    assert desk.client.get("/metrics").status_code == 401
    assert desk.client.get("/metrics", headers={"authorization": "Bearer pq_no"}).status_code == 401


def ready(desk: Desk) -> tuple[int, str, dict[str, str]]:
    response = desk.client.get("/readyz")
    found = response.json()
    return response.status_code, found["status"], {k: v for k, v in found["checks"].items() if v != "ok"}


def test_ready_and_every_way_of_not_being_so(desk: Desk) -> None:
    assert ready(desk) == (200, "ready", {})
    folder = folder_of(desk.assistant.library)

    (folder / generations.CURRENT).write_text("gen-000001 " + "0" * 64)
    shutil.rmtree(folder / "gen-000001")
    code, status, problems = ready(desk)
    assert (code, status, list(problems)) == (200, "degraded", ["index"])

    def wait_long(cancel: object) -> None:
        cancel.wait(30)  # type: ignore[attr-defined]
        raise ValueError

    job = desk.jobs.add("a long one", wait_long)  # type: ignore[arg-type]
    assert set(ready(desk)[2]) == {"index", "queue"}
    desk.jobs.cancel(job.id)

    desk.assistant.library.remove(desk.assistant.library.articles()[0][0].id)
    assert "library" in ready(desk)[2]


def test_a_library_that_cannot_be_read_is_not_ready(desk: Desk) -> None:
    path = folder_of(desk.assistant.library) / FILE_NAME
    desk.assistant.library.close()
    path.write_bytes(b"no database" * 1000)
    for extra in ("-wal", "-shm"):
        path.with_name(path.name + extra).unlink(missing_ok=True)
    code, status, problems = ready(desk)
    assert (code, status, list(problems)) == (503, "unavailable", ["library"])
    assert str(path.parent) not in json.dumps(problems)


def test_the_second_reader_is_waited_for(store: Path) -> None:
    library = Library(store)
    fresh = Assistant.open(library, Settings())
    assert not fresh.examiner.is_complete
    fresh.examiner.second()
    assert fresh.examiner.is_complete
    library.close()


def test_every_answer_has_an_id_of_its_own(desk: Desk) -> None:
    ids = {desk.client.get(path).headers["x-request-id"] for path in ("/healthz", "/healthz", "/nope", "/metrics")}
    assert len(ids) == 4

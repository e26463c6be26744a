"""What is in `deploy/`, read by nginx, systemd and Caddy where they are here; the app behind nginx, in Chromium."""

import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.sync_api import Browser, expect

from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.milvus.client import Address
from pullquote.settings import Settings
from tests.building import put_embedded
from tests.conftest import PROJECT
from tests.replicas import free_port, nginx
from tests.replicas import nginx_before as nginx_before_replicas
from tests.serving import serving
from tests.test_page import ASK, QUOTE, Visit

DEPLOY = PROJECT / "deploy"
PATIENCE = 30.0  # seconds


def program(name: str) -> str:
    """Where a program is; the test is skipped, and says so, where it is not."""
    found = shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/usr/local/bin")
    if not found:
        pytest.skip(f"{name} is not here; it runs where the package of this name is installed")
    return found


@contextmanager
def nginx_before(app: str, folder: Path) -> Iterator[str]:
    """The address under which nginx, with the very file of `deploy/`, serves the app; ports are put in."""
    port = free_port()
    site = (DEPLOY / "nginx.conf").read_text()
    for known, ours in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "http://127.0.0.1:7860/;": f"{app}/;",
        "server_name ask.example;": "server_name localhost;",
    }.items():
        assert site.count(known) == 1, known
        site = site.replace(known, ours)
    with nginx(site, port, folder) as address:
        yield f"{address}/ask"


@pytest.fixture(scope="module")
def address(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app behind nginx, started as the first lines of `nginx.conf` say."""
    program("nginx")
    settings = dict(re.findall(r"PULLQUOTE_(\w+)=(\S+)", (DEPLOY / "nginx.conf").read_text()))
    assert settings["ROOT_PATH"] == "/ask"
    chosen = {name.lower(): value for name, value in settings.items()} | {"hosts": "localhost"}
    folder = tmp_path_factory.mktemp("nginx")
    shutil.copytree(store, folder / "store")
    with closing(Library(folder / "store")) as library:
        put_embedded(library, make_article("The bridge over the Elm was opened in 1932.", title="Bridge"))
    with serving(folder / "store", **chosen) as server:
        parts = urlsplit(server.url)
        with nginx_before(f"http://{parts.netloc}", folder) as url:
            yield url


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.browser
def test_everything_works_under_a_prefix_behind_nginx(address: str, browser: Browser) -> None:
    visit = Visit(browser, f"{address}/")
    page = visit.page
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if not request.url.startswith(address) else None)
    failed: list[str] = []
    page.on("response", lambda response: failed.append(response.url) if response.status >= 400 else None)
    expect(page.locator("#reader")).to_contain_text("Bridge")  # two articles: the list
    visit.ask(ASK)
    answer = page.locator('#chat [data-testid="bot"]').last
    expect(answer.locator("blockquote p").first).to_have_text(QUOTE)
    answer.get_by_role("link", name="Quote 1").first.click()
    expect(page.locator("#reader mark")).to_have_text(QUOTE)

    page.locator("#reader").get_by_role("link", name="All articles").click()
    expect(page.locator("#reader")).to_contain_text("Bridge")
    link = page.locator("#banner").get_by_role("link", name="Articles", exact=True)  # Gradio opens it in a new tab
    page.goto(address.removesuffix("/ask") + str(link.get_attribute("href")))
    assert page.url == f"{address}/articles"
    expect(page.locator("#table tbody tr")).to_have_count(2)
    page.get_by_role("link", name="Bridge").click()
    expect(page.locator("#pq-article")).to_contain_text("1932")
    page.get_by_role("link", name="Pullquote").click()
    page.wait_for_url(f"{address}/")
    assert (outside, failed) == ([], [])
    visit.close()


def test_what_nginx_keeps_to_the_machine_itself(address: str) -> None:
    assert status_of(address) == 200  # sent on to /ask/
    assert status_of(f"{address}/healthz") == 200
    assert status_of(f"{address}/metrics") == 404
    assert status_of(f"{address}/readyz") == 404
    assert status_of(f"{address}/pullquote/page.css") == 200
    assert status_of(address.removesuffix("/ask") + "/") in {403, 404}  # not the app's


def test_nginx_asks_another_replica_where_one_is_gone(tmp_path: Path) -> None:
    """One of three ports is open: what may be sent twice is answered, whichever was tried first."""
    program("nginx")

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as app:
        threading.Thread(target=app.serve_forever, args=(0.01,)).start()
        with nginx_before_replicas(tmp_path, [free_port(), app.server_port, free_port()]) as url:
            for _ in range(6):
                asked = urllib.request.Request(f"{url}/api/v1/ask", b"{}")
                with urllib.request.urlopen(asked, timeout=PATIENCE) as response:
                    assert response.status == 200
            assert status_of(f"{url}/metrics") == status_of(f"{url}/readyz") == 404
        app.shutdown()


def test_systemd_knows_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = (DEPLOY / "pullquote.service").read_text()
    (tmp_path / "pullquote.service").write_text(unit.replace("/opt/pullquote/.venv/bin/pullquote", sys.executable))
    command = [program("systemd-analyze"), "verify", str(tmp_path / "pullquote.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "pullquote.service").write_text(unit.replace("ProtectHome=", "ProtectHaus="))
    assert "ProtectHaus" in subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stderr


def test_caddy_can_read_its_file() -> None:
    command = [program("caddy"), "validate", "--config", str(DEPLOY / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_image_is_made_of_what_is_here_and_pins_what_we_pin() -> None:
    lines = [line.strip() for line in re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text()).splitlines()]
    steps = [line for line in lines if line and not line.startswith("#")]
    copied = [name for step in steps if step.startswith("COPY") for name in step.split()[1:-1]]
    assert all((PROJECT / name).exists() for name in copied)
    assert {"src", "app.py", "requirements.txt", "index/articles"} <= set(copied)
    pins = (PROJECT / "requirements.txt").read_text().split()
    assert set(re.findall(r"torch==[\d.]+", "\n".join(steps))) <= set(pins)
    assert steps.index("USER pullquote") < next(n for n, step in enumerate(steps) if step.startswith("CMD"))


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "compose.yaml",
        "compose.milvus.yaml",
        "pullquote.service",
        "nginx.conf",
        "nginx-replicas.conf",
        "Caddyfile",
    ],
)
def test_every_variable_is_a_setting(name: str) -> None:
    found = re.findall(r"PULLQUOTE_([A-Z_]+)", (DEPLOY / name).read_text())
    assert found
    assert set(map(str.lower, found)) <= set(Settings.model_fields)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.milvus.yaml"])
def test_compose_publishes_on_this_machine_only_and_stops_in_time(name: str) -> None:
    services = yaml.safe_load((DEPLOY / name).read_text())["services"]
    service = services["pullquote"]
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).resolve().is_file()
    assert all(port.startswith("127.0.0.1:") for one in services.values() for port in one.get("ports", ()))
    assert service["stop_grace_period"] == "30s"


def test_compose_runs_a_milvus_that_the_app_finds_with_the_client_that_we_pin() -> None:
    made = yaml.safe_load((DEPLOY / "compose.milvus.yaml").read_text())
    services, app = made["services"], made["services"]["pullquote"]
    address = Address.parse(app["environment"]["PULLQUOTE_LIBRARY"])
    host, port = urlsplit(address.uri).netloc.split(":")
    assert any(published.endswith(f":{port}") for published in services[host]["ports"])
    assert app["build"]["args"]["EXTRAS"] in (PROJECT / "requirements-dev.txt").read_text().split()
    assert all(":latest" not in one["image"] for one in services.values())
    named = {volume.partition(":")[0] for one in services.values() for volume in one.get("volumes", ())}
    assert named == set(made["volumes"]), "what is kept outlives the containers"
    for one in services.values():
        assert set(one.get("depends_on", ())) <= set(services)

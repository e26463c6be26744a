"""Several apps over one library behind nginx, each of which may be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT

SITE = PROJECT / "deploy" / "nginx-replicas.conf"
PATIENCE = 120.0  # seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@dataclass
class Replica:
    """`python app.py` on a port of its own."""

    port: int
    settings: dict[str, str]
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        environment = os.environ | {f"PULLQUOTE_{name.upper()}": value for name, value in self.settings.items()}
        environment["PULLQUOTE_PORT"] = str(self.port)
        with (self.folder / f"{self.port}.log").open("ab") as log:
            command = [sys.executable, "app.py"]
            self.process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5).close()
                return
            except (OSError, urllib.error.URLError):
                log = self.folder / f"{self.port}.log"
                assert self.process
                assert self.process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)

    def end(self, how: int = signal.SIGTERM) -> None:
        assert self.process
        self.process.send_signal(how)
        self.process.wait(PATIENCE)


@contextmanager
def replicas(folder: Path, **settings: str) -> Iterator[tuple[str, list[Replica]]]:
    """The address of nginx, with the very file of `deploy/`, and the three apps behind it, all of which answer."""
    (folder / "none").mkdir()
    common = {"rate": "0", "rate_all": "0", "proxies": "127.0.0.1", "hosts": "localhost", "reader": "fast"}
    common |= {"articles": str(folder / "none"), "cached": "0"}
    apps = [Replica(free_port(), common | settings, folder) for _ in range(3)]
    try:
        for app in apps:
            app.start()
        for app in apps:
            app.wait()
        with nginx_before(folder, [app.port for app in apps]) as address:
            yield address, apps
    finally:
        for app in apps:
            if app.process and app.process.poll() is None:
                app.end()


@contextmanager
def nginx_before(folder: Path, ports: list[int]) -> Iterator[str]:
    """The address of nginx before apps on three ports."""
    port, site = free_port(), SITE.read_text()
    for known, ours in [("listen 80;", f"listen 127.0.0.1:{port};"), ("server_name ask.example;", "")]:
        assert site.count(known) == 1, known
        site = site.replace(known, ours)
    for number, app in zip((7860, 7861, 7862), ports, strict=True):
        assert site.count(f"server 127.0.0.1:{number} ") == 2, number
        site = site.replace(f"server 127.0.0.1:{number} ", f"server 127.0.0.1:{app} ")
    with nginx(site, port, folder) as address:
        yield address


@contextmanager
def nginx(site: str, port: int, folder: Path) -> Iterator[str]:
    """The address of nginx with this file for the site, which listens on a port of this machine."""
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n"
    )
    command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)

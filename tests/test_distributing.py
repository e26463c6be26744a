"""A real Ray of two processes on the loopback: what is killed, missing or different; judged by an encoder beside it."""

import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pullquote.chunking import chunk_article
from pullquote.datatypes import Article
from pullquote.distributing import ClusterEncoder, on_cluster
from pullquote.embedding import BUILT_IN, DocumentEncoder, Vectors, WorkerEncoder
from pullquote.errors import ArticleError, ClusterError, MissingLibrary, ModelError
from pullquote.ingesting import add_many, embedded_text
from pullquote.library import Library
from pullquote.shared_library import AnyLibrary
from pullquote.sources import read_file
from tests.shelves import Server, Shelf

COUNT = 30
SENTENCE = "In village {0} the bakers counted {1} loaves before the sun rose, and sold them at the harbour by noon. "


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[DocumentEncoder]]:
    before = dict(os.environ)
    with on_cluster("local", BUILT_IN, 2) as encoders:
        yield encoders
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def shelf(milvus: Server, tmp_path: Path) -> Iterator[Shelf]:
    """On Milvus; the library of the command that is killed is a folder's."""
    shelf = Shelf("milvus", tmp_path, milvus)
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("files")
    for number in range(COUNT):
        text = "".join(SENTENCE.format(number, number * 7 + line) for line in range(4 + number % 5 * 2))
        (folder / f"{number:02}.txt").write_text(text, "utf-8")
    return sorted(map(str, folder.iterdir()))


@pytest.fixture(scope="module")
def vectors(files: list[str]) -> dict[str, Vectors]:
    """What each text that is embedded gives by itself, without Ray."""
    articles = map(read, files)
    texts = [embedded_text(article, chunk) for article in articles for chunk in chunk_article(article)]
    with WorkerEncoder(threads=1) as encoder:
        return dict(zip(texts, encoder.encode(texts), strict=True))


def read(name: str) -> Article:
    return read_file(Path(name))


def processes(title: str) -> list[int]:
    """The processes that descend from this one and are called so; Ray calls a process that embeds `ray::_embed`."""
    parents, found = {}, []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(place.name)] = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if (place / "cmdline").read_bytes().startswith(title.encode()):
                found.append(int(place.name))
        except OSError:
            continue  # it has ended meanwhile

    def is_ours(process: int) -> bool:
        return process == os.getpid() or (process in parents and is_ours(parents[process]))

    return [process for process in found if is_ours(process)]


def wait_for(title: str, there: bool = True) -> list[int]:
    until = time.monotonic() + 60
    while bool(found := processes(title)) != there:
        assert time.monotonic() < until, f"{title} is{' not' * there} there"
        time.sleep(0.01)
    return found


def require_each_once(library: AnyLibrary, vectors: dict[str, Vectors]) -> None:
    held = [article for article, _ in library.articles()]
    assert len({article.sha256 for article in held}) == len(held) == COUNT
    seen = set[str]()
    for article in held:
        chunks = library.chunks_of(article.id)
        texts = [embedded_text(article, chunk) for chunk in chunks]
        stored = np.array(library.vectors_of(library.keys(article.id)))
        np.testing.assert_allclose(stored, [vectors[text] for text in texts], atol=1e-5)
        seen.update(texts)
    assert seen == set(vectors)
    assert library.size() == (len(vectors), 384)


def test_what_a_killed_process_had_is_embedded_by_another_and_everything_is_stored_once(
    shelf: Shelf, cluster: list[DocumentEncoder], files: list[str], vectors: dict[str, Vectors]
) -> None:
    library, killed, outcomes = shelf.open(), 0, Counter[str]()
    for number, result in enumerate(add_many(library, files, read, cluster)):
        assert not isinstance(result, ArticleError)
        outcomes[result[2]] += 1
        if number == 3:
            killed = wait_for("ray::_embed")[0]
            os.kill(killed, signal.SIGKILL)
    assert outcomes == {"new": COUNT}
    assert killed not in processes("ray::")
    require_each_once(library, vectors)
    again = [result[2] for result in add_many(library, files, read, cluster) if not isinstance(result, ArticleError)]
    assert again == ["unchanged"] * COUNT


@pytest.mark.usefixtures("cluster")
def test_a_command_that_was_killed_goes_on_where_it_was(
    files: list[str], vectors: dict[str, Vectors], tmp_path: Path
) -> None:
    import ray

    address = ray.get_runtime_context().gcs_address
    command = [sys.executable, "-m", "pullquote.cli", "add", "--ray", address, str(Path(files[0]).parent)]
    environment = {**os.environ, "PULLQUOTE_STORE": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout
        done = [driver.stdout.readline() for _ in range(3)]
        assert all(done), done
        driver.kill()
    wait_for("ray::_embed", there=False)
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said = re.search(r"(\d+) unchanged", again.stderr), re.search(r"(\d+) new", again.stderr)
    unchanged, new = (int(one[1]) if one else 0 for one in said)
    assert unchanged >= 3
    assert unchanged + new == COUNT
    assert re.search(r"[\d,]+ more chunks in \d+ s, [\d.]+ a second", again.stderr)
    library = Library(tmp_path)
    require_each_once(library, vectors)
    library.close()


@pytest.mark.usefixtures("cluster")
def test_nothing_listens_beyond_this_machine() -> None:
    sockets = set()
    for process in processes(""):
        for link in Path(f"/proc/{process}/fd").iterdir():
            try:
                sockets.add(str(link.readlink()))
            except OSError:
                continue  # it was closed meanwhile
    listening = []
    for line in (Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()).splitlines():
        place, state, inode = (line.split()[column] for column in (1, 3, 9))
        if state == "0A" and f"socket:[{inode}]" in sockets:
            words = bytes.fromhex(place.split(":")[0])
            packed = b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4))
            listening.append(ipaddress.ip_address(packed))
    assert len(listening) > 4
    assert all((getattr(one, "ipv4_mapped", None) or one).is_loopback for one in listening), listening


@pytest.mark.usefixtures("cluster")
def test_another_encoder_on_a_machine_of_the_cluster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    encoder = ClusterEncoder(str(tmp_path))
    (tmp_path / "config.json").write_text("[]", "utf-8")
    with pytest.raises(ModelError, match=f"is another one on {re.escape(socket.gethostname())}; put the same files"):
        encoder.encode(["A text."])


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "127.0.0.1", "no address", "ray://[", "a:x"])
def test_a_cluster_that_is_not_there_is_said_at_once(address: str) -> None:
    with pytest.raises(ClusterError, match=r"there is no Ray cluster at .* start one"), on_cluster(address, BUILT_IN):
        pass


def test_ray_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'pullquote\[ray\]'"), on_cluster("auto", BUILT_IN):
        pass

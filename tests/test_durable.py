import multiprocessing
import stat
import threading
import time
from pathlib import Path

import pytest

from pullquote.durable import LOCK, Disk, put_file, put_folder, writing
from pullquote.errors import LibraryError
from tests.acceptance import powerloss


class Recorded(Disk):
    """Says in which order the steps were taken."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def make(self, folder: Path) -> None:
        self.steps.append(f"make {folder.name}")
        super().make(folder)

    def write(self, path: Path, data: bytes | memoryview) -> None:
        self.steps.append(f"write {path.name}")
        super().write(path, data)

    def sync(self, path: Path) -> None:
        self.steps.append(f"sync {path.name}")
        super().sync(path)

    def rename(self, old: Path, new: Path) -> None:
        self.steps.append(f"rename {old.name} {new.name}")
        super().rename(old, new)


def test_a_file_and_a_folder_are_put_whole_and_synced_in_order(tmp_path: Path) -> None:
    disk = Recorded()
    (tmp_path / "a.tmp").write_text("left behind")
    put_file(disk, tmp_path / "a", b"one")
    assert disk.steps == ["write a.tmp", "sync a.tmp", "rename a.tmp a", f"sync {tmp_path.name}"]
    put_file(disk, tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    disk.steps.clear()
    put_folder(disk, tmp_path / "g", {"x": b"1", "y": b"2"})
    steps = ["make g.tmp", "write x", "sync x", "write y", "sync y", "sync g.tmp", "rename g.tmp g"]
    assert disk.steps == [*steps, f"sync {tmp_path.name}"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "g", "x", "y"]


@pytest.mark.parametrize("step", ["write", "sync", "rename"])
def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path, step: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    put_file(Disk(), tmp_path / "a", b"old")
    disk = Disk()
    setattr(disk, step, fail)
    with pytest.raises(OSError, match="No space"):
        put_file(disk, tmp_path / "a", b"new")
    with pytest.raises(OSError, match="No space"):
        put_folder(disk, tmp_path / "g", {"x": b"1"})
    assert (tmp_path / "a").read_bytes() == b"old"
    assert not (tmp_path / "g").exists()
    put_folder(Disk(), tmp_path / "g", {"x": b"1"})
    assert (tmp_path / "g" / "x").read_bytes() == b"1"


def test_one_writer_at_a_time_over_threads(tmp_path: Path) -> None:
    inside, most = 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(20):
            with writing(tmp_path, 60):
                inside += 1
                most = max(most, inside)
                time.sleep(0.001)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def hold(folder: str, ready: str) -> None:
    with writing(Path(folder)):
        Path(ready).write_text("held")
        time.sleep(600)


def test_another_process_is_waited_for_and_a_dead_one_lets_go(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    other = multiprocessing.get_context("spawn").Process(target=hold, args=(str(tmp_path), str(ready)), daemon=True)
    other.start()
    until = time.monotonic() + 30
    while not ready.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.raises(LibraryError, match="another process is changing the library"), writing(tmp_path, 0.2):
        pass
    other.kill()
    other.join()
    with writing(tmp_path, 0.2):
        pass


def test_a_lock_that_was_planted_as_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / LOCK).symlink_to(tmp_path / "victim")
    with pytest.raises(LibraryError, match="cannot be opened: Too many levels"), writing(tmp_path):
        pass
    assert (tmp_path / "victim").read_text() == "mine"
    (tmp_path / LOCK).unlink()
    with writing(tmp_path):
        assert stat.S_IMODE((tmp_path / LOCK).stat().st_mode) == 0o600


def test_every_loss_of_power_leaves_the_old_or_the_new_index_and_every_sync_is_needed() -> None:
    assert powerloss.main() == 0

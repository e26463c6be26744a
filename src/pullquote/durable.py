"""What outlives a crash and a loss of power: whole files and folders put in place, and one writer at a time.

All files but SQLite's own are written here. A file is there when it was synced, its name when its folder was.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pullquote.errors import LibraryError

LOCK = "LOCK"
PATIENCE = 10.0  # seconds to wait for another writer
STEP = 0.02  # seconds between tries
DRAFT = ".tmp"  # ends the name of what is not in place yet


class Disk:
    """The steps that files are written by. A test records them, to replay a loss of power after each.

    Any of them may raise `OSError`; what was being written is worth nothing then, and is written anew.
    """

    def make(self, folder: Path) -> None:
        """Make a folder."""
        folder.mkdir()

    def write(self, path: Path, data: bytes | memoryview) -> None:
        """Write a new file."""
        with path.open("xb") as file:
            file.write(data)

    def sync(self, path: Path) -> None:
        """Wait until a file's bytes, or a folder's names, are on the disk."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or folder another name; a file of that name is replaced."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with all that is in it, if it is there."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def put_folder(disk: Disk, target: Path, files: Mapping[str, bytes | memoryview]) -> None:
    """Put a new folder of files in place, whole or not at all."""
    draft = target.with_name(target.name + DRAFT)
    disk.remove(draft)
    disk.make(draft)
    for name, data in files.items():
        disk.write(draft / name, data)
        disk.sync(draft / name)
    disk.sync(draft)
    disk.rename(draft, target)
    disk.sync(target.parent)


def put_file(disk: Disk, target: Path, data: bytes | memoryview) -> None:
    """Put a file in place of the one before it, whole or not at all."""
    draft = target.with_name(target.name + DRAFT)
    disk.remove(draft)
    disk.write(draft, data)
    disk.sync(draft)
    disk.rename(draft, target)
    disk.sync(target.parent)


@contextmanager
def writing(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Be the only writer of a folder, over all threads and processes. Raises `LibraryError` when another one stays.

    Readers need no lock. A process that dies lets go of it.
    """
    # subtle: a lock belongs to the open file, so each caller opens its own, and threads exclude each other too
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LibraryError(f"{folder / LOCK} cannot be opened: {error.strerror}; check the folder's rights") from error
    try:
        until = time.monotonic() + patience
        while not _locked(descriptor):
            if time.monotonic() > until:
                raise LibraryError("another process is changing the library; try again when it is done")
            time.sleep(STEP)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

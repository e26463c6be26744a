"""Generations of the vector index on disk: folders that never change, and `CURRENT`, which names the one that counts.

    CURRENT       gen-000042 and the SHA-256 of its manifest
    gen-000042/   MANIFEST.json (what the index was made of, and its file's size and SHA-256), index.faiss

The index is a cache of the library: what fails a check is never used, and made anew.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from pullquote.durable import DRAFT, Disk, put_file, put_folder

FORMAT = 2
CURRENT = "CURRENT"
INDEX_FILE = "index.faiss"
MANIFEST_FILE = "MANIFEST.json"
OLD_FILES = ("vectors.faiss", "vectors.json")  # of format 1

Buffer = bytes | memoryview

_NAME = re.compile(r"gen-(\d{6,})")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index was made of, and what its file must be to be used.

    `state` is the library's, of the moment that the vectors are of.
    """

    state: str
    encoder: str
    count: int
    dimension: int
    kind: str  # as `index_factory` of faiss spells it
    faiss: str
    size: int
    sha256: str
    format: int = FORMAT


def publish(folder: Path, manifest: Manifest, data: Buffer, disk: Disk) -> None:
    """Make this index the current one; the caller is the folder's only writer. After an `OSError` the old one is."""
    number = 1 + max((_number(path) for path in folder.iterdir()), default=0)
    written = json.dumps(asdict(manifest), indent=1).encode()
    put_folder(disk, folder / f"gen-{number:06}", {INDEX_FILE: data, MANIFEST_FILE: written})
    put_file(disk, folder / CURRENT, f"gen-{number:06} {digest(written)}\n".encode())
    for path in folder.iterdir():
        is_other = _number(path) not in (0, number) or path.name in OLD_FILES
        if is_other or (path.name.endswith(DRAFT) and (path.name.startswith(CURRENT) or _NAME.match(path.name))):
            disk.remove(path)


def load(folder: Path) -> tuple[Manifest, bytes] | str:
    """The manifest and the bytes of the current index, all checked; or what is wrong, "" where there is none yet."""
    try:
        line = (folder / CURRENT).read_bytes()
    except FileNotFoundError:
        return ""
    pointer = re.fullmatch(rb"(gen-\d{6,}) ([0-9a-f]{64})\n", line)
    if pointer is None:
        return f"{CURRENT} is damaged"
    name, expected = (part.decode() for part in pointer.groups())
    try:
        written = (folder / name / MANIFEST_FILE).read_bytes()
        data = (folder / name / INDEX_FILE).read_bytes()
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} of {name} is missing"
    if digest(written) != expected:
        return f"{MANIFEST_FILE} of {name} is damaged"
    known = json.loads(written)
    if known.get("format") != FORMAT:
        return f"{name} was made by another version"
    manifest = Manifest(**known)
    if (len(data), digest(data)) != (manifest.size, manifest.sha256):
        return f"{INDEX_FILE} of {name} is damaged"
    return manifest, data


def current(folder: Path) -> tuple[int, Manifest] | None:
    """Number and manifest of the current generation, without a look at its index; None where there is none to read."""
    try:
        name, _ = (folder / CURRENT).read_text(encoding="ascii").split()
        return _number(folder / name), Manifest(**json.loads((folder / name / MANIFEST_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def digest(data: Buffer) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0

"""A full disk, as a limit of file size in a process of its own: `python -m tests.acceptance.diskfull`.

What cannot be written is said, what was there stays and is served, and all goes on when there is space again. The
control is the same change without the limit, which has to succeed.
"""

import logging
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from pullquote import generations
from pullquote.errors import LibraryError
from pullquote.following import Follower
from pullquote.keeping import check
from pullquote.library import Library
from pullquote.vector_index import VectorIndex
from tests.acceptance.kill import article_of

LARGE = 200  # articles in one go, some megabytes of log


def change(folder: str, limit: str) -> None:
    """Add articles until the disk is full, ask, and say what happened."""
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    logging.basicConfig(stream=sys.stdout, format="log %(message)s")
    library = Library(Path(folder))
    follower = Follower(library)
    try:
        for number in range(LARGE):
            library.add(*article_of(f"b{number}", f"other{number}"), "e")
            VectorIndex.build(library)
    except LibraryError as error:
        sys.stdout.write(f"refused {error}\n")
    _, _, vectors = library.vectors()
    with library.snapshot():
        found = follower.current().search(vectors[0], 1)
    sys.stdout.write(f"served {found[0][1]:.3f}\n")
    library.close()


def run(folder: Path, limit: int) -> str:
    program = f"from tests.acceptance import diskfull; diskfull.change({str(folder)!r}, '{limit}')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    return done.stdout + done.stderr


def main() -> int:
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Library(folder)
        for number in range(20):
            library.add(*article_of(f"a{number}", f"word{number}"), "e")
        VectorIndex.build(library)
        sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        limits = {
            "no space for the library": sizes["library.sqlite"] + 50_000,
            "no space for the index": sizes[generations.INDEX_FILE] + 1_000,
        }
        library.close()
        for what, limit in limits.items():
            said = run(folder, limit)
            library = Library(folder)
            kept = len([1 for article, _ in library.articles() if article.id.startswith("a")])
            problems = [problem for problem in check(library) if "index" not in problem]
            good = kept == 20 and not problems and "served 1.000" in said and "Traceback" not in said
            good &= "free some space" in said or "was not saved" in said
            failed += [] if good else [what]
            sys.stdout.write(f"{what} ({limit:,} bytes a file): {said.splitlines()[0] if said else ''}\n")
            library.close()
        said = run(folder, 0)
        library = Library(folder)
        control = "refused" not in said and len(library.articles()) == 20 + LARGE and check(library) == []
        library.close()
    sys.stdout.write(f"full disks {len(limits)}, failed {len(failed)} {failed}; recovered and control {control}\n")
    return 0 if not failed and control else 1


if __name__ == "__main__":
    sys.exit(main())

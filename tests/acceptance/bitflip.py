"""Flipped bits and cut files in the index on disk: `python -m tests.acceptance.bitflip`.

All must be noticed, and the questions answered as before. The control opens the damaged index by faiss alone, which
must miss some.
"""

import logging
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import faiss
import numpy as np

from pullquote import generations
from pullquote.library import Library
from pullquote.vector_index import VectorIndex
from tests.acceptance import SIZE
from tests.acceptance.kill import article_of

FLIPS, CUTS = {"full": (500, 200), "ci": (60, 30)}[SIZE]


def is_noticed_by_faiss(data: bytes) -> bool:
    try:
        faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    except RuntimeError:
        return True
    return False


def main() -> int:
    logging.disable(logging.WARNING)
    chance, found = random.Random(3), Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Library(folder)
        for number in range(10):
            library.add(*article_of(f"a{number}", f"word{number}"), "e")
        VectorIndex.build(library)
        _, keys, vectors = library.vectors()
        right = [keys[np.argsort(-(vectors @ query))[:5]].tolist() for query in vectors[::30]]
        for number in range(FLIPS + CUTS):
            home = folder / (folder / generations.CURRENT).read_text().split()[0]
            files = home / generations.INDEX_FILE, home / generations.MANIFEST_FILE, folder / generations.CURRENT
            path = files[number % 3]
            data = bytearray(path.read_bytes())
            if number < FLIPS:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            else:
                del data[chance.randrange(len(data)) :]
            path.write_bytes(data)
            what = "flips" if number < FLIPS else "cuts"
            found[what] += 1
            found["noticed"] += isinstance(generations.load(folder), str)
            if path.name == generations.INDEX_FILE:
                found["of the index"] += 1
                found["noticed by faiss"] += is_noticed_by_faiss(bytes(data))
            index = VectorIndex.open(library)
            given = [[key for key, _ in index.search(query, 5)] for query in vectors[::30]]
            found["right answers"] += given == right
        library.close()
    sys.stdout.write(", ".join(f"{what} {count}" for what, count in found.items()) + "\n")
    total = FLIPS + CUTS
    good = found["noticed"] == found["right answers"] == total
    return 0 if good and found["noticed by faiss"] < found["of the index"] else 1


if __name__ == "__main__":
    sys.exit(main())

"""Four readers and a writer, each a process: `python -m tests.acceptance.readwrite` (SECONDS to set how long).

Each quote must be a slice of the article of the moment it was cut in, and nothing removed may be served after its
removal was acknowledged. The control is a reader without a snapshot, which has to see two moments mixed.
"""

import multiprocessing as mp
import os
import random
import sys
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from pullquote.articles import make_article
from pullquote.datatypes import Quote
from pullquote.errors import UnknownArticle
from pullquote.library import Library
from pullquote.retrieving import Retriever
from pullquote.vector_index import VectorIndex
from tests.acceptance import SIZE
from tests.building import put
from tests.conftest import BagOfWords

SECONDS = float(os.environ.get("SECONDS", {"full": "300", "ci": "60"}[SIZE]))
NAMES, READERS = 12, 4


def text_of(name: int, version: int) -> str:
    return " ".join(f"Part {part} of thing{name} says version{version} here." for part in range(60))


def write(folder: str, stop: Event, removed: Any, out: Any) -> None:
    library, chance, changes = Library(Path(folder)), random.Random(1), 0
    from dataclasses import replace

    while not stop.is_set():
        name, version = chance.randrange(NAMES), changes
        article = replace(make_article(text_of(name, version), title=f"thing{name}"), id=f"a{name}")
        if chance.random() < 0.2:
            try:
                library.remove(article.id)
                removed[name] = time.monotonic()
            except UnknownArticle:
                pass
        else:
            removed[name] = 0.0
            put(library, article)
        changes += 1
        if changes % 25 == 0:
            VectorIndex.build(library)
    out.put(("writer", changes, 0, 0))


def read(folder: str, seed: int, stop: Event, removed: Any, out: Any) -> None:
    library, chance = Library(Path(folder)), random.Random(seed)
    retriever, asked, loose, late = Retriever(library, BagOfWords()), 0, 0, 0
    while not stop.is_set():
        name = chance.randrange(NAMES)
        before, gone_at = time.monotonic(), removed[name]
        with library.snapshot():
            passages = retriever.retrieve(f"thing{name} part", 5)
            for passage in passages:
                quote = Quote.cut(1, passage.article, passage.sentences[0], passage.sentences[0])
                loose += not quote.is_literal(library.article(quote.article_id))
                versions = {word for word in passage.article.text.split() if word.startswith("version")}
                loose += len(versions) > 1
                is_it = passage.article.id == f"a{name}"
                late += is_it and 0 < gone_at < before and removed[name] == gone_at
        asked += 1
    out.put(("reader", asked, loose, late))


def control(folder: str) -> int:
    """How often the texts of two reads without a snapshot are of different moments."""
    library, mixed = Library(Path(folder)), 0
    until = time.monotonic() + 5
    while time.monotonic() < until:
        first = library.revision
        mixed += library.revision != first
    library.close()
    return mixed


def main() -> int:
    context = mp.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, context.Manager() as manager:
        library = Library(Path(folder))
        put(library, make_article("A text that stays. It is here always."))
        library.close()
        stop, out, removed = context.Event(), context.Queue(), manager.list([0.0] * NAMES)
        workers = [context.Process(target=write, args=(folder, stop, removed, out))]
        workers += [context.Process(target=read, args=(folder, seed, stop, removed, out)) for seed in range(READERS)]
        for worker in workers:
            worker.start()
        mixed = control(folder)
        time.sleep(max(0.0, SECONDS - 5))
        stop.set()
        results = [out.get(timeout=60) for worker in workers if worker.is_alive() or not worker.exitcode]
        for worker in workers:
            worker.join(60)
        errors = sum(worker.exitcode != 0 for worker in workers)
    asked, loose, late = (sum(row[place] for row in results if row[0] == "reader") for place in (1, 2, 3))
    changes = sum(row[1] for row in results if row[0] == "writer")
    sys.stdout.write(
        f"{SECONDS:.0f} s: {asked} questions by {READERS} readers, {changes} changes; errors {errors}, not literal "
        f"{loose}, served after removal {late}; control without a snapshot: {mixed} mixed\n"
    )
    return 0 if not errors and not loose and not late and asked and changes and mixed else 1


if __name__ == "__main__":
    sys.exit(main())

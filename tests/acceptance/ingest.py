"""How fast articles are added, against the encoder alone in the same run: `python -m tests.acceptance.ingest`.

Texts in turn by the path and by the encoder's process, so that a neighbour's work on the machine slows both. Memory is
that of the process that adds, after a tenth of the chunks and after all. The control embeds one chunk at a time, which
has to be slower.
"""

import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from pullquote.articles import make_article
from pullquote.chunking import chunk_article
from pullquote.embedding import WorkerEncoder
from pullquote.ingesting import add_article, embedded_text
from pullquote.library import Library
from tests.acceptance import SIZE
from tests.acceptance.bombs import memory
from tests.conftest import ARTICLE_FILE

CHUNKS = {"full": 10_000, "ci": 600}[SIZE]
LEAST = 0.8  # of the encoder's own throughput
FLAT = 60.0  # MB that memory may grow by between a tenth and the end


def text_of(number: int, words: list[str]) -> str:
    """A text of about 12 chunks that no other is like."""
    chance = random.Random(number)
    sentences = [" ".join(chance.choices(words, k=chance.randint(8, 30))).capitalize() + "." for _ in range(75)]
    return f"Text {number}\n\n" + "\n\n".join(" ".join(sentences[first : first + 5]) for first in range(0, 75, 5))


def main() -> int:
    import os

    words = ARTICLE_FILE.read_text("utf-8").split()
    ratios, added, early = list[float](), 0, 0.0
    with tempfile.TemporaryDirectory() as folder, WorkerEncoder() as encoder:
        library = Library(Path(folder))
        encoder.encode(["The process starts."])
        number = 0
        while added < CHUNKS:
            articles = [make_article(text_of(number + step, words), title=f"Text {number + step}") for step in (0, 1)]
            number += 2
            chunks = chunk_article(articles[1])
            began = time.perf_counter()
            encoder.encode([embedded_text(articles[1], chunk) for chunk in chunks])
            alone = (time.perf_counter() - began) / len(chunks)
            began = time.perf_counter()
            add_article(library, articles[0], encoder, lambda *_: None)
            new = len(chunk_article(articles[0]))
            ratios.append(alone / ((time.perf_counter() - began) / new))
            added += new
            early = early or (memory(os.getpid()) if added >= CHUNKS / 10 else 0.0)
        late = memory(os.getpid())
        texts = [embedded_text(articles[1], chunk) for chunk in chunks]
        began = time.perf_counter()
        for text in texts:
            encoder.encode([text])
        control = alone / ((time.perf_counter() - began) / len(texts))
        library.close()
    sys.stdout.write(
        f"chunks {added} ({SIZE}): {median(ratios):.2f} of the encoder's throughput ({1 / alone:.0f} chunks/s), memory "
        f"{early:.0f} MB after a tenth, {late:.0f} MB after all; control one by one {control:.2f}\n"
    )
    return 0 if median(ratios) >= LEAST and late - early < FLAT and control < 1 else 1


if __name__ == "__main__":
    sys.exit(main())

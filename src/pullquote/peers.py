"""Others at the same work, where they are installed: the chunk of an article that is nearest to a question.

They only find; Pullquote reads, marks and judges what it has found. Both use the same encoder. A peer runs in a process
of its own, on one thread, which is faster for it than two on a busy machine.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from statistics import median
from typing import Any

from pullquote.answering import Assistant
from pullquote.benchmarking import Figure
from pullquote.embedding import built_in_folder
from pullquote.workers import new_process

NEEDED = {
    "langchain + FAISS": ("langchain_community", "langchain_huggingface", "langchain_text_splitters"),
    "txtai hybrid": ("txtai",),
}


def measure_peers(assistant: Assistant, questions: Sequence[str], article: str) -> Iterator[Figure]:
    """Milliseconds of a question asked of one article here and by each peer that is installed, in turn."""
    for name, packages in NEEDED.items():
        if not all(map(find_spec, packages)):
            continue
        text, ours, theirs = assistant.library.article(article).text, list[float](), list[float]()
        with new_process(comes_after=False) as pool:
            pool.submit(_ask, name, text, questions[0]).result()
            for question in questions:
                began = time.perf_counter()
                assistant.trace(question, article=article)
                ours.append(1e3 * (time.perf_counter() - began))
                theirs.append(pool.submit(_ask, name, text, question).result())
        yield Figure.of(f"beside {name}: Pullquote", "ms", ours)
        yield Figure.of(f"beside {name}: it", "ms", theirs)
        yield Figure.of(f"beside {name}: Pullquote ÷ it", "×", [median(ours) / median(theirs)])


def _ask(name: str, text: str, question: str) -> float:
    search = _opened(name, text)
    began = time.perf_counter()
    search(question)
    return 1e3 * (time.perf_counter() - began)


@cache
def _opened(name: str, text: str) -> Callable[[str], Any]:
    os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    return {"langchain + FAISS": _langchain, "txtai hybrid": _txtai}[name](text)


def _langchain(text: str) -> Callable[[str], Any]:
    from langchain_community.vectorstores import FAISS
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    pieces = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_text(text)
    store = FAISS.from_texts(pieces, HuggingFaceEmbeddings(model_name=str(built_in_folder())))
    return lambda question: store.similarity_search(question, k=1)


def _txtai(text: str) -> Callable[[str], Any]:
    from txtai import Embeddings

    embeddings = Embeddings(path=str(built_in_folder()), hybrid=True, content=True)
    embeddings.index(piece for piece in text.split("\n") if piece.strip())
    return lambda question: embeddings.search(question, 1)

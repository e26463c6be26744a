"""Export a trained reader as the ONNX files that pullquote.reading reads.

    python -m training.export MODEL OUT --weights int8|int4

Writes model.onnx and tokenizer.json to OUT. The float32 graph must say what the torch model says before its weights
are quantised. Needs requirements-dev.txt.
"""

import argparse
import hashlib
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as ort
import torch
import typer
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from training.errors import ExportError
from training.model import ReaderModel
from training.tokens import NULL, Batch, Row, collated

OPSET = 17
TOLERANCE = 1e-3  # between a logit of torch and of float32 ONNX
BLOCK = 32  # weights that share a scale, in 4 bits
ACCURACY_LEVEL = 4  # of onnxruntime's MatMulNBits: it multiplies in int8

# Pairs of unlike lengths, so that one batch has padding; what they say does not matter.
PAIRS = (
    ("Who keeps the light?", "The light on the cape has been kept by one family since it was lit in 1871."),
    ("When was it lit?", "Nobody knows."),
    ("How far does the beam reach on a clear night?", "The tower is white. " * 12 + "Its beam reaches 19 miles."),
)

Format = Literal["int8", "int4"]
Logits = NDArray[np.float32]  # of start and of end, shape (2, rows, length)


def export(model: Path, out: Path, weights: Format) -> float:
    """Write the two files; gives the mean absolute difference (logits) that quantising made on `PAIRS`.

    Raises `ExportError` when the float32 graph differs from the torch model by more than `TOLERANCE`.
    """
    reader = ReaderModel(model, attention="eager").eval()
    batch = _batch(reader, PAIRS)
    with torch.inference_mode():
        expected = torch.stack(reader.logits(batch)).numpy()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "exact.onnx"
        write_graph(reader, exact)
        _check(run(exact, batch), expected, batch)
        quantise(exact, out / "model.onnx", weights)
        typer.echo(f"float32 ONNX has {exact.stat().st_size / 1e6:.1f} MB")
    shutil.copyfile(model / "tokenizer.json", out / "tokenizer.json")
    tokens = batch.mask.bool().numpy()
    difference = float(np.abs(run(out / "model.onnx", batch) - expected)[:, tokens].mean())
    typer.echo(f"{weights} differs by {difference:.4f}, the mean over start and end logits")
    for path in (out / "model.onnx", out / "tokenizer.json"):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        typer.echo(f"{path} has {path.stat().st_size / 1e6:.1f} MB, SHA-256 {sha256}")
    return difference


def write_graph(reader: ReaderModel, path: Path) -> None:
    """The reader as float32 ONNX of any batch size and length, constants folded."""
    inputs = ["input_ids", *(["token_type_ids"] if reader.takes_types else []), "attention_mask"]
    names = [*inputs, "start", "end"]
    batch = _batch(reader, PAIRS[:1])  # another shape than the one it is checked on
    torch.onnx.export(
        reader,
        (batch.ids, batch.types, batch.mask),
        str(path),
        input_names=["input_ids", "token_type_ids", "attention_mask"],
        output_names=["start", "end"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in names},
        opset_version=OPSET,
        dynamo=False,
    )


def quantise(exact: Path, path: Path, weights: Format) -> None:
    """Weights of 8 bits, a scale for each channel, activations as they come; or of 4, a scale for each block."""
    if weights == "int8":
        quantize_dynamic(exact, path, per_channel=True, weight_type=QuantType.QInt8)
        return
    quantizer = MatMulNBitsQuantizer(
        str(exact),
        bits=4,
        block_size=BLOCK,
        is_symmetric=True,
        accuracy_level=ACCURACY_LEVEL,
        op_types_to_quantize=("MatMul", "Gather"),  # Gather looks up the embeddings
        quant_axes=(("MatMul", 0), ("Gather", 1)),
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(path))


def run(path: Path, batch: Batch) -> Logits:
    """The start and end logits of an exported model."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    columns = {"input_ids": batch.ids, "token_type_ids": batch.types, "attention_mask": batch.mask}
    given = {value.name: columns[value.name].numpy() for value in session.get_inputs()}
    return np.stack(session.run(["start", "end"], given))


def _batch(reader: ReaderModel, pairs: Sequence[tuple[str, str]]) -> Batch:
    encoded = [reader.tokenizer(question, passage, return_token_type_ids=True) for question, passage in pairs]
    rows = [Row(one["input_ids"], one["token_type_ids"], NULL, NULL) for one in encoded]
    return collated(rows, int(reader.tokenizer.pad_token_id))


def _check(found: Logits, expected: Logits, batch: Batch) -> None:
    largest = float(np.abs(found - expected)[:, batch.mask.bool().numpy()].max())
    typer.echo(f"float32 ONNX differs from torch by at most {largest:.1e}")
    if not largest <= TOLERANCE:
        raise ExportError(f"the ONNX graph differs from the torch model by {largest:.4f}, more than {TOLERANCE}")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with a message where the graph is not the model."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description="Export a reader; see README.md.")
    parser.add_argument("model", type=Path, help="folder that training.train wrote")
    parser.add_argument("out", type=Path, help="folder for model.onnx and tokenizer.json")
    parser.add_argument("--weights", choices=("int8", "int4"), required=True)
    given = parser.parse_args(arguments)
    logging.getLogger().setLevel(logging.WARNING)  # importing the 4-bit quantiser sets it to INFO
    try:
        export(given.model, given.out, given.weights)
    except ExportError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()

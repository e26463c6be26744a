"""Have a reader of 4-bit weights multiply in integers of 8 bits, which every processor does faster.

    python -m training.smoothing --reader FOLDER --data FOLDER --out FOLDER

Activations with outliers do not fit into 8 bits, so their channels are divided by what the weights are multiplied by
(SmoothQuant, Xiao et al. 2023), and a feed-forward network's inner ones are scaled token by token. Weights get 7 bits:
processors without VNNI add two products in 16. Writes model.onnx and tokenizer.json to --out; README.md says what it
costs and saves.
"""

import argparse
import random
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from pullquote.reading import MAX_TOKENS
from training.data import load_training
from training.errors import ExportError, TrainingError
from training.export import BLOCK
from training.four_bits import unpacked

STRENGTH = 0.5  # share of the outliers that the weights take over: the paper's
PAIRS = 120  # questions with their contexts, by which outliers are known
LARGEST = 63  # of 7 bits with a sign
LEAST = 1e-6  # of what is divided by

Floats = NDArray[np.float32]
Maxima = dict[str, Floats]  # by the name of a layer's input: each channel's largest absolute value


def smooth(reader: Path, data: Path, out: Path) -> None:
    """Write the files of a reader that `training.export --weights int4` wrote, or `training.tune`, to `out`.

    Raises `DataError` when the data is malformed, `ExportError` when there are no 4-bit weights in blocks of `BLOCK`.
    """
    questions = load_training(data).answerable
    chosen = random.Random(0).sample(questions, min(PAIRS, len(questions)))
    model = onnx.load(reader / "model.onnx")
    pairs = [(question.text, question.context) for question in chosen]
    rewrite(model.graph, _maxima(model, reader, pairs))
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out / "model.onnx")
    shutil.copyfile(reader / "tokenizer.json", out / "tokenizer.json")


def _layers(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The layers in 4 bits, but for the head."""
    layers = [node for node in graph.node if node.op_type == "MatMulNBits" and _attribute(node, "N") >= BLOCK]
    if not layers or any(_attribute(node, "block_size") != BLOCK or _attribute(node, "K") % BLOCK for node in layers):
        raise ExportError(f"the model has no layers of 4-bit weights in blocks of {BLOCK}; export it with int4")
    return layers


def _maxima(model: onnx.ModelProto, reader: Path, pairs: Sequence[tuple[str, str]]) -> Maxima:
    """What the layers are given when the reader reads these pairs."""
    names = list(dict.fromkeys(node.input[0] for node in _layers(model.graph)))
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(reader / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
    found: Maxima = {}
    for question, context in pairs:
        encoding = tokenizer.encode(question, context)
        columns = {
            "input_ids": encoding.ids,
            "token_type_ids": encoding.type_ids,
            "attention_mask": encoding.attention_mask,
        }
        given = {value.name: np.array([columns[value.name]], dtype=np.int64) for value in session.get_inputs()}
        for name, values in zip(names, session.run(names, given), strict=True):
            largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, largest), largest)
    return found


def rewrite(graph: onnx.GraphProto, maxima: Maxima) -> None:
    """Put products of 8-bit integers in the place of the layers in 4 bits; `maxima` has the inputs of all of them."""
    layers = {node.name: node for node in _layers(graph)}
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    smoothing = _smoothing(layers.values(), values, maxima)
    replaced = {name for node in layers.values() for name in node.input[1:]}
    kept = [value for value in graph.initializer if value.name not in replaced]
    nodes: list[onnx.NodeProto] = []
    given: set[str] = set()
    for node in graph.node:
        if node.name not in layers:
            nodes.append(node)
            continue
        source = node.input[0]
        if source not in given:
            given.add(source)
            kept.append(numpy_helper.from_array(1 / smoothing[source], f"{source}.smoothing"))
            nodes += _activations(source, is_inner=_is_inner(node))
        integers, scales = values[node.input[1]], values[node.input[2]]
        kept += _weights(node, integers, scales, smoothing[source])
        nodes += _product(node)
    kept.append(numpy_helper.from_array(np.array([-1]), "last"))
    for field, new in ((graph.initializer, kept), (graph.node, nodes)):
        del field[:]
        field.extend(new)


def _smoothing(layers: Iterable[onnx.NodeProto], values: dict[str, NDArray[Any]], maxima: Maxima) -> Maxima:
    """What each channel of a layer's input is divided by, of mean 1 (geometric). Layers may share an input."""
    weights: Maxima = {}
    for node in layers:
        largest = np.abs(_real(values[node.input[1]], values[node.input[2]])).max(axis=0)
        weights[node.input[0]] = np.maximum(weights.get(node.input[0], largest), largest)
    found = {}
    for name, largest in weights.items():
        logs = STRENGTH * np.log(maxima[name].clip(LEAST)) - (1 - STRENGTH) * np.log(largest.clip(LEAST))
        found[name] = np.exp(logs - logs.mean()).astype(np.float32)
    return found


def _activations(source: str, is_inner: bool) -> Iterator[onnx.NodeProto]:
    """A layer's input in 8 bits: `.integers`, `.scale` and `.zero`; inner ones with a `.largest` for each token."""
    smooth, quantised = f"{source}.smooth", [f"{source}.integers", f"{source}.scale", f"{source}.zero"]
    yield helper.make_node("Mul", [source, f"{source}.smoothing"], [smooth], name=smooth)
    if is_inner:
        sizes, largest, even = f"{source}.sizes", f"{source}.largest", f"{source}.even"
        yield helper.make_node("Abs", [smooth], [sizes], name=sizes)
        yield helper.make_node("ReduceMax", [sizes, "last"], [largest], name=largest)
        yield helper.make_node("Div", [smooth, largest], [even], name=even)
        smooth = even
    yield helper.make_node("DynamicQuantizeLinear", [smooth], quantised, name=quantised[0])


def _weights(
    node: onnx.NodeProto, packed: NDArray[np.uint8], scales: Floats, smoothing: Floats
) -> Iterator[onnx.TensorProto]:
    """A layer's weights in 7 bits, of shape (in, out), and a scale for each channel of what comes of it."""
    channels = np.abs(_real(packed, scales) * smoothing).max(axis=1).clip(LEAST) / LARGEST
    units = scales.reshape(packed.shape[:2]) / channels[:, None]
    integers = np.rint(_real(packed, units) * smoothing).astype(np.int8)
    yield numpy_helper.from_array(np.ascontiguousarray(integers.T), f"{node.name}.weights")
    yield numpy_helper.from_array(channels, f"{node.name}.channels")


def _product(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """A layer's product: of integers, and what it stands for."""
    name, source, [result] = node.name, node.input[0], node.output
    whole, real, scale, even = (f"{name}.{step}" for step in ("whole", "real", "scale", "even"))
    product = even if _is_inner(node) else result
    integers = [f"{source}.integers", f"{name}.weights", f"{source}.zero"]
    yield helper.make_node("MatMulInteger", integers, [whole], name=whole)
    yield helper.make_node("Cast", [whole], [real], name=real, to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [f"{source}.scale", f"{name}.channels"], [scale], name=scale)
    yield helper.make_node("Mul", [real, scale], [product], name=f"{name}.product")
    if _is_inner(node):
        yield helper.make_node("Mul", [product, f"{source}.largest"], [result], name=name)


def _real(packed: NDArray[np.uint8], scales: Floats) -> Floats:
    """The weights, of shape (out, in)."""
    return (unpacked(packed) * scales.reshape(*packed.shape[:2], 1)).reshape(len(packed), -1)


def _is_inner(node: onnx.NodeProto) -> bool:
    """Whether the layer's input is inside a feed-forward network: wider than what comes of it."""
    return _attribute(node, "K") > _attribute(node, "N")


def _attribute(node: onnx.NodeProto, name: str) -> int:
    return next(int(one.i) for one in node.attribute if one.name == name)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command. Exits with a message where the reader or the data cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m training.smoothing", description="8-bit products; see README.md.")
    parser.add_argument("--reader", type=Path, required=True, help="folder of a reader exported in 4 bits, or tuned")
    parser.add_argument("--data", type=Path, required=True, help="folder of the three data files")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.onnx and tokenizer.json")
    given = parser.parse_args(arguments)
    try:
        smooth(given.reader, given.data, given.out)
    except TrainingError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()

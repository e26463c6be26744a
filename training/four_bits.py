"""A reader of 4-bit weights as a torch model that can be trained on, and back into its file.

Each block of 32 weights is 32 integers times a scale. The integers stay; the scales, the biases and the layer norms are
trained (PEQA, Kim et al. 2023), so that what is trained is what is read with: nothing is quantised afterwards, and the
file keeps its size and its speed.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn
from transformers import AutoConfig, AutoModelForQuestionAnswering, PreTrainedModel

from training.export import BLOCK
from training.model import ReaderModel

ZERO = 8  # the integer, from 0 to 15, that stands for 0


class FourBitLinear(nn.Module):
    """A linear layer of fixed integers, shape (out, blocks, `BLOCK`), and scales to be trained, (out, blocks)."""

    integers: torch.Tensor

    def __init__(self, packed: NDArray[np.uint8], out: int) -> None:
        super().__init__()
        self.register_buffer("integers", torch.from_numpy(unpacked(packed)))
        self.scales = nn.Parameter(torch.empty(self.integers.shape[:2]))
        self.bias = nn.Parameter(torch.empty(out))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        weight = (self.integers * self.scales[..., None]).flatten(1)
        return nn.functional.linear(inputs, weight, self.bias)


def unpacked(packed: NDArray[np.uint8]) -> NDArray[np.int8]:
    """The integers, from -8 to 7 and of shape (out, blocks, `BLOCK`), of a layer's two in a byte."""
    pairs = np.stack([packed & 15, packed >> 4], axis=-1).astype(np.int8) - ZERO
    return pairs.reshape(len(packed), -1, BLOCK)


def load(folder: Path) -> ReaderModel:
    """The model of a folder that `training.export --weights int4` wrote, with the config.json of what was exported."""
    transformer = AutoModelForQuestionAnswering.from_config(AutoConfig.from_pretrained(folder))
    graph = onnx.load(folder / "model.onnx").graph
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    for node in graph.node:
        path = _module(node)
        if node.op_type == "MatMulNBits":
            above, _, name = path.rpartition(".")
            linear = FourBitLinear(values[node.input[1]], transformer.get_submodule(path).out_features)
            setattr(transformer.get_submodule(above), name, linear)
        elif node.op_type == "GatherBlockQuantized":
            embedding = transformer.get_submodule(path)
            embedding.weight.requires_grad_(False)
            embedding.weight.copy_(_blocks(values[node.input[0]], values[node.input[2]]))
    with torch.no_grad():
        for name, parameter in _trained(graph, transformer).items():
            parameter.copy_(torch.tensor(values[name].reshape(parameter.shape)))
    return ReaderModel(folder, model=transformer)


def save(reader: ReaderModel, folder: Path, out: Path) -> None:
    """Write the model.onnx of `folder`, from which the reader was loaded, with what has been trained since."""
    model = onnx.load(folder / "model.onnx")
    trained = _trained(model.graph, reader.transformer)
    for value in model.graph.initializer:
        if value.name in trained:
            new = trained[value.name].detach().cpu().numpy().reshape(tuple(value.dims))
            value.CopyFrom(numpy_helper.from_array(new, value.name))
    onnx.save(model, out)


def _module(node: onnx.NodeProto) -> str:
    """The module that a node of the graph was traced from: /transformer/a/b/MatMul_Q4 is of a.b."""
    return ".".join(node.name.split("/")[2:-1])


def _trained(graph: onnx.GraphProto, transformer: PreTrainedModel) -> dict[str, nn.Parameter]:
    """The parameters that are trained, by the names they have in the graph."""
    scales = {f"{_module(node)}.scales": node.input[2] for node in graph.node if node.op_type == "MatMulNBits"}
    others = {value.name.partition(".")[2]: value.name for value in graph.initializer}
    names = others | scales
    return {names[name]: parameter for name, parameter in transformer.named_parameters() if parameter.requires_grad}


def _blocks(integers: NDArray[np.int8], scales: NDArray[np.float32]) -> torch.Tensor:
    """The weights, shape (rows, columns), of signed integers of that shape and a scale for each block of a row."""
    wide = np.repeat(scales.reshape(len(integers), -1), BLOCK, axis=1)[:, : integers.shape[1]]
    return torch.from_numpy(integers.astype(np.float32) * wide)

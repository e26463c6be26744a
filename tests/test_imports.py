"""The rooms: who may import whom, and how large a file may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT

SOURCES = sorted((PROJECT / "src").rglob("*.py"))
MAX_LINES = 249
HEAVY = {"faiss", "onnxruntime", "tokenizers", "sentence_transformers", "transformers", "torch", "gradio", "fastapi"}
HEAVY |= {"sklearn", "matplotlib", "httpx", "httpcore", "trafilatura", "lxml", "pypdfium2", "mammoth", "watchfiles"}
HEAVY |= {"prometheus_client", "tantivy", "scipy", "babel", "opentelemetry"}
HEAVY |= {"pymilvus", "milvus_lite", "grpc", "redis", "ray"}


def test_the_contracts_of_the_project_are_kept() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_source_file_is_short(source: Path) -> None:
    lines = source.read_text(encoding="utf-8").count("\n")
    assert lines <= MAX_LINES


def test_each_heavy_library_is_named_in_its_own_rooms_only() -> None:
    owners: dict[str, set[str]] = {}
    for path in SOURCES:
        room = path.parent.name if path.parent.name in ("web", "milvus") else path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in {name.partition(".")[0] for name in names} & HEAVY:
                owners.setdefault(name, set()).add(room)
    assert owners == {
        "faiss": {"vector_index", "index_types"},
        "tantivy": {"word_index"},
        "pymilvus": {"milvus"},
        "milvus_lite": {"milvus"},
        "grpc": {"milvus"},
        "redis": {"web"},
        "ray": {"distributing"},
        "onnxruntime": {"inference"},
        "tokenizers": {"inference", "reading"},
        "sentence_transformers": {"embedding"},
        "transformers": {"embedding"},
        "gradio": {"web"},
        "fastapi": {"web"},
        "sklearn": {"calibrating"},
        "scipy": {"clustering"},
        "matplotlib": {"reporting"},
        "httpx": {"addresses", "fetching", "framing"},
        "httpcore": {"fetching"},
        "trafilatura": {"web_page"},
        "lxml": {"web_page"},
        "pypdfium2": {"pdf"},
        "mammoth": {"word"},
        "watchfiles": {"watching"},
        "prometheus_client": {"metrics"},
        "babel": {"messages"},
        "opentelemetry": {"tracing"},
    }


def test_the_page_does_not_wait_for_the_library_of_mcp() -> None:
    """Gradio imports it where it is installed, though only a request to /mcp needs it."""
    program = "import sys, pullquote.web as _; print([name for name in sys.modules if name.startswith('mcp')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_pymilvus_and_ray_are_imported_only_where_they_are_named() -> None:
    program = (
        "import sys, pullquote.cli, pullquote.distributing, pullquote.web.server\n"
        "print({'pymilvus', 'ray'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

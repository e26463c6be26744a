"""schemathesis, with all its checks, against the OpenAPI document of a real server: how many failures.

Where only the loopback exists, for it asks for articles from addresses that it makes up.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pullquote.library import Library
from pullquote.tokens import Tokens
from tests import contract
from tests.alone import check_alone, raise_loopback
from tests.conftest import PROJECT
from tests.serving import serving

EXAMPLES = {"short": 3, "ci": 50, "full": 500}  # for each operation and phase
CONFIG = PROJECT / "tests" / "schemathesis.toml"
SEED = 20261124
WAIT = 300  # seconds: an article that is added is waited for


def run(size: str) -> "subprocess.CompletedProcess[str]":
    """schemathesis' own command, its output kept."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        contract.make_library(store)
        library = Library(store)
        token = Tokens(library).new("schemathesis")
        library.close()
        with serving(store, reader="fast", articles=folder) as server:
            command = [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
                *("run", f"{server.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}"),
                *("--checks", "all", "--continue-on-failure", "--no-color"),
                *("--max-examples", str(EXAMPLES[size]), "--seed", str(SEED)),
                *("--request-timeout", str(WAIT), "--max-response-time", str(WAIT)),
            ]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def alone(size: str) -> "subprocess.CompletedProcess[str]":
    """This module in a network namespace of its own."""
    command = ["unshare", "-rn", sys.executable, "-m", "tests.acceptance.schema", "inside"]
    environment = os.environ | {"SIZE": size}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def main() -> int:
    size = os.environ.get("SIZE", "ci")
    if sys.argv[1:] != ["inside"]:
        done = alone(size)
        sys.stdout.write(done.stdout + done.stderr)
        return done.returncode
    raise_loopback()
    check_alone()
    done = run(size)
    sys.stdout.write(done.stdout + done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

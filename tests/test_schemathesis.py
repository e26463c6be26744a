"""A short run of schemathesis, all its checks, against a real server; `make accept NAME=schema` is a longer one."""

import re
import subprocess

import pytest

from tests.acceptance.schema import alone


def test_the_interface_does_what_its_document_says() -> None:
    if subprocess.run(["unshare", "-rn", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no network namespaces; it runs in CI")
    done = alone("short")
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested, done.stdout
    assert int(tested[1]) >= 10  # the control: it did ask

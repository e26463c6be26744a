"""Embedding on many machines, by Ray. The only module that knows it, and imports it where a command names a cluster.

A batch of texts goes to a process that is free, on any machine, and its vectors come back. Where the process or its
machine dies on the way, Ray has the batch done again by another one.
"""

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pullquote.embedding import DocumentEncoder, Vectors, encode_here, fingerprint
from pullquote.errors import ClusterError, MissingLibrary, ModelError
from pullquote.workers import come_after_others

LOCAL, AUTO = "local", "auto"
# subtle: both are read when Ray is imported. The first is how Ray on a Mac keeps to the loopback; without the second,
# whoever reaches one of its ports could run code.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
OBJECT_STORE = 100_000_000  # bytes of shared memory; a batch's vectors, 25 kB, come without it
RETRIES = 3  # of a batch whose process dies, before the batch is at fault
PATIENCE = 10.0  # seconds for a batch, before it is asked whether any machine is left
NONE_LEFT = "no machine of the Ray cluster is left; start them, and run the command again"
SAME = "install the same versions of Python, Ray and Pullquote on all its machines"


class ClusterEncoder(DocumentEncoder):
    """Embeds on the cluster that this process is connected to. Safe to share between threads."""

    def __init__(self, name: str) -> None:
        import ray

        super().__init__(name)
        self._fingerprint = fingerprint(name)
        self._embed = ray.remote(_embed).options(num_cpus=1, max_retries=RETRIES)

    def encode_batch(self, texts: list[str]) -> Vectors:
        """Raises `ClusterError`, too, when no machine is left or one is not set up as this one is."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            batch = self._embed.remote(self.name, self._fingerprint, texts)
            while not ray.wait([batch], timeout=PATIENCE)[0]:
                if not _processors():
                    raise ClusterError(NONE_LEFT)
            vectors: Vectors = ray.get(batch)
        except RayTaskError as error:
            if isinstance(error.cause, ModelError):
                raise error.cause from error
            raise ClusterError(f"a machine of the Ray cluster cannot embed ({error.cause}); {SAME}") from error
        except RayError as error:
            raise ModelError(f"a batch was not embedded in {RETRIES + 1} tries: {error}") from error
        return vectors


@contextmanager
def on_cluster(address: str, name: str, workers: int | None = None) -> Iterator[list[DocumentEncoder]]:
    """An encoder for each of `workers` batches at a time; by default, for each processor of the cluster.

    `address` is what `ray.init` takes, or `local`: a cluster that lasts as long as this, on this machine's loopback.
    Raises `MissingLibrary`, and `ClusterError` where there is no such cluster.
    """
    with TemporaryDirectory(prefix="pullquote-", ignore_cleanup_errors=True) as folder:
        more: dict[str, Any] = {}
        if address == LOCAL:
            os.environ |= ALONE | {"RAY_AUTH_TOKEN": secrets.token_hex()}
            more = {"num_cpus": workers, "object_store_memory": OBJECT_STORE, "_temp_dir": folder}
        elif address != AUTO:
            _require_answer(address)
        _connect(address, more)
        try:
            if not (processors := _processors()):
                raise ClusterError(NONE_LEFT)
            yield [ClusterEncoder(name)] * (workers or processors)
        finally:
            sys.modules["ray"].shutdown()


def _connect(address: str, more: dict[str, Any]) -> None:
    try:
        import ray
    except ImportError as error:
        raise MissingLibrary("--ray needs one more package; install it with: pip install 'pullquote[ray]'") from error
    try:
        ray.init(address, logging_level="ERROR", log_to_driver=False, **more)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        said = str(error).rstrip(".")
        raise ClusterError(f"cannot work on the Ray cluster {address}: {said}; if it runs, {SAME}") from error


def _require_answer(address: str) -> None:
    """Raise `ClusterError` where nothing listens: Ray itself would try for minutes."""
    try:
        place = urlsplit(address if "://" in address else f"//{address}")
        socket.create_connection((place.hostname or "", place.port or 0), PATIENCE).close()
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"there is no Ray cluster at {address!r} ({error}); start one with `ray start --head`, and name it as "
            "auto (on one of its machines), HOST:6379 or ray://HOST:10001; or say local, for this machine"
        ) from error


def _processors() -> int:
    import ray

    return int(ray.cluster_resources().get("CPU", 0))


def _embed(name: str, expected: str, texts: list[str]) -> Vectors:
    """In a process of the cluster: what the driver's own encoder would give."""
    if _fingerprint(name) != expected:
        raise ModelError(
            f"the encoder {name!r} is another one on {socket.gethostname()}; put the same files in the same place on "
            "all machines of the cluster"
        )
    come_after_others()
    return encode_here(name, 1, texts)


_fingerprint = cache(fingerprint)  # in a process that embeds only, whose model stays loaded too

"""Run inside a network namespace by test_server: starts the app where only the loopback exists, and asks it.

python -m tests.alone STORE QUESTION
"""

import errno
import fcntl
import socket
import struct
import sys
from pathlib import Path

from tests.serving import serving
from tests.test_server import ask

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def raise_loopback() -> None:
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))


def check_alone() -> None:
    try:
        socket.create_connection(("192.0.2.1", 80), 2).close()
    except OSError as error:
        if error.errno == errno.ENETUNREACH:
            return
    raise SystemExit("this namespace has a network")


if __name__ == "__main__":
    raise_loopback()
    check_alone()
    with serving(Path(sys.argv[1])) as server:
        sys.stdout.write(ask(server.url, sys.argv[2])[1]["text"])

"""Files made to exhaust whoever reads them, sent to a real server that answers questions meanwhile.

`python -m tests.acceptance.bombs`: each must end as a failed job with a message, the server must hardly grow, and
people who chat must hardly notice. The control reads a bomb in a process without limits, and has to see it grow.
"""

import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from multiprocessing import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import quantiles
from zipfile import ZipFile

from pullquote.articles import make_article
from pullquote.library import Library
from pullquote.tokens import Tokens
from tests.acceptance import SIZE
from tests.building import put_embedded
from tests.conftest import ARTICLE_FILE
from tests.documents import docx, one_page, paragraph, pdf
from tests.serving import Server, serving

GROWTH = 50.0  # MB that the server may grow by
SLOWER = 2.0  # times its idle p95 that an answer may take
ROUNDS = {"full": 3, "ci": 1}[SIZE]
UNCLEAN = "UNCLEAN"
PATIENCE = 60.0  # seconds for a bomb to end
MB = 1_000_000
ASK = "Who was the first to report the intelligence discovery?"


def deflated(piece: bytes, times: int) -> bytes:
    packer, out = zlib.compressobj(9), bytearray()
    for _ in range(times):
        out += packer.compress(piece)
    return bytes(out + packer.flush())


def lying_docx() -> bytes:
    """An archive whose directory says that a part of 300 MB has 100 bytes."""
    data = bytearray(docx(paragraph(b"x"), more=bytes(300 * MB)))
    real, small = (300 * MB).to_bytes(4, "little"), (100).to_bytes(4, "little")
    return bytes(data.replace(real, small))


def bombs() -> list[tuple[str, bytes]]:
    """Twelve, with the names that say how they are read."""
    lol = b"<!DOCTYPE w [<!ENTITY a0 'lol'>" + b"".join(
        b"<!ENTITY a%d '%s'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    many = BytesIO()
    with ZipFile(many, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"word/{number}.xml", b"")
    page = b"BT /F 9 Tf 10 10 Td (A word that comes again.) Tj ET\n"
    kids = b" ".join(b"3 0 R" for _ in range(200_000))
    return [
        ("ratio.docx", docx(paragraph(b"a" * 90 * MB))),
        ("paragraphs.docx", docx(paragraph(b"x") * 2_000_000)),
        ("gigabyte.docx", docx(b"", more=bytes(1_000 * MB))),
        ("lying.docx", lying_docx()),
        ("entities.docx", docx(paragraph(b"&a9;"), lol + b"]>")),
        ("external.docx", docx(paragraph(b"&e;"), b'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/passwd">]>')),
        ("entries.docx", many.getvalue()),
        ("flate.pdf", one_page(deflated(page * 1_000, 20_000))),
        ("double.pdf", one_page(zlib.compress(deflated(page * 1_000, 18_000), 9), b"/FlateDecode /FlateDecode")),
        (
            "pages.pdf",
            pdf(
                b"<< /Type /Catalog /Pages 2 0 R >>",
                b"<< /Type /Pages /Count 200000 /Kids [" + kids + b"] >>",
                b"<< /Type /Page /Parent 2 0 R >>",
            ),
        ),
        ("deep.html", b"<div>" * 3_000_000 + b"Deep words. " * 30),
        ("cells.html", b"<p>Words.</p><table>" + b"<tr>" + b"<td>" * 2_000_000),
    ]


def request(url: str, data: bytes | None, headers: dict[str, str]) -> dict[str, object]:
    asked = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def memory(pid: int) -> float:
    """Megabytes of the process, without its children."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def times(server: Server, over: Event, taken: "Queue[list[float]]") -> None:
    """Give the seconds of one question after another, as a person asks who reads the answers."""
    found = []
    while not over.is_set():
        began = time.monotonic()
        answer = request(
            f"{server.url}/api/ask", json.dumps({"question": ASK}).encode(), {"content-type": "application/json"}
        )
        found.append(time.monotonic() - began)
        assert answer["text"] == "The New York Times"
        time.sleep(0.2)
    taken.put(found)


@contextmanager
def chatting(server: Server, into: list[float]) -> Iterator[None]:
    """A person in a process of its own, so that sending a bomb does not slow who measures."""
    context = multiprocessing.get_context("spawn")
    over, taken = context.Event(), context.Queue()
    person = context.Process(target=times, args=(server, over, taken))
    person.start()
    yield
    over.set()
    into += taken.get(timeout=PATIENCE)
    person.join()


def attack(server: Server, token: str, name: str, data: bytes) -> str:
    """What the server said to the bomb: its message if it is a 4xx, "" where it was read as if it were nothing."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/octet-stream"}
    try:
        request(f"{server.url}/api/articles?wait=1&name={name}", data, headers)
    except urllib.error.HTTPError as error:
        return str(json.load(error)["detail"]) if 400 <= error.code < 500 else f"{UNCLEAN} {error.code}"
    except TimeoutError:
        return UNCLEAN
    return ""


def control() -> float:
    """Megabytes that a bomb takes in a process without limits."""
    program = (
        "import sys, io, resource, mammoth; mammoth.convert_to_html(io.BytesIO(sys.stdin.buffer.read()));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    data = docx(paragraph(b"x") * 150_000)
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True, timeout=300)
    return float(done.stdout)


def main() -> int:
    made = bombs()
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        article = make_article(ARTICLE_FILE.read_text("utf-8"))
        put_embedded(library, article)
        library.mark_starter(article.sha256)
        token = Tokens(library).new("bombs")
        library.close()
        with serving(Path(folder), cached="0") as server:  # each answer is read, not remembered
            idle, during = list[float](), list[float]()
            with chatting(server, idle):
                time.sleep(ROUNDS * 15)
            before = memory(server.pid)
            ends, peak = [], before
            with chatting(server, during):
                for name, data in made * ROUNDS:
                    began = time.monotonic()
                    ends.append(attack(server, token, name, data))
                    peak = max(peak, memory(server.pid))
                    took = time.monotonic() - began
                    sys.stdout.write(f"{name} {len(data):,} bytes, {took:.1f} s: {ends[-1] or 'read'}\n")
            articles = len(json.loads(urllib.request.urlopen(f"{server.url}/api/articles").read()))
    p95 = [quantiles(taken, n=20)[-1] for taken in (idle, during)]
    unlimited = control()
    refused = sum(bool(message) and not message.startswith(UNCLEAN) for message in ends)
    read = len(ends) - refused
    sys.stdout.write(
        f"bombs {len(ends)}, refused {refused}, read {read}; server grew {peak - before:.0f} MB; chat p95 idle "
        f"{p95[0]:.3f} s, attacked {p95[1]:.3f} s ({p95[1] / p95[0]:.2f} x); control took {unlimited:.0f} MB\n"
    )
    good = refused + articles - 1 == len(ends) and peak - before < GROWTH
    return 0 if good and p95[1] <= SLOWER * p95[0] and unlimited > 200 else 1


if __name__ == "__main__":
    sys.exit(main())

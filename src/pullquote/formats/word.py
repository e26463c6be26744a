"""Word files: unpacked with limits first, then headings, paragraphs, lists and tables by mammoth."""

import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

import mammoth

from pullquote.errors import FormatError
from pullquote.formats import Document
from pullquote.formats.web_page import read_fragment

MAX_ENTRIES = 2_000
MAX_RATIO = 100  # inflated to packed, of a part over `SMALL`
MAX_INFLATED = 100_000_000  # bytes, all parts
SMALL = 1_000_000  # bytes
PIECE = 1_000_000  # bytes inflated at a time

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # an older Word file, or one behind a password
_DOCTYPES = tuple("<!DOCTYPE".encode(codec) for codec in ("utf-8", "utf-16-le", "utf-16-be", "cp037"))


def read_word(data: bytes) -> Document:
    """The text of a .docx file, without what is crossed out and heads and feet of pages. Raises `FormatError`."""
    if data.startswith(_OLE):
        raise FormatError("it is locked by a password, or an old .doc file; save it as .docx without a password")
    try:
        _check(data)
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise FormatError("it is damaged, or no .docx file; open it in Word or LibreOffice and save it anew") from error
    converted = mammoth.convert_to_html(BytesIO(data), convert_image=mammoth.images.img_element(lambda _image: {}))
    return read_fragment(converted.value)


def _check(data: bytes) -> None:
    """Inflate every part once, counting what comes out: what the archive says of itself may be false."""
    with ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise FormatError(f"it has {len(entries):,} parts; the limit is {MAX_ENTRIES:,}, save it anew")
        left = MAX_INFLATED
        for entry in entries:
            left -= _inflate(archive, entry, left)


def _inflate(archive: ZipFile, entry: ZipInfo, left: int) -> int:
    count, tail = 0, b""
    with archive.open(entry) as part:
        while piece := part.read(PIECE):
            count += len(piece)
            if count > left or (count > SMALL and count > MAX_RATIO * max(entry.compress_size, 1)):
                raise FormatError("it unpacks to far more than a document has; save it anew, or paste its text")
            if _is_xml(entry) and any(mark in tail + piece for mark in _DOCTYPES):
                raise FormatError("it holds a document type, which Word never writes; save it anew")
            tail = piece[-len(_DOCTYPES[1]) :]
    return count


def _is_xml(entry: ZipInfo) -> bool:
    return re.search(r"\.(?:xml|rels)$", entry.filename, re.IGNORECASE) is not None

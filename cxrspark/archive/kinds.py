"""What a file is, told by its first bytes."""

from __future__ import annotations

import zlib

from cxrspark.pixels.dicom.sniff import is_dicom
from cxrspark.pixels.formats import PICTURES, picture_kind

GZIP_START = b"\x1f\x8b"
"""RFC 1952, 2.3.1."""

HEAD = 512
"""Bytes that tell; the last of them are tar's."""

DICOM, DICOMDIR, GZIP, EMPTY, TEXT, UNKNOWN = (
    "DICOM", "DICOMDIR", "gzip", "empty", "text", "unknown content",
)  # fmt: skip

IMAGES = frozenset({DICOM, *PICTURES})
"""What is read."""

_BEGIN = (
    (b"PK\x03\x04", "zip, which is read where its name ends in .zip"),
    (b"%PDF", "PDF"),
    (b"8BPS", "PSD"),
)

_DIRECTORY_CLASS = b"1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR (PS3.4, table I.4-1); it stands among the first elements."""


def kind_of(head: bytes) -> str:
    """What a file is.

    Args:
        head: Its first `HEAD` bytes, or all where it is shorter.

    Returns:
        One of `IMAGES`, or the reason why it is none. Of gzip, what it holds.
    """
    if not head:
        return EMPTY
    if is_dicom(head):
        return DICOMDIR if _DIRECTORY_CLASS in head else DICOM
    if picture := picture_kind(head):
        return picture
    if head.startswith(GZIP_START):
        return _inside(head)
    for start, kind in _BEGIN:
        if head.startswith(start):
            return kind
    if head[257:262] == b"ustar":
        return "tar, which is read where its name ends in .tar"
    return TEXT if _is_text(head) else UNKNOWN


def _inside(head: bytes) -> str:
    try:
        plain = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD)
    except zlib.error:
        return "damaged gzip"
    kind = kind_of(plain) if not plain.startswith(GZIP_START) else GZIP
    return kind if kind in IMAGES else f"gzip of {kind}"


def _is_text(head: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 for byte in head)

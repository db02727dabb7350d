"""What a JPEG, JPEG-LS or JPEG 2000 stream declares of itself, read without decoding it."""

from __future__ import annotations

from typing import NamedTuple

JPEG = b"\xff\xd8\xff"
"""How JPEG and JPEG-LS streams begin: SOI, and the next marker's first byte."""

JPEG_2000 = b"\xff\x4f\xff\x51"
"""How JPEG 2000 codestreams begin: SOC and SIZ."""

JPEG_LS = 0xF7
"""SOF55, the frame header of JPEG-LS (ITU-T T.87, C.1.1)."""

LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
"""SOF3, 7, 11 and 15: frame headers of lossless JPEG (ITU-T T.81, table B.1)."""


class Declared(NamedTuple):
    """A stream's own description.

    Attributes:
        rows: Of the image.
        columns: Of the image.
        samples: Components of a pixel.
        bits: Precision of a sample.
        process: The marker of the frame header; of JPEG 2000, SIZ's.
        signed: Whether samples are signed; None in JPEG and JPEG-LS, which do not say it.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    process: int
    signed: bool | None


def jpeg_header(stream: bytes) -> Declared | None:
    """Read the frame header of JPEG or JPEG-LS: ITU-T T.81, B.2.2; T.87, C.1.1.1.

    Returns:
        What it says; None where there is none before the first scan.
    """
    place = 2
    while place + 10 <= len(stream):
        if stream[place] != 0xFF:
            break
        marker = stream[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame or marker == JPEG_LS:
            rows = int.from_bytes(stream[place + 5 : place + 7], "big")
            columns = int.from_bytes(stream[place + 7 : place + 9], "big")
            return Declared(rows, columns, stream[place + 9], stream[place + 4], marker, None)
        if marker in (0xDA, 0xDE):  # scan before a frame; hierarchical
            break
        place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    return None


def j2k_header(stream: bytes) -> Declared | None:
    """Read the SIZ marker segment of a codestream: ITU-T T.800, A.5.1.

    Returns:
        What it says; None where the stream does not begin with it.
    """
    if len(stream) < 43 or not stream.startswith(JPEG_2000):
        return None
    right, bottom, left, top = _siz(stream)[:4]
    samples = int.from_bytes(stream[40:42], "big")
    depth = stream[42]
    bits, signed = (depth & 0x7F) + 1, bool(depth & 0x80)
    return Declared(bottom - top, right - left, samples, bits, 0x51, signed)


def tiles_allow(stream: bytes, reduce: int) -> bool:
    """Whether each tile of a codestream with a header begins at a whole pixel when reduced.

    Args:
        stream: The codestream.
        reduce: Resolutions that are left out.
    """
    right, bottom, left, top, wide, high, first_column, first_row = _siz(stream)
    fits = [
        side >= end or side % (1 << reduce) == 0 for side, end in ((wide, right), (high, bottom))
    ]
    return all(fits) and not any((left, top, first_column, first_row))


def _siz(stream: bytes) -> list[int]:
    """The marker segment's sizes: of the grid, the image's offset, a tile, the tiles' offset."""
    return [int.from_bytes(stream[place : place + 4], "big") for place in range(8, 40, 4)]

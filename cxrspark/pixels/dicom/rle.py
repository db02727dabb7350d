"""RLE Lossless: DICOM PS3.5, annex G. pydicom's decoder inflates a damaged frame without bound."""

from __future__ import annotations

import struct

import numpy as np

from cxrspark.pixels.image import PixelsError, Words

HEADER = struct.Struct("<16L")
"""Number of segments, and where each of at most 15 starts."""


def decode_rle(stream: bytes, rows: int, columns: int, word_bytes: int) -> Words:
    """Decode a greyscale frame.

    Args:
        stream: The frame's RLE stream.
        rows: Of the frame.
        columns: Of the frame.
        word_bytes: 1 or 2; each is a segment of its own, the most significant first.

    Returns:
        uint8 or little-endian uint16, shape (rows, columns).

    Raises:
        PixelsError: Too short, or of another number of segments.
    """
    if len(stream) < HEADER.size:
        raise PixelsError("DICOM undecodable: RLE stream without header")
    segments, *starts = HEADER.unpack_from(stream)
    if segments != word_bytes:
        raise PixelsError(f"DICOM undecodable: {segments} RLE segments, {word_bytes} are needed")
    ends = [*starts[1:segments], len(stream)]
    planes = np.empty((rows * columns, word_bytes), np.uint8)
    for number, (start, end) in enumerate(zip(starts, ends, strict=False)):
        plane = _unpack(stream[start:end], rows * columns)
        planes[:, word_bytes - 1 - number] = np.frombuffer(plane, np.uint8)
    words: Words = planes.view(f"<u{word_bytes}").reshape(rows, columns)
    return words


def _unpack(segment: bytes, size: int) -> bytearray:
    """PackBits, up to `size` bytes: G.3.2."""
    unpacked = bytearray()
    place = 0
    while len(unpacked) < size and place < len(segment):
        control = segment[place]
        if control < 128:
            unpacked += segment[place + 1 : place + 2 + control]
            place += 2 + control
        else:  # 128 is no run at all
            run = 257 - control if control > 128 else 0
            unpacked += segment[place + 1 : place + 2] * run
            place += 2 if run else 1
    if len(unpacked) < size:
        raise PixelsError(f"DICOM undecodable: RLE segment of {len(unpacked)} of {size} bytes")
    return unpacked[:size]

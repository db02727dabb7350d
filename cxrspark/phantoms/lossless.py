"""A JPEG lossless encoder for phantoms, since the packages that read DICOM only decode it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxrspark.pixels.image import Words

CODE_BITS = 5
"""Of the Huffman code of each of the 17 categories: not the shortest, but the simplest."""

BLOCK_ROWS = 64


def encode_lossless(words: Words, precision: int) -> bytes:
    """Encode grey without loss: ITU-T T.81, process 14, selection value 1.

    Args:
        words: uint8 or uint16, shape (rows, columns).
        precision: Bits of each, 2 to 16.

    Returns:
        A JPEG stream.
    """
    rows, columns = words.shape
    size = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    categories = bytes(CODE_BITS - 1) + bytes((17,)) + bytes(16 - CODE_BITS) + bytes(range(17))
    differences = _differences(words, precision)
    bits = np.concatenate(
        [_bits(differences[row : row + BLOCK_ROWS]) for row in range(0, rows, BLOCK_ROWS)]
    )
    padding = np.ones(-bits.size % 8, np.uint8)
    scan = np.packbits(np.concatenate([bits, padding])).tobytes()
    return (
        b"\xff\xd8"
        + _segment(0xC3, bytes((precision,)) + size + b"\x01\x01\x11\x00")
        + _segment(0xC4, b"\x00" + categories)
        + _segment(0xDA, b"\x01\x01\x00\x01\x00\x00")
        + scan.replace(b"\xff", b"\xff\x00")
        + b"\xff\xd9"
    )


def _differences(words: Words, precision: int) -> npt.NDArray[np.int32]:
    """To the left neighbour, in the first column to the upper one; modulo 2^16, as H.1.2.1."""
    grey = words.astype(np.int32)
    predicted = np.empty_like(grey)
    predicted[:, 1:] = grey[:, :-1]
    predicted[1:, 0] = grey[:-1, 0]
    predicted[0, 0] = 1 << (precision - 1)
    wrapped = (grey - predicted + 2**15) % 2**16 - 2**15
    return np.where(wrapped == -(2**15), 2**15, wrapped)


def _bits(differences: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """Category by its code, then as many further bits: T.81, table H.2."""
    flat = differences.ravel()
    category = np.searchsorted(2 ** np.arange(17), np.abs(flat), side="right")
    further = np.where(category == 16, 0, category)
    value = np.where(flat < 0, flat + (1 << category) - 1, flat) & ((1 << further) - 1)
    symbols = (category << further) | value
    lengths = CODE_BITS + further
    ends = np.repeat(lengths.cumsum(), lengths)
    shift = ends - 1 - np.arange(ends.size)
    return ((np.repeat(symbols, lengths) >> shift) & 1).astype(np.uint8)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content

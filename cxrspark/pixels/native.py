"""Native code of our own, `dc_scan.c` and `words.c`; without it all pixels are the same, later."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cxrspark.pixels.image import Grey8, Ints, Words

SWITCH = "CXRSPARK_NATIVE"
"""Environment variable: `0` leaves everything to Pillow and NumPy."""

LIBRARY = f"native-{sys.platform}-{platform.machine().lower()}.so"
"""Beside this file, where it was built: one for each kind of machine of a cluster."""

WORDS = 2**16


def why_not() -> str | None:
    """Why there is no native code here, in one line; None where there is."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0 is set"
    if _library() is None:
        return f"{LIBRARY} is missing or does not load"
    return None


def scan(data: bytes, rows: int, columns: int) -> Grey8 | None:
    """Decode a JPEG at 1/8 from the DC coefficients of its luminance.

    Args:
        data: The whole file.
        rows: That it declares.
        columns: That it declares.

    Returns:
        What libjpeg decodes to grey at 1/8: uint8, rows and columns divided by 8 and rounded up.
        None where Pillow has to: there is no native code here, or the file is of another kind
        or looks damaged.
    """
    if why_not():
        return None
    grey = np.empty((-(-rows // 8), -(-columns // 8)), np.uint8)
    answered = _library().dc_scan(data, len(data), columns, rows, grey.ctypes.data)
    return grey if answered else None


def count_words(words: Words) -> Ints | None:
    """How often each word is there: shape (65536,); None where NumPy has to count."""
    if not _fits(words) or why_not():
        return None
    counts = np.zeros((2, WORDS), np.uint32)
    _library().count_words(words.ctypes.data, words.size, counts.ctypes.data)
    return np.asarray(counts.sum(axis=0, dtype=np.int64))


def sum_blocks(words: Words, table: Grey8) -> Words | None:
    """Sums of blocks of 8×8 pixels of `table[words]`; borders are repeated to whole blocks.

    Args:
        words: uint16, shape (rows, columns).
        table: uint8, shape (65536,).

    Returns:
        uint16, an eighth of the rows and of the columns; None where NumPy has to.
    """
    if not _fits(words) or why_not():
        return None
    rows, columns = words.shape
    table = np.ascontiguousarray(table)
    assert table.shape == (WORDS,)
    assert table.dtype == np.uint8
    sums = np.zeros((-(-rows // 8), -(-columns // 8)), np.uint16)
    pointers = words.ctypes.data, rows, columns, table.ctypes.data, sums.ctypes.data
    _library().sum_blocks(*pointers)
    return sums


def _fits(words: Words) -> bool:
    return words.dtype == np.uint16 and words.flags.c_contiguous and words.flags.aligned


@cache
def _library() -> Any:
    """The library, or None."""
    try:
        library = ctypes.CDLL(str(Path(__file__).parent / LIBRARY))
        size, side, pointer = ctypes.c_size_t, ctypes.c_uint32, ctypes.c_void_p
        library.dc_scan.argtypes = (ctypes.c_char_p, size, side, side, pointer)
        library.dc_scan.restype = ctypes.c_bool
        library.count_words.argtypes = (pointer, size, pointer)
        library.count_words.restype = None
        library.sum_blocks.argtypes = (pointer, size, size, pointer, pointer)
        library.sum_blocks.restype = None
    except (OSError, AttributeError):
        return None
    return library

"""A JPEG at 1/8 by native code of our own, `dc_scan.c`; without it Pillow gives the same pixels."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cxrspark.pixels.image import Grey8

SWITCH = "CXRSPARK_NATIVE"
"""Environment variable: `0` leaves every JPEG to Pillow."""

LIBRARY = f"dc_scan-{sys.platform}-{platform.machine().lower()}.so"
"""Beside this file, where it was built: one for each kind of machine of a cluster."""


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
    decode = None if why_not() else _library()
    if decode is None:
        return None
    grey = np.empty((-(-rows // 8), -(-columns // 8)), np.uint8)
    answered = decode(data, len(data), columns, rows, grey.ctypes.data)
    return grey if answered else None


def why_not() -> str | None:
    """Why Pillow decodes every JPEG here, in one line; None where it does not."""
    if os.environ.get(SWITCH) == "0":
        return f"{SWITCH}=0 is set"
    if _library() is None:
        return f"{LIBRARY} is missing or does not load"
    return None


@cache
def _library() -> Any:
    """`dc_scan` of the library, or None."""
    try:
        decode = ctypes.CDLL(str(Path(__file__).parent / LIBRARY)).dc_scan
    except (OSError, AttributeError):
        return None
    size, pointer = ctypes.c_uint32, ctypes.c_void_p
    decode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, size, size, pointer)
    decode.restype = ctypes.c_bool
    return decode

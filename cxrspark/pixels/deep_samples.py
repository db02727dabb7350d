"""Grey of more than 8 bits, as other picture files than PNG and DICOM have it, to 16 bits."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image, TiffImagePlugin

from cxrspark.pixels.image import PixelsError, Words

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
"""TIFF 6.0: BitsPerSample, PhotometricInterpretation (0: white is at zero), SampleFormat (1:
without, 2: with sign)."""

NO_DATA = 1e30
"""Floats of at least this size stand for no value, as programs of measurement write them."""

PGM = re.compile(rb"P5(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s")
"""Netpbm's header of grey in bytes: columns, rows, and the value of white."""


def deep_words(image: Image.Image) -> Words:
    """Grey of an opened picture of mode I;16, I or F.

    Args:
        image: Of any range; what is no number counts as the least.

    Returns:
        uint16, shape (rows, columns), with the order and the distances of the picture's values as
        far as 16 bits can tell them; white at zero is turned round.

    Raises:
        PixelsError: No value is a number.
    """
    values = np.asarray(image)
    if values.dtype == np.int32 and _tag(image, SAMPLE_FORMAT, 1) == 1 and _tag(image, BITS) == 32:
        values = values.view(np.uint32)  # Pillow knows no such mode
    if values.dtype.kind == "f":
        known = np.abs(values) < NO_DATA
        if not known.any():
            raise PixelsError("undecodable: no pixel is a number")
        values = np.where(known, values, values.min(where=known, initial=np.inf))
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        values = (values - low) * np.float32(65535 / max(float(high) - float(low), NO_DATA**-1))
        words: Words = np.rint(values).astype(np.uint16)
    elif low < 0 or high >= 2**16:
        scale = min(65535 / max(int(high) - int(low), 1), 1.0)
        words = np.rint((values.astype(np.float64) - float(low)) * scale).astype(np.uint16)
    else:
        words = values.astype(np.uint16)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and _tag(image, PHOTOMETRIC) == 0:
        words = np.uint16(65535) - words  # of 8 bits Pillow does
    return words


def refuse_cut_samples(image: Image.Image) -> None:
    """Refuse a TIFF of which Pillow would keep a part of each sample.

    Raises:
        PixelsError: It is in colour of more than 8 bits, or has 8 bits with a sign.
    """
    if image.mode.startswith(("I", "F")):
        return
    if _tag(image, BITS, 1) > 8:
        raise PixelsError(f"unsupported: TIFF in colour of {_tag(image, BITS)} bits")
    if _tag(image, BITS, 1) == 8 and _tag(image, SAMPLE_FORMAT, 1) == 2:
        raise PixelsError("unsupported: TIFF of 8 bits with a sign")


def pgm_grey(data: bytes) -> Words | None:
    """Grey of a PGM file, which Pillow reads value by value where white is not 255 or 65535.

    Returns:
        Shape (rows, columns): uint8 stretched to 255, or uint16 as it is where white is above 255;
        None where the file is not in bytes or too short.
    """
    if not (header := PGM.match(data)):
        return None
    columns, rows, white = map(int, header.groups())
    kind = np.dtype(">u2" if white > 255 else "u1")
    if white == 0 or white > 65535 or len(data) - header.end() < rows * columns * kind.itemsize:
        return None
    values = np.frombuffer(data, kind, rows * columns, header.end()).reshape(rows, columns)
    values = values.clip(max=white)
    if white > 255:
        return values.astype(np.uint16)
    return np.rint(values * (255 / white)).astype(np.uint8)


def _tag(image: Image.Image, number: int, default: int = 0) -> int:
    """A TIFF's tag; the first of several values."""
    found = getattr(image, "tag_v2", {}).get(number, default)
    return int(found[0] if isinstance(found, tuple) else found)

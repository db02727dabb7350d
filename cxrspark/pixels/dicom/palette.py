"""The palette of a DICOM image to grey: PS3.3, C.7.6.3.1.5 and C.7.6.3.1.6."""

from __future__ import annotations

import numpy as np
from pydicom import Dataset

from cxrspark.pixels.dicom.elements import COLOURS, optional
from cxrspark.pixels.image import Ints, PixelsError, Words
from cxrspark.pixels.luminance import luminance


def palette_luminance(dataset: Dataset, is_little_endian: bool, indices: Ints) -> Ints:
    """Luminance of what a palette has at each index.

    Args:
        dataset: With the palette's elements.
        is_little_endian: How 16-bit words stand in it.
        indices: Of any shape; outside of the palette its ends are taken.

    Returns:
        Same shape.

    Raises:
        PixelsError: There is no palette, or a segmented one.
    """
    first, _ = _descriptor(dataset, COLOURS[0])
    red, green, blue = (_table(dataset, colour, is_little_endian) for colour in COLOURS)
    size = min(red.size, green.size, blue.size)
    grey = luminance(red[:size], green[:size], blue[:size]).astype(np.int64)
    return np.asarray(grey[(indices - first).clip(0, size - 1)])


def _descriptor(dataset: Dataset, colour: str) -> tuple[int, int]:
    """First index, and number of entries."""
    values = optional(dataset, f"{colour}PaletteColorLookupTableDescriptor")
    try:
        entries, first, _ = map(int, values)
    except (TypeError, ValueError):
        raise PixelsError("DICOM undecodable: no palette") from None
    return first, entries or 2**16


def _table(dataset: Dataset, colour: str, is_little_endian: bool) -> Words:
    _, entries = _descriptor(dataset, colour)
    data = optional(dataset, f"{colour}PaletteColorLookupTableData")
    if not isinstance(data, bytes) or len(data) < entries:
        raise PixelsError("DICOM undecodable: no palette that is read")
    if not is_little_endian:
        data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    if len(data) < 2 * entries:  # of 8 bits, two in a word
        return np.frombuffer(data, np.uint8, entries)
    return np.frombuffer(data, "<u2", entries)

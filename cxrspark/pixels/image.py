"""What an image is to the recipe: its size, its limits, and what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SIDE = 64
"""Rows and columns of the result."""

RECIPE = "area64-1"
"""Version of what `shrink` computes. A model scores only pixels of the recipe it was trained on."""

MAX_PIXELS = 2**26
"""Declared rows × columns above which an image is refused before decoding (8,192 × 8,192)."""

MAX_SIDE = 65_500
"""Rows or columns that libjpeg takes (jmorecfg.h)."""

Grey8 = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int64]


class Header(NamedTuple):
    """What a DICOM header says of the image; None where it says nothing."""

    view_position: str | None = None
    patient_orientation: str | None = None
    modality: str | None = None
    body_part: str | None = None
    photometric_interpretation: str | None = None
    view_code: str | None = None
    series_description: str | None = None
    study_uid: str | None = None
    image_uid: str | None = None
    patient_id: str | None = None

    def __repr__(self) -> str:
        """Without the patient: it may be logged."""
        return f"Header{self[:-1]}"


NO_HEADER = Header()


class PixelsError(ValueError):
    """Says in one line what is wrong with one image.

    Attributes:
        header: What its DICOM header said none the less.
    """

    header: Header = NO_HEADER


@dataclass(frozen=True)
class Pixels:
    """A shrunk image and the size it came from."""

    values: Grey8
    """uint8, shape (64, 64), row-major, 0 = black."""
    rows: int
    columns: int
    header: Header = NO_HEADER


def check_size(rows: int, columns: int) -> None:
    """Refuse what is too large to decode safely, or too small to average to 64×64.

    Raises:
        PixelsError: Over `MAX_PIXELS` or `MAX_SIDE`, or under 64 rows or columns.
    """
    if max(rows, columns) > MAX_SIDE:
        raise PixelsError(f"oversized: {rows}x{columns} pixels, the limit is {MAX_SIDE} a side")
    if rows * columns > MAX_PIXELS:
        raise PixelsError(f"oversized: {rows}x{columns} pixels, the limit is {MAX_PIXELS}")
    if min(rows, columns) < SIDE:
        raise PixelsError(f"too small: {rows}x{columns} pixels, at least {SIDE}x{SIDE} are needed")


def one_line(error: Exception) -> str:
    """What an image library says, in one line of bounded length."""
    return " ".join(str(error).split())[:200] or type(error).__name__


MAX_BYTES = 2**28
"""Larger objects are refused unread: an image of `MAX_PIXELS` and up to 16 bits is smaller."""

"""Image bytes to 64×64 pixels: the one recipe that training, scoring and tests share."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

SIDE = 64
"""Rows and columns of the result."""

RECIPE = "area64-1"
"""Version of what `shrink` computes. A model scores only pixels of the recipe it was trained on."""

MAX_PIXELS = 2**26
"""Declared rows × columns above which an image is refused before decoding (8,192 × 8,192)."""

Grey8 = npt.NDArray[np.uint8]


class PixelsError(ValueError):
    """Says in one line what is wrong with one image."""


@dataclass(frozen=True)
class Pixels:
    """A shrunk image and the size it came from."""

    values: Grey8
    """uint8, shape (64, 64), row-major, 0 = black."""
    rows: int
    columns: int


def shrink(data: bytes) -> Pixels:
    """Decode an image and average it down to 64×64; the aspect ratio is not kept.

    The format is told by content: JPEG, PNG (8 or 16 bit, grey, RGB, palette, CMYK) or DICOM.
    DICOM, and PNG of more than 8 bits, go through the steps by which MIMIC-CXR-JPG was made
    (see `equalise`); other 8-bit grey is taken as it is.

    Args:
        data: The whole file.

    Returns:
        uint8 pixels, shape (64, 64), air black, with the rows and columns of the original.

    Raises:
        PixelsError: Empty, not an image, truncated, oversized, smaller than 64×64 or constant.
    """
    if not data:
        raise PixelsError("empty file")
    if data[128:132] == b"DICM":
        from cxrspark.dicom import read_dicom  # pydicom is optional

        grey, rows, columns = read_dicom(data)
    else:
        grey, rows, columns = _read_picture(data)
    values = np.asarray(_area_average(grey))
    if values.min() == values.max():
        raise PixelsError(f"constant image: every pixel is {values.flat[0]}")
    return Pixels(values, rows, columns)


def check_size(rows: int, columns: int) -> None:
    """Refuse what is too large to decode safely, or too small to average to 64×64.

    Raises:
        PixelsError: Over `MAX_PIXELS`, or under 64 rows or columns.
    """
    if rows * columns > MAX_PIXELS:
        raise PixelsError(f"oversized: {rows}x{columns} pixels, the limit is {MAX_PIXELS}")
    if min(rows, columns) < SIDE:
        raise PixelsError(f"too small: {rows}x{columns} pixels, at least {SIDE}x{SIDE} are needed")


def equalise(grey: npt.NDArray[Any], *, invert: bool = False) -> Grey8:
    """Stretch grey of any depth to 0 … 255 and equalise its histogram.

    The steps of MIMIC-CXR-JPG (Johnson et al. 2019, arXiv:1901.07042): subtract the minimum,
    divide by the maximum, times 255 to uint8, invert MONOCHROME1, then OpenCV's `equalizeHist`.

    Args:
        grey: Integers, shape (rows, columns).
        invert: Whether high values are black (MONOCHROME1).

    Returns:
        uint8, same shape.

    Raises:
        PixelsError: The image is constant, so there is no range to stretch.
    """
    low, high = int(grey.min()), int(grey.max())
    if low == high:
        raise PixelsError(f"constant image: every pixel is {low}")
    if high - low > 65535:
        raise PixelsError(f"undecodable: grey from {low} to {high} is of more than 16 bits")
    levels = (np.arange(high - low + 1) * (255.0 / (high - low))).astype(np.uint8)
    if invert:
        np.subtract(255, levels, out=levels)
    offsets = np.subtract(grey, low, dtype=np.int32)
    counts = np.bincount(offsets.ravel(), minlength=levels.size)
    histogram = np.bincount(levels, weights=counts, minlength=256)
    cumulated = histogram.cumsum()
    darkest = histogram[histogram.nonzero()[0][0]]
    table = np.rint((cumulated - darkest) * (255.0 / (cumulated[-1] - darkest)))
    equalised = table.clip(0, 255).astype(np.uint8)[levels]
    return np.take(equalised, offsets)


def _read_picture(data: bytes) -> tuple[Image.Image, int, int]:
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            columns, rows = image.size
            check_size(rows, columns)
            # JPEG only: libjpeg shrinks by 2, 4 or 8 while it decodes. Twice the final side is
            # left for the area average, so that its cells still hold whole pixels.
            image.draft("L", (2 * SIDE, 2 * SIDE))
            if image.mode.startswith("I"):
                return Image.fromarray(equalise(np.asarray(image))), rows, columns
            return image.convert("L"), rows, columns
    except PixelsError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PixelsError(f"oversized: the limit is {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise PixelsError("not a JPEG, PNG or DICOM image") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise PixelsError(f"undecodable: {one_line(error)}") from error


def _area_average(grey: Image.Image) -> Image.Image:
    return grey.resize((SIDE, SIDE), Image.Resampling.BOX)


def one_line(error: Exception) -> str:
    """What an image library says, in one line of bounded length."""
    return " ".join(str(error).split())[:200] or type(error).__name__

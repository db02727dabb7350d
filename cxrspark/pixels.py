"""Image bytes to 64×64 pixels: the one recipe that training, scoring and tests share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

SIDE = 64
"""Rows and columns of the result."""

DRAFT_SIDE = 2 * SIDE
"""What is left for the area average at least, so that its cells still hold whole pixels."""

RECIPE = "area64-1"
"""Version of what `shrink` computes. A model scores only pixels of the recipe it was trained on."""

MAX_PIXELS = 2**26
"""Declared rows × columns above which an image is refused before decoding (8,192 × 8,192)."""

PUBLISHED_QUALITY = 95
"""Of MIMIC-CXR-JPG's files."""

BLOCK_SIDE = 8
"""Rows and columns of a JPEG's blocks."""

MAX_SIDE = 65_500
"""Rows or columns that libjpeg takes (jmorecfg.h)."""

BLOCK = 2**18
"""Pixels that are counted or looked up at once: what is made of them stays in the cache."""

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


def shrink(data: bytes) -> Pixels:
    """Decode an image and average it down to 64×64; the aspect ratio is not kept.

    The format is told by content: JPEG, PNG (8 or 16 bit, grey, RGB, palette, CMYK) or DICOM.
    DICOM goes through the steps by which MIMIC-CXR-JPG was made (see `cxrspark.dicom`), PNG of
    more than 8 bits is stretched and equalised as well; other 8-bit grey is taken as it is.

    Args:
        data: The whole file.

    Returns:
        uint8 pixels, shape (64, 64), air black, with the rows and columns of the original and
        what its header says, if it is DICOM.

    Raises:
        PixelsError: Empty, not an image, truncated, oversized, smaller than 64×64 or constant.
        RuntimeError: DICOM, and a package that reads it is not installed here.
    """
    if not data:
        raise PixelsError("empty file")
    if data[128:132] == b"DICM":
        from cxrspark.dicom import read_dicom  # pydicom is optional

        grey, header = read_dicom(data)
        columns, rows = grey.size
        grey = _as_published(grey)
    else:
        grey, rows, columns = read_picture(data)
        header = NO_HEADER
    values = np.asarray(_area_average(grey))
    if values.min() == values.max():
        error = PixelsError(f"constant image: every pixel is {values.flat[0]}")
        error.header = header
        raise error
    return Pixels(values, rows, columns, header)


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


def read_picture(data: bytes, side: int = DRAFT_SIDE) -> tuple[Image.Image, int, int]:
    """Decode a JPEG or PNG to 8-bit grey.

    Args:
        data: The whole file.
        side: A JPEG is decoded at 1/2, 1/4 or 1/8 where rows and columns stay at least so many.

    Returns:
        The picture, and the rows and columns that the file declares.

    Raises:
        PixelsError: See `shrink`.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            columns, rows = image.size
            check_size(rows, columns)
            image.draft("L", (side, side))  # libjpeg shrinks while it decodes
            if image.mode.startswith("I"):
                return Image.fromarray(equalise(np.asarray(image))), rows, columns
            return image.convert("L"), rows, columns
    except PixelsError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        declared = re.search(r"\d+", str(error))  # before Pillow tells rows and columns
        size = f"{declared[0]} pixels, " if declared else ""
        raise PixelsError(f"oversized: {size}the limit is {MAX_PIXELS}") from error
    except UnidentifiedImageError as error:
        raise PixelsError("not a JPEG, PNG or DICOM image") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise PixelsError(f"undecodable: {one_line(error)}") from error


def equalise(words: Words) -> Grey8:
    """Stretch grey to 0 … 255 and equalise its histogram.

    Args:
        words: uint8 or uint16, shape (rows, columns).

    Returns:
        uint8, same shape.

    Raises:
        PixelsError: The image is constant, so there is no range to stretch.
    """
    counts = count(words)
    values = np.arange(counts.size)
    low, high = ends(counts, values)
    levels = ((values.clip(low, high) - low) * (255.0 / (high - low))).astype(np.uint8)
    return look_up(equalising_table(counts, levels), words)


def count(words: Words) -> Ints:
    """How often each word is there: shape (256,) for uint8, (65536,) for uint16."""
    counts = np.zeros(256**words.itemsize, np.int64)
    flat = words.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        counts += np.bincount(flat[start : start + BLOCK], minlength=counts.size)
    return counts


def ends(counts: Ints, values: Ints) -> tuple[int, int]:
    """The least and the greatest of the values that are there.

    Raises:
        PixelsError: They are the same.
    """
    there = values[counts > 0]
    low, high = int(there.min()), int(there.max())
    if low == high:
        raise PixelsError(f"constant image: every pixel is {low}")
    return low, high


def equalising_table(counts: Ints, levels: Grey8) -> Grey8:
    """What each word becomes by histogram equalisation, as OpenCV's `equalizeHist` does it.

    Args:
        counts: How often each word is there, from `count`.
        levels: The grey of each word; same shape. Several are there.

    Returns:
        uint8, same shape.
    """
    histogram = np.bincount(levels, weights=counts, minlength=256)
    cumulated = histogram.cumsum()
    darkest = histogram[histogram.nonzero()[0][0]]
    table = np.rint((cumulated - darkest) * (255.0 / (cumulated[-1] - darkest)))
    return np.asarray(table.clip(0, 255).astype(np.uint8)[levels])


def look_up(table: Grey8, words: Words) -> Grey8:
    """`table[words]`, without the full-size copy of the indices that NumPy would make."""
    rows, columns = words.shape
    grey = np.empty((rows, columns), np.uint8)
    block = max(1, BLOCK // columns)
    for start in range(0, rows, block):
        part = slice(start, start + block)
        np.take(table, words[part], out=grey[part], mode="clip")
    return grey


def _as_published(grey: Image.Image) -> Image.Image:
    """What `read_picture` makes of the JPEG that is made of a DICOM image, to the last bit."""
    if min(grey.size) // BLOCK_SIDE < DRAFT_SIDE:
        file = BytesIO()
        grey.save(file, "JPEG", quality=PUBLISHED_QUALITY)
        return read_picture(file.getvalue())[0]
    return Image.fromarray(_block_means(np.asarray(grey)))


def _block_means(grey: Grey8) -> Grey8:
    """Decode a JPEG of `PUBLISHED_QUALITY` at 1/8, without making it.

    A block's mean is all that such a decoder looks at. It is kept in quarters of a grey level,
    rounded, and comes out as a whole one, its halves rounded up (ITU-T T.81, A.3; libjpeg).

    Args:
        grey: uint8, shape (rows, columns).

    Returns:
        uint8, an eighth of the rows and of the columns; borders are repeated to whole blocks.
    """
    rows, columns = (-side % BLOCK_SIDE for side in grey.shape)
    if rows or columns:
        grey = np.pad(grey, ((0, rows), (0, columns)), "edge")
    high, wide = (side // BLOCK_SIDE for side in grey.shape)
    sums = grey.reshape(high, BLOCK_SIDE, -1).sum(axis=1, dtype=np.uint16)
    sums = sums.reshape(high, wide, BLOCK_SIDE).sum(axis=2, dtype=np.uint16)
    centred = sums.astype(np.int32) - 64 * 128
    quarters = (np.abs(centred) + 8) // 16 * np.sign(centred)  # halves go away from zero
    return np.asarray(((quarters + 2) // 4 + 128).clip(0, 255).astype(np.uint8))


def _area_average(grey: Image.Image) -> Image.Image:
    return grey.resize((SIDE, SIDE), Image.Resampling.BOX)


def one_line(error: Exception) -> str:
    """What an image library says, in one line of bounded length."""
    return " ".join(str(error).split())[:200] or type(error).__name__

"""A picture file that Pillow reads to 8-bit grey; a JPEG is shrunk while it is decoded."""

from __future__ import annotations

import logging
import re
import warnings
from io import BytesIO
from typing import Any

import numpy as np
from PIL import (
    ExifTags,
    Image,
    Jpeg2KImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from cxrspark.pixels import native
from cxrspark.pixels.deep_samples import deep_words, pgm_grey, refuse_cut_samples
from cxrspark.pixels.equalise import equalise
from cxrspark.pixels.formats import PICTURES, picture_kind
from cxrspark.pixels.image import MAX_PIXELS, SIDE, PixelsError, check_size, one_line
from cxrspark.pixels.png import SIGNATURE, deep_grey, is_deep_colour, sort_chunks
from cxrspark.pixels.stream_header import JPEG, JPEG_LS, LOSSLESS, jpeg_header
from cxrspark.quiet import silent_stderr

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else Pillow's would be printed

DRAFT_SIDE = 2 * SIDE
"""What is left for the area average at least, so that its cells still hold whole pixels."""

EIGHTH = 8
"""How often `side` has to go into rows and columns for libjpeg to decode at 1/8."""

PLUGINS = (Jpeg2KImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""Of these formats, which Pillow knows once they are imported; the others it knows by itself."""

JPEGS = ("JPEG", "MPO")
"""Of MPO, several JPEGs in one, Pillow shows the first."""

MAX_SLOW = 2**22
"""Pixels of a PNM file that Pillow reads in Python: of some seconds."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What shows a picture of that EXIF orientation upright (Exif 2.32, 4.6.4, tag 274)."""

SWAPPED = (5, 6, 7, 8)
"""Orientations whose rows are shown as columns."""


def read_picture(data: bytes, side: int = DRAFT_SIDE) -> tuple[Image.Image, int, int]:
    """Decode a file of one of the formats `PICTURES` to 8-bit grey, as viewers show it.

    Args:
        data: The whole file.
        side: A JPEG is decoded at 1/2, 1/4 or 1/8 where rows and columns stay at least so many.

    Returns:
        The picture turned by its EXIF orientation, and the rows and columns of the file so turned.

    Raises:
        PixelsError: See `shrink`.
    """
    exif = b""
    if data.startswith(SIGNATURE):
        data, exif = sort_chunks(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # Pillow's on damaged metadata
            with Image.open(BytesIO(data), formats=tuple(PICTURES.values())) as image:
                columns, rows = image.size
                check_size(rows, columns)
                orientation = _orientation(exif or image.info.get("exif", b""))
                if image.format == "TIFF":
                    refuse_cut_samples(image)
                    with silent_stderr():  # libtiff prints what is wrong with a file
                        image.load()
                    columns, rows = image.size  # as the orientation turns it
                grey = _grey(image, data, side)
    except PixelsError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        declared = re.search(r"\d+", str(error))  # before Pillow tells rows and columns
        size = f"{declared[0]} pixels, " if declared else ""
        raise PixelsError(f"oversized: {size}the limit is {MAX_PIXELS}") from error
    except UnidentifiedImageError as error:
        raise PixelsError(_why_unidentified(data)) from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise PixelsError(f"undecodable: {one_line(error)}") from error
    if orientation in SWAPPED:
        rows, columns = columns, rows
    return grey.transpose(TURNS[orientation]) if orientation in TURNS else grey, rows, columns


def _grey(image: Image.Image, data: bytes, side: int) -> Image.Image:
    columns, rows = image.size
    if not _is_lossless(data):
        image.draft("L", (side, side))  # libjpeg shrinks while it decodes
        eighth = image.format in JPEGS and min(rows, columns) // side >= EIGHTH
        scanned = native.scan(data, rows, columns) if eighth and image.mode == "L" else None
        if scanned is not None:
            return Image.fromarray(scanned)
    if is_deep_colour(image):
        return Image.fromarray(equalise(deep_grey(image, data)))
    if image.format == "PPM" and _tiles(image)[0].codec_name in ("ppm", "ppm_plain"):
        if (grey := pgm_grey(data)) is not None:
            return Image.fromarray(grey if grey.dtype == np.uint8 else equalise(grey))
        if rows * columns > MAX_SLOW:
            raise PixelsError(f"unsupported: PNM of this kind of {rows}x{columns} pixels")
    if image.mode.startswith(("I", "F")):
        image.load()
        return Image.fromarray(equalise(deep_words(image)))
    return image.getchannel("L") if image.mode == "LAB" else image.convert("L")


def _tiles(image: Any) -> Any:
    """How Pillow is to decode a picture, which its types do not tell."""
    return image.tile


def _orientation(exif: bytes) -> int:
    """How a picture is turned, by its EXIF; 1, not at all, where that cannot be read."""
    if not exif:
        return 1
    try:
        found = Image.Exif()
        found.load(exif)
        return int(found.get(ExifTags.Base.Orientation, 1))
    except Exception:  # Pillow raises many types on damaged EXIF, which holds no pixels
        return 1


def _is_lossless(data: bytes) -> bool:
    """Whether a JPEG is of a lossless process, which libjpeg cannot decode at reduced size."""
    declared = jpeg_header(data)
    return declared is not None and declared.process in LOSSLESS


def _why_unidentified(data: bytes) -> str:
    """What a file is that Pillow does not open."""
    if data.startswith(SIGNATURE):
        return "undecodable: PNG with a damaged header"
    if not data.startswith(JPEG):
        if kind := picture_kind(data):
            return f"undecodable: {kind} with a damaged header, or of a kind that is not read"
        return "not an image: no DICOM, and no picture file that is read"
    declared = jpeg_header(data)
    if declared is None:
        return "undecodable: JPEG without frame header"
    if declared.process == JPEG_LS:
        return "unsupported: JPEG-LS, which is read in DICOM alone"
    if declared.bits != 8:
        return f"unsupported: JPEG of {declared.bits} bits, which is read in DICOM alone"
    return "undecodable: JPEG with a damaged header"

"""A JPEG or PNG file to 8-bit grey, shrunk while it is decoded."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from cxrspark.pixels import dc_scan
from cxrspark.pixels.equalise import equalise
from cxrspark.pixels.image import MAX_PIXELS, SIDE, PixelsError, check_size, one_line

DRAFT_SIDE = 2 * SIDE
"""What is left for the area average at least, so that its cells still hold whole pixels."""

EIGHTH = 8
"""How often `side` has to go into rows and columns for libjpeg to decode at 1/8."""


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
            eighth = image.format != "PNG" and min(rows, columns) // side >= EIGHTH
            if eighth and image.mode == "L":
                grey = dc_scan.scan(data, rows, columns)
                if grey is not None:
                    return Image.fromarray(grey), rows, columns
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

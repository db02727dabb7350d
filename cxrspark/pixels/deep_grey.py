"""Grey of more than 8 bits, as other picture files than PNG and DICOM have it, to 16 bits."""

from __future__ import annotations

import numpy as np
from PIL import Image, TiffImagePlugin

from cxrspark.pixels.image import PixelsError, Words

PHOTOMETRIC = 262
"""TIFF 6.0, section 4: PhotometricInterpretation; 0 is white at zero."""


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
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        if not known.any():
            raise PixelsError("undecodable: no pixel is a number")
        values = np.where(known, values, values[known].min())
    low, high = values.min(), values.max()
    if values.dtype.kind == "f" or low < 0 or high >= 2**16:
        span = max(float(high) - float(low), 1e-30)
        scale = 65535.0 / span if values.dtype.kind == "f" or span >= 2**16 else 1.0
        values = np.rint((values.astype(np.float64) - float(low)) * scale)
    words: Words = values.astype(np.uint16)
    if _is_white_at_zero(image):
        words = np.uint16(65535) - words
    return words


def _is_white_at_zero(image: Image.Image) -> bool:
    """Pillow turns 8 bits round, and not more."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(PHOTOMETRIC) == 0

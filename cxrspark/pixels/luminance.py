"""Colour to grey."""

from __future__ import annotations

import numpy as np

from cxrspark.pixels.image import Words


def luminance(red: Words, green: Words, blue: Words) -> Words:
    """Luminance by ITU-R BT.601, rounded as Pillow's conversion from RGB to L does it.

    Args:
        red: uint8 or uint16, of any shape.
        green: Same.
        blue: Same.

    Returns:
        Same type and shape.
    """
    weighted = (
        band.astype(np.uint32) * np.uint32(weight)  # of 2^16
        for band, weight in ((red, 19595), (green, 38470), (blue, 7471))
    )
    total = sum(weighted, np.uint32(1 << 15))
    high = np.asarray(total >> np.uint32(16))
    return high.astype(np.uint8) if red.itemsize == 1 else high.astype(np.uint16)

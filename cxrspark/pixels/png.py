"""What of a PNG file holds pixels, and colour or transparency of 16 bits to grey."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from cxrspark.pixels.image import Words
from cxrspark.pixels.luminance import luminance

SIGNATURE = b"\x89PNG\r\n\x1a\n"

PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
"""Critical chunks (PNG, third edition, 11.2); all others may be damaged or huge: they are left."""

LOW_BYTES = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}
"""By which name Pillow unpacks what it leaves of colour of 16 bits, by the one it chooses.

It keeps the high bytes; had they stood the other way round, it would have kept the low ones. Grey
with transparency has the bytes of 8-bit RGBA: both of grey, then both of transparency.
"""


class Chunks(NamedTuple):
    """A PNG file sorted.

    Attributes:
        pixels: A PNG file of nothing but what holds pixels.
        exif: Content of the chunk eXIf; empty where there is none.
    """

    pixels: bytes
    exif: bytes


def sort_chunks(data: bytes) -> Chunks:
    """Take a PNG file apart.

    Args:
        data: The file; a part that is cut off is kept as far as it is there.
    """
    kept: list[bytes | memoryview] = [SIGNATURE]
    exif, place, view = b"", len(SIGNATURE), memoryview(data)
    while place < len(data):
        end = place + 12 + int.from_bytes(view[place : place + 4], "big")
        name = bytes(view[place + 4 : place + 8])
        if name in PIXEL_CHUNKS or end > len(data):
            kept.append(view[place:end])
        elif name == b"eXIf":
            exif = bytes(view[place + 8 : end - 4])
        if name == b"IEND":
            break
        place = end
    return Chunks(b"".join(kept), exif)


def is_deep_colour(image: Image.Image) -> bool:
    """Whether an opened PNG has samples of 16 bits that Pillow would cut to 8."""
    return getattr(image, "tile", []) != [] and _unpacking(image) in LOW_BYTES


def deep_grey(image: Image.Image, data: bytes) -> Words:
    """Luminance of a PNG for which `is_deep_colour` holds.

    Args:
        image: The PNG, opened.
        data: Its file.

    Returns:
        uint16, shape (rows, columns).
    """
    with Image.open(BytesIO(data), formats=("PNG",)) as again:
        again.tile = [again.tile[0]._replace(args=LOW_BYTES[_unpacking(image)])]
        low = np.asarray(again)
    if _unpacking(image) == "LA;16B":
        grey: Words = low[..., 0].astype(np.uint16) << 8 | low[..., 1]
        return grey
    deep = np.asarray(image).astype(np.uint16) << 8 | low
    return luminance(deep[..., 0], deep[..., 1], deep[..., 2])


def _unpacking(image: Any) -> str:
    return str(image.tile[0].args)

"""TIFF, BMP, GIF, WebP, JPEG 2000 and PNM: scored as viewers show them."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.pictures import encode, gradient

GREY = gradient(300, 220)
DEEP = (np.arange(300)[:, None] * 9 + np.arange(220)[None, :]).astype(np.uint16) + 500
PHOTOMETRIC = struct.pack("<HHII", 262, 3, 1, 1)
"""TIFF's entry that says: black is at zero."""


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def white_at_zero(tiff: bytes) -> bytes:
    assert tiff.count(PHOTOMETRIC) == 1
    return tiff.replace(PHOTOMETRIC, struct.pack("<HHII", 262, 3, 1, 0))


PICTURE = Image.fromarray(GREY)
SAME = {
    "TIFF": saved(PICTURE, "TIFF"),
    "TIFF, LZW": saved(PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF, deflate": saved(PICTURE, "TIFF", compression="tiff_adobe_deflate"),
    "TIFF, BigTIFF": saved(PICTURE, "TIFF", big_tiff=True),
    "TIFF, colour": saved(PICTURE.convert("RGB"), "TIFF"),
    "TIFF, palette": saved(PICTURE.convert("P"), "TIFF"),
    "TIFF, CMYK": saved(PICTURE.convert("CMYK"), "TIFF"),
    "TIFF, white at zero": white_at_zero(saved(Image.fromarray(255 - GREY), "TIFF")),
    "TIFF, pages": saved(PICTURE, "TIFF", save_all=True, append_images=[PICTURE.rotate(180)]),
    "BMP": saved(PICTURE, "BMP"),
    "BMP, colour": saved(PICTURE.convert("RGB"), "BMP"),
    "GIF": saved(PICTURE, "GIF"),
    "GIF, frames": saved(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(180)]),
    "WebP": saved(PICTURE.convert("RGB"), "WEBP", lossless=True),
    "JPEG 2000": saved(PICTURE, "JPEG2000"),
    "JPEG 2000, bare": saved(PICTURE, "JPEG2000", no_jp2=True),
    "PGM": saved(PICTURE, "PPM"),
    "PPM": saved(PICTURE.convert("RGB"), "PPM"),
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_the_same_picture_gives_the_same_pixels(content: bytes) -> None:
    found = shrink(content)
    assert (found.rows, found.columns) == GREY.shape
    assert np.abs(found.values.astype(int) - shrink(encode(GREY)).values).max() <= 1


DEEP_PICTURE = Image.fromarray(DEEP)
SIGNED = Image.fromarray(DEEP.astype(np.int32) - 2000)
SAME_DEEP = {
    "TIFF of 16 bits": saved(DEEP_PICTURE, "TIFF"),
    "TIFF of 16 bits, LZW": saved(DEEP_PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF of 16 bits, white at zero": white_at_zero(saved(Image.fromarray(65535 - DEEP), "TIFF")),
    "TIFF of 32 bits, signed": saved(SIGNED, "TIFF"),
    "TIFF of floats": saved(Image.fromarray(DEEP.astype(np.float32) / 3000 - 1), "TIFF"),
    "JPEG 2000 of 16 bits": saved(DEEP_PICTURE, "JPEG2000"),
    "PGM of 16 bits": b"P5 220 300 65535\n" + DEEP.astype(">u2").tobytes(),
}


@pytest.mark.parametrize("content", SAME_DEEP.values(), ids=SAME_DEEP)
def test_deep_grey_is_stretched_and_equalised_as_that_of_a_png_is(content: bytes) -> None:
    expected = shrink(encode(DEEP)).values.astype(int)
    assert np.unique(expected).size > 60
    assert np.abs(shrink(content).values - expected).max() <= 1


def test_what_is_no_number_counts_as_the_least() -> None:
    holes, filled = DEEP.astype(np.float32), DEEP.astype(np.float32)
    holes[:40], filled[:40] = np.nan, DEEP[40:].min()
    pixels = [shrink(saved(Image.fromarray(one), "TIFF")).values for one in (holes, filled)]
    np.testing.assert_array_equal(*pixels)


def test_a_tiffs_orientation_is_applied() -> None:
    turned = np.ascontiguousarray(np.rot90(GREY, -1))  # orientation 6 says: turn it clockwise
    found = shrink(saved(PICTURE, "TIFF", tiffinfo={274: 6}))
    assert (found.rows, found.columns) == turned.shape
    assert np.abs(found.values.astype(int) - shrink(encode(turned)).values).max() <= 1


SMALL = saved(PICTURE, "BMP")
BAD = {
    "truncated TIFF": (SAME["TIFF"][:20_000], "undecodable: "),
    "truncated JPEG 2000": (SAME["JPEG 2000"][:300], "undecodable: "),
    "truncated GIF": (SAME["GIF"][:900], "undecodable: "),
    "truncated WebP": (SAME["WebP"][:200], "undecodable: "),
    "a huge PGM": (b"P5 20000 20000 255\n", "oversized: "),
    "a huge BMP": (
        SMALL[:18] + struct.pack("<ii", 9000, 9000) + SMALL[26:],
        "oversized: 9000x9000 pixels",
    ),
    "a small GIF": (saved(PICTURE.crop((0, 0, 60, 60)), "GIF"), "too small: 60x60"),
    "floats that are no numbers": (
        saved(Image.fromarray(np.full((80, 80), np.nan, np.float32)), "TIFF"),
        "undecodable: no pixel is a number",
    ),
}


@pytest.mark.parametrize(("content", "error"), BAD.values(), ids=BAD)
def test_bad_content_is_one_plain_line(content: bytes, error: str) -> None:
    with pytest.raises(PixelsError) as raised:
        shrink(content)
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)

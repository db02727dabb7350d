"""TIFF, BMP, GIF, WebP, JPEG 2000 and PNM: scored as viewers show them."""

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels.shrink_to_64 import shrink

from helpers.pictures import encode, gradient, refuse

GREY = gradient(300, 220)
DEEP = (np.arange(300)[:, None] * 9 + np.arange(220)[None, :]).astype(np.uint16) + 500
BITS_8, BITS_16 = struct.pack("<HHH", 8, 8, 8), struct.pack("<HHH", 16, 16, 16)
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
    "PGM of 250 levels": b"P5\n# 250\n220 300 250 "
    + np.rint(GREY / 1.02).astype(np.uint8).tobytes(),
    "PGM in figures": b"P2 220 300 255\n" + b" ".join(b"%d" % grey for grey in GREY.flat),
    "PPM": saved(PICTURE.convert("RGB"), "PPM"),
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_the_same_picture_gives_the_same_pixels(content: bytes) -> None:
    found = shrink(content)
    assert (found.rows, found.columns) == GREY.shape
    assert np.abs(found.values.astype(int) - shrink(encode(GREY)).values).max() <= 1


def unsigned(words: np.ndarray) -> bytes:
    """A TIFF of 32 bits without sign, which Pillow writes with one."""
    tiff = saved(Image.fromarray(words.view(np.int32)), "TIFF")
    signed, plain = (struct.pack("<HHIHH", 339, 3, 1, kind, 0) for kind in (2, 1))
    assert tiff.count(signed) == 1
    return tiff.replace(signed, plain)


DEEP_PICTURE = Image.fromarray(DEEP)
SIGNED = Image.fromarray(DEEP.astype(np.int32) - 2000)
SAME_DEEP = {
    "TIFF of 16 bits": saved(DEEP_PICTURE, "TIFF"),
    "TIFF of 16 bits, LZW": saved(DEEP_PICTURE, "TIFF", compression="tiff_lzw"),
    "TIFF of 16 bits, white at zero": white_at_zero(saved(Image.fromarray(65535 - DEEP), "TIFF")),
    "TIFF of 32 bits, signed": saved(SIGNED, "TIFF"),
    "TIFF of floats": saved(Image.fromarray(DEEP.astype(np.float32) / 3000 - 1), "TIFF"),
    "JPEG 2000 of 16 bits": saved(DEEP_PICTURE, "JPEG2000"),
    "TIFF of 32 bits, without sign": unsigned(DEEP.astype(np.uint32) * 2**20),
    "PGM of 16 bits": b"P5 220 300 65535\n" + DEEP.astype(">u2").tobytes(),
    "PGM of 12 bits": b"P5 220 300 4095\n" + DEEP.astype(">u2").tobytes(),
}


@pytest.mark.parametrize("content", SAME_DEEP.values(), ids=SAME_DEEP)
def test_deep_grey_is_stretched_and_equalised_as_that_of_a_png_is(content: bytes) -> None:
    expected = shrink(encode(DEEP)).values.astype(int)
    assert np.unique(expected).size > 60
    assert np.abs(shrink(content).values - expected).max() <= 1


@pytest.mark.parametrize("hole", [np.nan, np.inf, -3.4e38])
def test_what_is_no_number_counts_as_the_least(hole: float) -> None:
    holes, filled = DEEP.astype(np.float32), DEEP.astype(np.float32)
    holes[:40], filled[:40] = hole, DEEP[40:].min()
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
    "truncated TIFF, its directory at its end": (
        SAME["TIFF, LZW"][:-200],
        "undecodable: TIFF with a damaged header",
    ),
    "PNM in figures, large": (b"P2 3000 2000 255\n", "unsupported: PNM of this kind"),
    "PPM of 16 bits, large": (b"P6 3000 2000 4095\n", "unsupported: PNM of this kind"),
    "TIFF in colour of 16 bits": (
        saved(PICTURE.convert("RGB"), "TIFF").replace(BITS_8, BITS_16),
        "unsupported: TIFF in colour of 16 bits",
    ),
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
    refuse(content, error)

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels.equalise import BLOCK, count, equalise, look_up
from cxrspark.pixels.image import MAX_PIXELS
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.pictures import encode, gradient, refuse


def cells(grey: np.ndarray) -> np.ndarray:
    """Mean of each of 64×64 cells, sides being multiples of 64."""
    rows, columns = grey.shape
    return grey.reshape(64, rows // 64, 64, columns // 64).mean(axis=(1, 3))


def png_header(rows: int, columns: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    length = struct.pack(">I", 13)
    header = length + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 100) + b"IDAT"


NOISE = np.random.default_rng(0).integers(0, 256, (320, 448), dtype=np.uint8)


def test_png_becomes_the_mean_of_each_cell() -> None:
    pixels = shrink(encode(NOISE))
    assert (pixels.rows, pixels.columns) == (320, 448)
    assert pixels.values.dtype == np.uint8
    assert pixels.values.shape == (64, 64)
    assert np.abs(pixels.values - cells(NOISE)).max() <= 1


@pytest.mark.parametrize("shape", [(1024, 1536), (512, 512), (128, 192)])
def test_jpeg_shrunk_while_it_decodes_is_still_an_area_average(shape: tuple[int, int]) -> None:
    pixels = shrink(encode(gradient(*shape), "jpg", quality=95))
    assert np.abs(pixels.values - cells(gradient(*shape))).max() <= 3


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [("jpg", "RGB"), ("jpg", "CMYK"), ("png", "RGB"), ("png", "P"), ("png", "RGBA"), ("png", "LA")],
)
def test_every_mode_of_a_grey_image_gives_the_same_pixels(suffix: str, mode: str) -> None:
    plain = shrink(encode(gradient())).values.astype(int)
    other = shrink(encode(gradient(), suffix, mode)).values
    assert np.abs(plain - other).max() <= 4


def test_16_bit_png_is_stretched_and_equalised() -> None:
    deep = gradient(256, 256).astype(np.uint16) * 3 + 1000
    pixels = shrink(encode(deep)).values
    assert np.abs(pixels - cells(equalise(deep))).max() <= 1
    assert pixels.min() < 8
    assert pixels.max() > 247


def test_equalise_follows_a_hand_made_example() -> None:
    grey = np.array([[100, 100, 200, 200], [300, 300, 300, 400]], dtype=np.uint16)
    # uint8 levels 0, 85, 170, 255 with counts 2, 2, 3, 1: (cumulated - 2) / (8 - 2) × 255
    expected = [[0, 0, 85, 85], [212, 212, 212, 255]]
    assert equalise(grey).tolist() == expected


@pytest.mark.parametrize("size", [999, 1000, 1001, 2999])
def test_equalise_gives_what_opencv_gives(size: int) -> None:
    """Even where levels lie half way, which float32 rounds otherwise than float64."""
    counts = np.array([2000 - 510 * size % 1000, size, *[2 * size] * 253, 3 * size])
    grey = np.repeat(np.arange(256, dtype=np.uint8), counts).reshape(-1, 1000)
    np.testing.assert_array_equal(equalise(grey), cv2.equalizeHist(grey))


def test_words_are_counted_and_looked_up_block_by_block() -> None:
    words = np.random.default_rng(1).integers(0, 2**16, (700, 1024), dtype=np.uint16)
    assert words.size > 2 * BLOCK
    assert (count(words) == np.bincount(words.ravel(), minlength=2**16)).all()
    table = np.random.default_rng(2).integers(0, 256, 2**16, dtype=np.uint8)
    assert (look_up(table, words) == table[words]).all()
    wide = words.reshape(1, -1)
    assert (look_up(table, wide) == table[wide]).all()


BAD = {
    "empty": (b"", "empty file"),
    "text": (
        b"hello, I am a report\n" * 20,
        "not an image: no DICOM, and no picture file that is read",
    ),
    "truncated JPEG": (encode(NOISE, "jpg")[:9000], "undecodable: "),
    "truncated PNG": (encode(NOISE)[:9000], "undecodable: "),
    "1x1": (encode(gradient(1, 1)), "too small: 1x1 pixels"),
    "constant": (encode(np.full((100, 100), 7, np.uint8)), "constant image: every pixel is 7"),
    "constant, deep": (
        encode(np.full((100, 100), 900, np.uint16)),
        "constant image: every pixel is 900",
    ),
    "bomb": (png_header(20_000, 20_000), "oversized: "),
    "where Pillow only warns": (png_header(10_000, 10_000), "oversized: "),
    "over our limit": (
        png_header(8200, 8200),
        "oversized: 8200x8200 pixels, the limit is 67108864",
    ),
}


@pytest.mark.parametrize(("content", "error"), BAD.values(), ids=BAD)
def test_bad_content_is_one_plain_line(content: bytes, error: str) -> None:
    refuse(content, error)


def test_the_limit_lies_below_the_one_at_which_pillow_warns() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert MAX_PIXELS < Image.MAX_IMAGE_PIXELS

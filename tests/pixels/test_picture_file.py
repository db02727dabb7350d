"""JPEG and PNG files that viewers show: chunks, depth, orientation and processes."""

import base64
import struct
import zlib
from collections.abc import Callable
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.pictures import ARITHMETIC, encode, gradient

GREY = gradient(300, 220)


def chunk(name: bytes, content: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks behind its header."""
    data = encode(GREY)
    return data[:33] + b"".join(chunks) + data[33:]


PROFILE = b"name\0\0" + zlib.compress(bytes(3_000_000))

ANCILLARY = {
    "pHYs of a wrong sum": chunk(b"pHYs", bytes(9), crc=1),
    "iCCP of a wrong sum": chunk(b"iCCP", b"name\0\0" + zlib.compress(b"profile"), crc=1),
    "tEXt of a wrong sum": chunk(b"tEXt", b"Comment\0a chest", crc=1),
    "tEXt of nothing": chunk(b"tEXt", b""),
    "pHYs cut off": chunk(b"pHYs", b"\0"),
    "zTXt of 3 MB": chunk(b"zTXt", PROFILE),
    "iCCP of 3 MB": chunk(b"iCCP", PROFILE),
    "iTXt of 3 MB": chunk(b"iTXt", b"name\0\1\0\0\0" + zlib.compress(bytes(3_000_000))),
    "eXIf of nothing sensible": chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
    "a chunk that nobody knows": chunk(b"abCd", b"?", crc=1),
}


@pytest.mark.parametrize("extra", ANCILLARY.values(), ids=ANCILLARY)
def test_png_chunks_that_hold_no_pixels_change_nothing(extra: bytes) -> None:
    np.testing.assert_array_equal(shrink(png_with(extra)).values, shrink(encode(GREY)).values)


def test_png_chunks_that_hold_pixels_must_be_sound() -> None:
    data = encode(GREY)
    place = data.index(b"IDAT") + 100
    damaged = data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]
    with pytest.raises(PixelsError, match="undecodable: "):
        shrink(damaged)
    with pytest.raises(PixelsError, match="undecodable: PNG with a damaged header"):
        shrink(data[:20] + b"\1" + data[21:])


DEEP = (np.arange(300)[:, None] * 9 + np.arange(220)[None, :]).astype(np.uint16) + 500
"""12 bits in 16: in the high bytes there are 14 levels."""
FULL = np.full_like(DEEP, 65535)


@pytest.mark.parametrize(
    "bands",
    [(DEEP, FULL), (DEEP, DEEP, DEEP), (DEEP, DEEP, DEEP, FULL)],
    ids=["grey with transparency", "RGB", "RGB with transparency"],
)
def test_colour_and_transparency_of_16_bits_are_stretched_as_grey_is(
    bands: tuple[np.ndarray, ...],
) -> None:
    expected = shrink(encode(DEEP)).values
    assert np.unique(expected).size > 60
    coloured = bytes(imagecodecs.png_encode(np.stack(bands, axis=-1)))
    np.testing.assert_array_equal(shrink(coloured).values, expected)


def test_colours_of_16_bits_give_their_luminance() -> None:
    rng = np.random.default_rng(3)
    bands = rng.integers(0, 65536, (3, 192, 192), np.uint16)
    weighed = np.tensordot([0.299, 0.587, 0.114], bands.astype(float), 1).round()
    expected = shrink(encode(weighed.astype(np.uint16))).values
    found = shrink(bytes(imagecodecs.png_encode(np.stack(list(bands), axis=-1)))).values
    assert np.abs(found.astype(int) - expected).max() <= 1


UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.T,
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).T,
    8: lambda stored: np.rot90(stored, 1),
}
"""From what is stored to what is shown, by orientation."""


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("side", [200, 1100])
def test_exif_orientation_is_applied(orientation: int, suffix: str, side: int) -> None:
    stored = gradient(side, side // 4 * 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = shrink(encode(stored, suffix, exif=exif.tobytes()))
    shown = UPRIGHT[orientation](stored)
    expected = shrink(encode(np.ascontiguousarray(shown), suffix))
    assert (found.rows, found.columns) == shown.shape
    assert np.abs(found.values.astype(int) - expected.values).max() <= 2


@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_an_orientation_that_is_none_is_left_aside(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    sound = shrink(encode(GREY, "jpg")).values
    np.testing.assert_array_equal(shrink(encode(GREY, "jpg", exif=exif.tobytes())).values, sound)
    broken = b"Exif\0\0MM\0*\xff\xff\xff\xff"
    np.testing.assert_array_equal(shrink(encode(GREY, "jpg", exif=broken)).values, sound)


LARGE = gradient(1100, 1200)
COLOURS = np.stack([LARGE] * 3, axis=-1)
PROCESSES: dict[str, bytes] = {
    "SOF0": encode(LARGE, "jpg", quality=95),
    "SOF0, colour": encode(LARGE, "jpg", "RGB", quality=95),
    "SOF2": encode(LARGE, "jpg", quality=95, progressive=True),
    "SOF3": bytes(imagecodecs.jpeg8_encode(LARGE, lossless=True, predictor=1)),
    "SOF3, colour": bytes(imagecodecs.jpeg8_encode(COLOURS, lossless=True, predictor=5)),
    **{name: base64.b64decode(content) for name, content in ARITHMETIC.items()},
}


@pytest.mark.parametrize(("process", "data"), PROCESSES.items(), ids=PROCESSES)
def test_every_process_that_pillow_opens_is_read(process: str, data: bytes) -> None:
    with Image.open(BytesIO(data)) as image:
        expected = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX))
    assert np.abs(shrink(data).values.astype(int) - expected).max() <= 4


UNREAD = {
    "12 bits": (
        bytes(imagecodecs.jpeg8_encode(GREY.astype(np.uint16) * 16, 90, bitspersample=12)),
        "unsupported: JPEG of 12 bits, which is read in DICOM alone",
    ),
    "16 bits": (
        bytes(imagecodecs.jpeg8_encode(GREY.astype(np.uint16), lossless=True, bitspersample=16)),
        "unsupported: JPEG of 16 bits, which is read in DICOM alone",
    ),
    "JPEG-LS": (
        bytes(imagecodecs.jpegls_encode(GREY)),
        "unsupported: JPEG-LS, which is read in DICOM alone",
    ),
    "no frame": (b"\xff\xd8\xff\xd9" + bytes(99), "undecodable: JPEG without frame header"),
}


@pytest.mark.parametrize(("data", "said"), UNREAD.values(), ids=UNREAD)
def test_what_is_not_read_is_named(data: bytes, said: str) -> None:
    with pytest.raises(PixelsError) as raised:
        shrink(data)
    assert str(raised.value) == said

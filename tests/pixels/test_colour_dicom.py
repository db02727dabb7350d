"""Colour DICOM of a grey picture: its luminance."""

from collections.abc import Callable
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cxrspark.phantoms.dicom import Stored, encode_dicom
from cxrspark.phantoms.files import jpeg
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.dicom_files import HEADER, PICTURE, compressed, plain, written

GREY = np.ascontiguousarray(PICTURE[:, : PICTURE.shape[1] // 2 * 2])
RGB = np.stack([GREY] * 3, axis=-1)
MIDDLE = np.full_like(GREY, 128)
YBR = np.stack([GREY, MIDDLE, MIDDLE], axis=-1)
HALVED = np.stack([GREY[:, ::2], GREY[:, 1::2], MIDDLE[:, ::2], MIDDLE[:, ::2]], axis=-1)


def native(samples: np.ndarray, meaning: str, planar: int = 0, bits: int = 8) -> bytes:
    """Three samples a pixel, as they are."""
    dataset = dcmread(BytesIO(plain(GREY, 8)))
    dataset.SamplesPerPixel = 3
    dataset.PhotometricInterpretation = meaning
    dataset.PlanarConfiguration = planar
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelData = samples.tobytes()
    return written(dataset)


def palette(entries: np.ndarray, syntax: UID | None = None, packed: bool = False) -> bytes:
    """Indices of a palette of grey."""
    data = encode_dicom(GREY, Stored(bits=8), HEADER)
    dataset = dcmread(BytesIO(data))
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    dataset.PixelData = (np.argsort(ORDER)[GREY]).astype(np.uint8).tobytes()
    bits = 8 if packed else 16
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableDescriptor"
        dataset.add_new(keyword, "US", [256, 0, bits])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", entries.tobytes())
    if syntax == RLELossless:
        dataset.compress(syntax, generate_instance_uid=False)
    return written(dataset)


ORDER = np.random.default_rng(4).permutation(256)
"""The grey of each index, so that indices themselves are no picture."""


def rle(samples: np.ndarray) -> bytes:
    dataset = dcmread(BytesIO(native(samples, "RGB")))
    dataset.compress(RLELossless, generate_instance_uid=False)
    return written(dataset)


def j2k(samples: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(samples, codecformat="J2K", reversible=True))


def coded(syntax: UID, stream: bytes, meaning: str) -> bytes:
    changes = {"SamplesPerPixel": 3, "PhotometricInterpretation": meaning, "PlanarConfiguration": 0}
    return compressed(RGB, syntax, stream, 8, **changes)


COLOUR: dict[str, Callable[[], bytes]] = {
    "RGB": lambda: native(RGB, "RGB"),
    "RGB in planes": lambda: native(np.moveaxis(RGB, -1, 0), "RGB", planar=1),
    "RGB of 16 bits": lambda: native(RGB.astype(np.uint16) * 257, "RGB", bits=16),
    "YBR": lambda: native(YBR, "YBR_FULL"),
    "YBR in planes": lambda: native(np.moveaxis(YBR, -1, 0), "YBR_FULL", planar=1),
    "YBR, halved": lambda: native(HALVED, "YBR_FULL_422"),
    "palette": lambda: palette(ORDER.astype(np.uint16) * 257),
    "palette of 8 bits": lambda: palette(ORDER.astype(np.uint8), packed=True),
    "palette, RLE": lambda: palette(ORDER.astype(np.uint16) * 257, RLELossless),
    "RLE": lambda: rle(RGB),
    "JPEG lossless": lambda: coded(
        JPEGLosslessSV1, imagecodecs.jpeg8_encode(RGB, lossless=True, predictor=1), "RGB"
    ),
    "JPEG-LS": lambda: coded(JPEGLSLossless, imagecodecs.jpegls_encode(RGB), "RGB"),
    "JPEG 2000": lambda: coded(JPEG2000Lossless, j2k(RGB), "YBR_RCT"),
    "JPEG 2000, not transformed": lambda: coded(JPEG2000Lossless, j2k(RGB), "RGB"),
}


@pytest.mark.parametrize("make", COLOUR.values(), ids=COLOUR)
def test_colour_of_a_grey_picture_gives_the_pixels_of_the_grey_one(
    make: Callable[[], bytes],
) -> None:
    np.testing.assert_array_equal(shrink(make()).values, shrink(plain(GREY, 8)).values)


@pytest.mark.parametrize("meaning", ["YBR_FULL_422", "RGB"])
def test_colour_of_a_jpeg_is_its_luminance(meaning: str) -> None:
    file = jpeg(Image.fromarray(RGB))
    decoded = np.asarray(Image.open(BytesIO(file)).convert("L"))
    found = shrink(coded(JPEGBaseline8Bit, file, meaning)).values
    assert np.abs(found.astype(int) - shrink(plain(decoded, 8)).values).max() <= 2


def test_luminance_weighs_colours_as_pillow_does() -> None:
    rng = np.random.default_rng(1)
    colours = rng.integers(0, 256, RGB.shape, np.uint8)
    expected = np.asarray(Image.fromarray(colours).convert("L"))
    found = shrink(native(colours, "RGB")).values
    np.testing.assert_array_equal(found, shrink(plain(expected, 8)).values)


def test_a_palette_in_big_endian() -> None:
    data = palette(ORDER.astype(np.uint16) * 257)
    dataset = dcmread(BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    for colour in ("Red", "Green", "Blue"):
        entries = (ORDER.astype(np.uint16) * 257).byteswap().tobytes()
        setattr(dataset, f"{colour}PaletteColorLookupTableData", entries)
    np.testing.assert_array_equal(shrink(written(dataset)).values, shrink(plain(GREY, 8)).values)

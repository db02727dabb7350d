"""DICOM that gives no pixels: one plain line each, and what is not the image's fault."""

import sys
import zlib
from collections.abc import Callable
from io import BytesIO

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import dcmread
from pydicom.uid import (
    MPEG4HP41,
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.dicom_files import HEADER, PICTURE, claiming, compressed, plain, written


def other_size(syntax: pydicom.uid.UID) -> bytes:
    """A file whose header says other rows than its stream."""
    stored = Stored(syntax, bits=8 if syntax == JPEGBaseline8Bit else 12)
    dataset = dcmread(BytesIO(encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)))
    dataset.Rows -= 1
    return written(dataset)


def with_syntax(syntax: str, stream: bytes = b"\0\0\1\xb3" * 99) -> bytes:
    """A file of an encapsulated stream that is none of those that are read."""
    return compressed(detect(PICTURE, Stored(bits=12), 1), UID(syntax), stream)


def compressed_but_bare(syntax: str) -> bytes:
    """A stream that is not encapsulated."""
    dataset = dcmread(BytesIO(plain()))
    stream = imagecodecs.jpegls_encode(WORDS)
    dataset.PixelData = stream + bytes(len(stream) % 2)
    return claiming(syntax, written(dataset))


def lossless() -> bytes:
    return bytes(imagecodecs.jpeg8_encode(WORDS, lossless=True, bitspersample=12))


def rle(*header: int) -> bytes:
    """A stream of two short runs, with this header."""
    return np.array([*header, *[0] * (16 - len(header))], "<u4").tobytes() + b"\x81\x05\x81\x05"


def deflate_bomb() -> bytes:
    stored = Stored(DeflatedExplicitVRLittleEndian)
    sound = encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)
    start = len(sound) - len(sound.split(b"DICM", 1)[1])
    end = start + 12 + int.from_bytes(sound[start + 8 : start + 12], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    zeros = bytes(2**24)
    return sound[:end] + b"".join(packer.compress(zeros) for _ in range(17)) + packer.flush()


def rle_bomb() -> bytes:
    """Runs that would fill a hundred times the frame."""
    stored = Stored(RLELossless)
    dataset = dcmread(BytesIO(encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)))
    runs = b"\x81\x05" * (PICTURE.size // 128 * 100)
    header = np.array([2, 64, 64 + len(runs), *[0] * 13], "<u4").tobytes()
    dataset.PixelData = pydicom.encaps.encapsulate([header + runs + runs])
    return written(dataset)


WORDS = detect(PICTURE, Stored(bits=12), 1)

REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no pixel data": (lambda: plain(PixelData=None), "DICOM without pixel data"),
    "frames": (lambda: plain(NumberOfFrames=30), "DICOM with several frames: 30"),
    "too few samples": (
        lambda: plain(PhotometricInterpretation="RGB", SamplesPerPixel=3),
        "DICOM undecodable: 170240 bytes of pixel data, 510720 are needed",
    ),
    "samples": (lambda: plain(SamplesPerPixel=4), "DICOM unsupported: 4 samples a pixel"),
    "no palette": (
        lambda: plain(PhotometricInterpretation="PALETTE COLOR"),
        "DICOM undecodable: no palette",
    ),
    "32 bits": (lambda: plain(BitsAllocated=32), "DICOM unsupported: 12 bits in 32"),
    "1 bit": (lambda: plain(BitsAllocated=1, BitsStored=1), "DICOM unsupported: 1 bits in 1"),
    "no rows": (lambda: plain(Rows=None), "DICOM undecodable: no Rows"),
    "video": (lambda: with_syntax(MPEG4HP41), f"DICOM unsupported: transfer syntax {MPEG4HP41}"),
    "private syntax": (
        lambda: claiming("1.2.840.113619.5.2", plain()),
        "DICOM unsupported: transfer syntax 1.2.840.113619.5.2",
    ),
    "damaged syntax": (
        lambda: claiming("1.2.840.\n5\t2", plain()),
        "DICOM unsupported: transfer syntax 1.2.840. 5 2",
    ),
    "not encapsulated": (
        lambda: compressed_but_bare(JPEGLSLossless),
        "DICOM undecodable: neither encapsulated nor of an uncompressed size",
    ),
    "truncated": (
        lambda: plain()[:-1000],
        "DICOM undecodable: 169240 bytes of pixel data, 170240 are needed",
    ),
    "truncated stream": (
        lambda: encode_dicom(WORDS, Stored(JPEGLSLossless), HEADER)[:-1000],
        "DICOM undecodable: its pixel data end early",
    ),
    "JPEG without its end": (
        lambda: compressed(WORDS, JPEGLosslessSV1, lossless()[:-1000]),
        "DICOM undecodable: its JPEG stream ends early",
    ),
    "cut in the header": (lambda: plain()[:420], "DICOM without pixel data"),
    "oversized": (lambda: plain(Rows=20_000, Columns=20_000), "oversized: 20000x20000"),
    "too wide": (lambda: plain(Rows=100, Columns=65_501), "oversized: 100x65501 pixels, the"),
    "too small": (lambda: plain(Rows=10), "too small: 10x"),
    "constant": (lambda: plain(np.full((80, 80), 9, np.uint16)), "constant image: every pixel is"),
    "deflated bomb": (deflate_bomb, "oversized: inflates to more than 268435456 bytes"),
    "RLE bomb": (rle_bomb, "DICOM undecodable: imcd_packbits_decode"),
    "RLE segments": (
        lambda: compressed(WORDS, RLELossless, rle(2, 64, 60)),
        "DICOM undecodable: RLE segments out of order",
    ),
    "RLE segment outside": (
        lambda: compressed(WORDS, RLELossless, rle(2, 64, 2**31)),
        "DICOM undecodable: RLE segments out of order",
    ),
    "RLE too short": (
        lambda: compressed(WORDS, RLELossless, rle(2, 64, 66)),
        "DICOM undecodable: RLE segments end early",
    ),
    **{
        f"other size, {syntax.name}": (
            lambda syntax=syntax: other_size(syntax),
            f"DICOM undecodable: the header says {PICTURE.shape[0] - 1}x{PICTURE.shape[1]}x1, "
            f"the stream {PICTURE.shape[0]}x{PICTURE.shape[1]}x1",
        )
        for syntax in (JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
    },
}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.filterwarnings("ignore:::pydicom")
def test_what_is_refused_is_one_line(make: Callable[[], bytes], said: str) -> None:
    with pytest.raises(PixelsError) as raised:
        shrink(make())
    assert str(raised.value).startswith(said)
    assert "\n" not in str(raised.value)


def test_an_error_keeps_the_header() -> None:
    with pytest.raises(PixelsError, match="DICOM with several frames: 2") as raised:
        shrink(plain(NumberOfFrames=2))
    assert raised.value.header == HEADER._replace(photometric_interpretation="MONOCHROME2")
    constant = plain(np.full((100, 100), 7, np.uint16))
    with pytest.raises(PixelsError, match="constant image: every pixel is 7") as raised:
        shrink(constant)
    assert raised.value.header.modality == "DX"


@pytest.mark.parametrize(
    "syntax", [JPEGLSLossless, JPEGBaseline8Bit, JPEG2000Lossless, RLELossless]
)
def test_a_missing_codec_is_no_fact_about_the_image(
    syntax: pydicom.uid.UID, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(syntax, bits=8 if syntax == JPEGBaseline8Bit else 12)
    data = encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(RuntimeError, match=r"needs pip install cxrspark\[dicom\]"):
        shrink(data)


def test_a_missing_pydicom_is_no_fact_about_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    data = plain()
    monkeypatch.delitem(sys.modules, "cxrspark.pixels.dicom.grey", raising=False)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(RuntimeError, match=r"needs pip install cxrspark\[dicom\]"):
        shrink(data)

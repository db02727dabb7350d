"""DICOM that gives no pixels: one plain line each, and what is not the image's fault."""

import sys
import zlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom import dcmread
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.pixels.dicom import frame as dicom_frame
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink import shrink

from helpers.dicom_files import HEADER, PICTURE, plain, written


def other_size(syntax: pydicom.uid.UID) -> bytes:
    """A file whose header says other rows than its stream."""
    stored = Stored(syntax, bits=8 if syntax == JPEGBaseline8Bit else 12)
    dataset = dcmread(BytesIO(encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)))
    dataset.Rows -= 1
    return written(dataset)


def with_syntax(syntax: pydicom.uid.UID) -> bytes:
    """A file that only says so."""
    named = b"UI" + (len(syntax)).to_bytes(2, "little") + syntax.encode()
    return plain().replace(b"UI\x14\x001.2.840.10008.1.2.1\x00", named)


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


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no pixel data": (lambda: plain(PixelData=None), "DICOM without pixel data"),
    "frames": (lambda: plain(NumberOfFrames=30), "DICOM with several frames: 30"),
    "RGB": (lambda: plain(PhotometricInterpretation="RGB"), "DICOM in colour: RGB"),
    "samples": (lambda: plain(SamplesPerPixel=3), "DICOM in colour: MONOCHROME2"),
    "32 bits": (lambda: plain(BitsAllocated=32), "DICOM unsupported: 12 bits in 32"),
    "1 bit": (lambda: plain(BitsAllocated=1, BitsStored=1), "DICOM unsupported: 1 bits in 1"),
    "high bit": (lambda: plain(HighBit=3), "DICOM undecodable: high bit 3 of 12 bits"),
    "no rows": (lambda: plain(Rows=None), "DICOM undecodable: no Rows"),
    "video": (lambda: with_syntax(MPEG4HP41), "DICOM unsupported: transfer syntax 1.2.840.10008."),
    "not encapsulated": (lambda: with_syntax(JPEGLSLossless), "DICOM undecodable: encapsulated ot"),
    "truncated": (lambda: plain()[:-1000], "DICOM undecodable: The number of bytes of pixel dat"),
    "cut in the header": (lambda: plain()[:420], "DICOM without pixel data"),
    "oversized": (lambda: plain(Rows=20_000, Columns=20_000), "oversized: 20000x20000"),
    "too wide": (lambda: plain(Rows=100, Columns=65_501), "oversized: 100x65501 pixels, the"),
    "too small": (lambda: plain(Rows=10), "too small: 10x"),
    "constant": (lambda: plain(np.full((80, 80), 9, np.uint16)), "constant image: every pixel is"),
    "deflated bomb": (deflate_bomb, "oversized: inflates to more than 268435456 bytes"),
    "RLE bomb": (rle_bomb, "constant image"),
    "no syntax": (
        lambda: plain().replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI"),
        "DICOM undecodable: no TransferSyntaxUID",
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


def test_a_missing_codec_is_no_fact_about_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(JPEGLSLossless)
    data = encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)
    monkeypatch.setitem(dicom_frame.PLUGINS, JPEGLSLossless, "absent")
    with pytest.raises(RuntimeError, match=r"needs pip install cxrspark\[dicom\]"):
        shrink(data)


def test_a_missing_pydicom_is_no_fact_about_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    data = plain()
    monkeypatch.delitem(sys.modules, "cxrspark.pixels.dicom.grey", raising=False)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(RuntimeError, match=r"needs pip install cxrspark\[dicom\]"):
        shrink(data)

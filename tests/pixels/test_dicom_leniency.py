"""Sound DICOM pictures whose tags or structure are not as the standard has them."""

from collections.abc import Callable
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cxrspark.phantoms.dicom import SYNTAXES, Stored, detect, encode_dicom
from cxrspark.pixels.dicom.sniff import is_dicom
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.dicom_files import HEADER, PICTURE, claiming, compressed, plain

WORDS = detect(PICTURE, Stored(bits=12), 1)
SLOPE = b"\x28\x00\x53\x10DS\x04\x00"
PADDING = b"\x28\x00\x20\x01US\x04\x00"
PIXELS = b"\xe0\x7f\x10\x00OW\x00\x00"


def sloped(value: bytes) -> bytes:
    """A file whose RescaleSlope is these four bytes."""
    return replaced(plain(RescaleSlope="1.00"), SLOPE + b"1.00", SLOPE + value)


def padded(vr: bytes, value: bytes, length: bytes = b"\4\0") -> bytes:
    """A file whose PixelPaddingValue is these four bytes."""
    data = plain(PixelPaddingValue=[7, 8])
    return replaced(data, PADDING + b"\x07\x00\x08\x00", PADDING[:4] + vr + length + value)


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


def without_length() -> bytes:
    """Native pixels of undefined length, with a delimiter."""
    length = (2 * WORDS.size).to_bytes(4, "little")
    data = replaced(plain(), PIXELS + length, PIXELS + b"\xff\xff\xff\xff")
    return data + b"\xfe\xff\xdd\xe0\0\0\0\0"


def encoded(syntax: UID) -> bytes:
    return encode_dicom(WORDS, Stored(syntax), HEADER)


def with_defined_length(syntax: UID) -> bytes:
    """Encapsulated pixels whose element has a length, as native ones have."""
    dataset = dcmread(BytesIO(encoded(syntax)))
    value = dataset.PixelData
    place = encoded(syntax).index(b"\xe0\x7f\x10\x00OB")
    length = len(value).to_bytes(4, "little")
    return encoded(syntax)[:place] + b"\xe0\x7f\x10\x00OB\0\0" + length + value


def bare(syntax: UID) -> bytes:
    """A data set alone: no preamble, no prefix, no meta information."""
    data = encoded(syntax)
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    return data[start:]


def without_syntax(syntax: UID) -> bytes:
    return replaced(encoded(syntax), b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI")


LENIENT: dict[str, Callable[[], bytes]] = {
    "slope with a comma": lambda: sloped(b"1,0 "),
    "slope of text": lambda: sloped(b"NA  "),
    "slope of two values": lambda: sloped(b"1\\-2"),
    "slope of no VR": lambda: replaced(plain(RescaleSlope="1.00"), SLOPE, SLOPE[:4] + b"\0\0\4\0"),
    "rows of no VR": lambda: replaced(plain(), b"\x28\0\x10\0US", b"\x28\0\x10\0\0\0"),
    "padding of two values": lambda: padded(b"US", b"\x00\x02\x00\x08"),
    "padding in OW": lambda: padded(b"OW\0\0", b"\x00\x02\x00\x08", b"\4\0\0\0"),
    "padding of text": lambda: padded(b"LO", b"none"),
    "no photometric interpretation": lambda: plain(PhotometricInterpretation=None),
    "small letters": lambda: plain(PhotometricInterpretation="monochrome2"),
    "no samples": lambda: plain(SamplesPerPixel=None),
    "no bits stored": lambda: plain(BitsStored=None, HighBit=None),
    "bits stored of 0": lambda: plain(BitsStored=0, HighBit=None),
    "high bit below": lambda: plain(HighBit=3),
    "no representation": lambda: plain(PixelRepresentation=None),
    "frames of text": lambda: plain(NumberOfFrames="1"),
    "native of undefined length": without_length,
    "native that says compressed": lambda: claiming(JPEGLSLossless, plain()),
    "native, implicit that says explicit": lambda: claiming(
        ExplicitVRLittleEndian, encoded(ImplicitVRLittleEndian)
    ),
    "native, explicit that says implicit": lambda: claiming(ImplicitVRLittleEndian, plain()),
    **{
        f"{syntax.name} that says native": lambda syntax=syntax: claiming(
            ExplicitVRLittleEndian, encoded(syntax)
        )
        for syntax in (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
    },
    **{
        f"{syntax.name} of defined length": lambda syntax=syntax: with_defined_length(syntax)
        for syntax in (RLELossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)
    },
    **{
        f"{syntax.name}, no preamble": lambda syntax=syntax: encoded(syntax)[128:]
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless)
    },
    **{
        f"{syntax.name}, no prefix": lambda syntax=syntax: encoded(syntax)[132:]
        for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless)
    },
    **{
        f"{syntax.name}, no meta information": lambda syntax=syntax: bare(syntax)
        for syntax in (
            ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless,
            JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless,
        )
    },
    **{
        f"{syntax.name}, not said": lambda syntax=syntax: without_syntax(syntax)
        for syntax in (
            ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless,
            JPEG2000Lossless,
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("make", LENIENT.values(), ids=LENIENT)
@pytest.mark.filterwarnings("ignore:::pydicom")
def test_what_is_unusable_counts_as_absent(make: Callable[[], bytes]) -> None:
    np.testing.assert_array_equal(shrink(make()).values, shrink(plain()).values)


def wide(bits: int) -> np.ndarray:
    """The picture's grey in so many bits, all of which are used."""
    grey = PICTURE.astype(np.uint32) * (2**bits - 1) // 255
    return grey.astype(np.uint16)


def j2k(words: np.ndarray, bits: int) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(words, codecformat="J2K", reversible=True, bitspersample=bits)
    )


def signed(words: np.ndarray, bits: int) -> np.ndarray:
    return (words.astype(np.int32) - (1 << (bits - 1))).astype(np.int16)


def masked(words: np.ndarray, bits: int) -> np.ndarray:
    """Two's complement in so many bits, in a word that is not signed."""
    return signed(words, bits).view(np.uint16) & np.uint16((1 << bits) - 1)


SIGNED = {"PixelRepresentation": 1}
STREAMS: dict[str, tuple[UID, Callable[[], bytes], int, dict[str, int]]] = {
    "JPEG 2000 of 16 bits": (JPEG2000Lossless, lambda: j2k(wide(16), 16), 16, {}),
    "JPEG 2000, signed": (JPEG2000Lossless, lambda: j2k(signed(wide(12), 12), 12), 12, {}),
    "JPEG 2000, not signed": (JPEG2000Lossless, lambda: j2k(wide(12), 12), 12, SIGNED),
    "JPEG 2000, complement": (JPEG2000Lossless, lambda: j2k(masked(wide(12), 12), 12), 12, SIGNED),
    "JPEG 2000 of 16 bits, complement of 12": (
        JPEG2000Lossless, lambda: j2k(masked(wide(12), 12), 16), 12, SIGNED
    ),
    "JPEG-LS of 16 bits": (JPEGLSLossless, lambda: imagecodecs.jpegls_encode(wide(16)), 16, {}),
    "JPEG-LS, not signed": (
        JPEGLSLossless, lambda: imagecodecs.jpegls_encode(wide(16)), 16, SIGNED
    ),
    "JPEG-LS, complement": (
        JPEGLSLossless,
        lambda: imagecodecs.jpegls_encode(signed(wide(16), 16).view(np.uint16)),
        16,
        SIGNED,
    ),
    "JPEG-LS, complement of 12": (
        JPEGLSLossless, lambda: imagecodecs.jpegls_encode(masked(wide(12), 12)), 12, SIGNED
    ),
    "JPEG lossless of 16 bits": (
        JPEGLosslessSV1,
        lambda: imagecodecs.jpeg8_encode(wide(16), lossless=True, bitspersample=16),
        16,
        {},
    ),
    "JPEG baseline in 16 allocated bits": (
        JPEGBaseline8Bit, lambda: imagecodecs.jpeg8_encode(PICTURE, 100), 8, {}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("syntax", "make", "bits", "header"), STREAMS.values(), ids=STREAMS)
def test_the_streams_own_precision_and_sign_decide(
    syntax: UID, make: Callable[[], bytes], bits: int, header: dict[str, int]
) -> None:
    """The header says 12 bits in 16."""
    found = shrink(compressed(WORDS, syntax, make(), **header)).values
    expected = shrink(plain(wide(bits), bits=16)).values
    tolerance = 2 if syntax == JPEGBaseline8Bit else 0
    assert np.abs(found.astype(int) - expected).max() <= tolerance


def test_a_padding_limit_of_0_is_one() -> None:
    words = WORDS + 500
    bordered = words.copy()
    bordered[:30] = 0
    bordered[30:60, :9] = 9
    data = plain(bordered, bits=16, PixelPaddingValue=9, PixelPaddingRangeLimit=0)
    bordered[bordered < 10] = words.min()
    np.testing.assert_array_equal(shrink(data).values, shrink(plain(bordered, bits=16)).values)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_dicom_is_told_by_its_first_bytes(syntax: UID) -> None:
    stored = Stored(syntax, bits=8 if syntax == JPEGBaseline8Bit else 12)
    data = encode_dicom(detect(PICTURE, stored, 1), stored, HEADER)
    assert is_dicom(data[:300])
    assert is_dicom(data[128:428])
    assert is_dicom(data[132:432])


OTHER = (
    b"\x08\x00",
    b"hello " * 90,
    bytes(600),
    bytes(range(256)) * 3,
    b"\x08\x00\x05\x00CS\x10\x00" + b"x" * 600,
    b"\x08\x00\x05\x00\x10\x00\x00\x00" + b"x" * 600,
)


@pytest.mark.parametrize("content", OTHER, ids=range(len(OTHER)))
def test_other_files_are_not_taken_for_dicom(content: bytes) -> None:
    assert not is_dicom(content)
    with pytest.raises(
        PixelsError, match="not an image: no DICOM, and no picture file that is read"
    ):
        shrink(content)

"""The pixel data of a DICOM file to an array of words, once its own header is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom import uid
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder

from cxrspark.pixels.dicom.rle import decode_rle
from cxrspark.pixels.image import PixelsError, Words

UNCOMPRESSED = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
)
JPEG = (uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)
JPEG_LS = (uid.JPEGLSLossless, uid.JPEGLSNearLossless)
JPEG_2000 = (uid.JPEG2000Lossless, uid.JPEG2000)

PLUGINS = {
    **dict.fromkeys(UNCOMPRESSED, ""),
    uid.RLELossless: "",  # see cxrspark.pixels.dicom.rle
    **dict.fromkeys(JPEG, "pylibjpeg"),
    uid.JPEGBaseline8Bit: "pillow",  # libjpeg-turbo, as for JPEG files
    **dict.fromkeys(JPEG_LS, "pyjpegls"),
    **dict.fromkeys(JPEG_2000, "pylibjpeg"),
}
"""pydicom's decoding plugin for each transfer syntax that is read, or none. One only: that
another would have made something of a damaged file is no gain, and it would take as long again."""


class CodecMissingError(RuntimeError):
    """A fact about this executor, not about the image."""


@dataclass(frozen=True)
class Frame:
    """One greyscale frame as it is stored.

    Attributes:
        syntax: Transfer syntax.
        value: Of PixelData, encapsulated or not.
        vr: Of PixelData; None in implicit VR.
        rows: Of the frame.
        columns: Of the frame.
        allocated: Bits of a word, 8 or 16.
        stored: How many of them hold the pixel.
        signed: Whether that is a two's complement.
    """

    syntax: uid.UID
    value: memoryview
    vr: str | None
    rows: int
    columns: int
    allocated: int
    stored: int
    signed: bool


def check_syntax(syntax: uid.UID) -> None:
    """Refuse a transfer syntax that is not read.

    Raises:
        PixelsError: Always of this syntax.
        CodecMissingError: The package for it is not installed.
    """
    if syntax not in PLUGINS:
        raise PixelsError(f"DICOM unsupported: transfer syntax {syntax[:64]}")
    plugin = PLUGINS[syntax]
    if plugin and plugin not in get_decoder(syntax).available_plugins:
        raise CodecMissingError(f"reading {syntax.name} needs pip install cxrspark[dicom] there")


def decode(frame: Frame) -> Words:
    """Decode a frame.

    Args:
        frame: Of a syntax that `check_syntax` lets pass.

    Returns:
        uint8 or uint16, shape (rows, columns): a view where nothing is compressed.

    Raises:
        PixelsError: Other than 8 or 16 bits, or a stream that is not of the frame's size.
        Exception: pydicom and its plugins raise many types on damaged data.
    """
    if frame.allocated not in (8, 16) or not 1 <= frame.stored <= frame.allocated:
        raise PixelsError(f"DICOM unsupported: {frame.stored} bits in {frame.allocated}")
    value: Any = frame.value
    if frame.syntax.is_encapsulated:
        stream = _checked_stream(frame)
        if frame.syntax == uid.RLELossless:
            return decode_rle(stream, frame.rows, frame.columns, frame.allocated // 8)
        value = encapsulate([stream])
    options: dict[str, Any] = {
        "rows": frame.rows,
        "columns": frame.columns,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": frame.allocated,
        "bits_stored": frame.stored,
        "pixel_representation": int(frame.signed),
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "pixel_vr": frame.vr or "OW",
        "correct_unused_bits": False,
        "view_only": True,
    }
    words, _ = get_decoder(frame.syntax).as_array(
        value, index=0, raw=True, decoding_plugin=PLUGINS[frame.syntax], **options
    )
    unsigned: Words = words.view(words.dtype.str.replace("i", "u"))
    return unsigned


def _checked_stream(frame: Frame) -> bytes:
    """The frame's compressed stream, if it declares what the DICOM header does.

    A decoder makes room for what the stream declares, so that this must be known before.
    """
    stream = next(generate_frames(bytes(frame.value), number_of_frames=1))
    if frame.syntax in JPEG_2000:
        stream = stream[max(0, stream.find(b"\xff\x4f\xff\x51")) :]  # without a JP2 header
        declared = _j2k_size(stream)
    elif frame.syntax in JPEG + JPEG_LS:
        declared = _jpeg_size(stream)
    else:
        return stream
    if declared != (frame.rows, frame.columns, 1):
        inside = "x".join(map(str, declared))
        raise PixelsError(
            f"DICOM undecodable: the header says {frame.rows}x{frame.columns}x1, "
            f"the stream {inside}"
        )
    return stream


def _jpeg_size(stream: bytes) -> tuple[int, int, int]:
    """Rows, columns and components of the frame header: ITU-T T.81, B.2.2; T.87, C.1.1.1."""
    place = 2
    while place + 10 <= len(stream):
        if stream[place] != 0xFF:
            break
        marker = stream[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
            continue
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame or marker == 0xF7:
            rows = int.from_bytes(stream[place + 5 : place + 7], "big")
            columns = int.from_bytes(stream[place + 7 : place + 9], "big")
            return rows, columns, stream[place + 9]
        if marker in (0xDA, 0xDE):  # scan before a frame; hierarchical
            break
        place += 2 + int.from_bytes(stream[place + 2 : place + 4], "big")
    raise PixelsError("DICOM undecodable: JPEG stream without frame header")


def _j2k_size(stream: bytes) -> tuple[int, int, int]:
    """Rows, columns and components of the SIZ marker segment: ITU-T T.800, A.5.1."""
    if len(stream) < 42 or stream[:4] != b"\xff\x4f\xff\x51":
        raise PixelsError("DICOM undecodable: JPEG 2000 stream without SIZ")
    right, bottom, left, top = (
        int.from_bytes(stream[place : place + 4], "big") for place in (8, 12, 16, 20)
    )
    return bottom - top, right - left, int.from_bytes(stream[40:42], "big")

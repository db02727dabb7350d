"""A compressed frame to its samples, once what its stream declares is checked.

A decoder makes room for what a stream declares, so that this must be known before.
"""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from cxrspark.pixels.dicom.frame import Frame, Samples
from cxrspark.pixels.image import PixelsError, Words
from cxrspark.pixels.stream_header import (
    JPEG,
    JPEG_2000,
    JPEG_LS,
    LOSSLESS,
    Declared,
    j2k_header,
    jpeg_header,
    tiles_allow,
)

ITEM = b"\xfe\xff\x00\xe0"
"""Tag of an item, with which encapsulated pixel data begin (PS3.5, A.4)."""

JP2 = b"jP  "
"""Type of the box before a codestream that has a file's header."""

END_OF_IMAGE = b"\xff\xd9"

REDUCE = 3
"""Resolutions of JPEG 2000 that are left out: an eighth of rows and columns remains."""

RLE_LAYOUTS = {1: (1, 1), 2: (1, 2), 3: (3, 1), 6: (3, 2)}
"""Samples of a pixel and bytes of a sample, by the number of segments (PS3.5, G.2)."""

RLE_SLACK = 256
"""Bytes that a run may fill beyond the frame's last pixel."""


class CodecMissingError(RuntimeError):
    """A fact about this executor, not about the image."""


def is_encapsulated(value: memoryview) -> bool:
    """Whether pixel data are, whatever their length and the transfer syntax say."""
    return value[:4] == ITEM


def decode_stream(frame: Frame) -> Samples:
    """Decode an encapsulated frame; which codec it needs is told by its first bytes.

    Args:
        frame: Whose value is encapsulated.

    Returns:
        The samples. JPEG 2000 of a large grey frame comes at an eighth of its rows and columns.

    Raises:
        PixelsError: The stream is none that is read, or not of the frame's size.
        ImportError: The package that decodes it is not installed.
        Exception: Decoders raise many types on damaged data.
    """
    stream = _joined(frame.value)
    if stream.startswith(JPEG):
        return _jpeg(stream, frame)
    if stream.startswith(JPEG_2000) or stream[4:8] == JP2:
        return _jpeg_2000(stream[max(0, stream.find(JPEG_2000)) :], frame)
    if frame.may_be_rle:
        return _rle(stream, frame)
    raise frame.unknown_syntax()


def _joined(value: memoryview) -> bytes:
    """The fragments of one frame; the first item is the table of offsets."""
    place, items = 0, []
    while value[place : place + 4] == ITEM:
        length = int.from_bytes(value[place + 4 : place + 8], "little")
        place += 8
        items.append(value[place : place + length])
        if len(items[-1]) < length:
            raise PixelsError("DICOM undecodable: its pixel data end early")
        place += length
    return b"".join(items[1:])


def _checked(declared: Declared | None, frame: Frame) -> Declared:
    if declared is None:
        raise PixelsError("DICOM undecodable: compressed stream without header")
    if declared[:2] != (frame.rows, frame.columns) or declared.samples not in (1, 3):
        inside = "x".join(map(str, declared[:3]))
        raise PixelsError(
            f"DICOM undecodable: the header says {frame.rows}x{frame.columns}x{frame.samples}, "
            f"the stream {inside}"
        )
    if not 1 <= declared.bits <= 16:
        raise PixelsError(f"DICOM unsupported: {declared.bits} bits a sample")
    return declared


def _jpeg(stream: bytes, frame: Frame) -> Samples:
    """JPEG of any process, by libjpeg-turbo, and JPEG-LS, by CharLS."""
    import imagecodecs

    declared = _checked(jpeg_header(stream), frame)
    words: Words
    if declared.process == JPEG_LS:
        # CharLS up to 2.4 reads on for ever where a damaged stream ends without a marker.
        words = imagecodecs.jpegls_decode(stream + END_OF_IMAGE)
    else:
        if END_OF_IMAGE not in stream:
            raise PixelsError("DICOM undecodable: its JPEG stream ends early")
        is_grey = declared.samples == 3 and declared.process not in LOSSLESS
        words = imagecodecs.jpeg8_decode(stream, outcolorspace="GRAYSCALE" if is_grey else None)
    return _samples(words, declared, frame)


def _jpeg_2000(stream: bytes, frame: Frame) -> Samples:
    """JPEG 2000, with the high-throughput block coder too, by OpenJPEG.

    Pillow can leave out resolutions; imagecodecs reads some streams that Pillow refuses.

    Raises:
        CodecMissingError: Pillow was built without OpenJPEG.
    """
    import imagecodecs

    declared = _checked(j2k_header(stream), frame)
    words = None
    if (
        frame.may_shrink
        and declared.samples == 1
        and _agree(declared, frame)
        and tiles_allow(stream, REDUCE)
    ):
        words = _reduced(stream, declared)
    if words is None:
        words = imagecodecs.jpeg2k_decode(stream)
        words = words.view(words.dtype.str.replace("i", "u"))
    return _samples(words, declared, frame)


def _reduced(stream: bytes, declared: Declared) -> Words | None:
    """Grey at an eighth; None where it has too few resolutions."""
    if not features.check("jpg_2000"):
        raise CodecMissingError("reading JPEG 2000 needs a Pillow that was built with OpenJPEG")
    try:
        picture: Any = Image.open(BytesIO(stream), formats=("JPEG2000",))
        # Pillow would round a part of eight pixels to the nearest whole; JPEG 2000 rounds it up.
        picture._size = tuple(side + -side % (1 << REDUCE) for side in picture.size)
        picture.reduce = REDUCE
        picture.load()
    except OSError:
        return None
    # Pillow lets samples fill 8 or 16 bits, and moves signed ones into the range of unsigned.
    words: Words = np.asarray(picture)
    words = _centred(words >> np.array(8 * words.itemsize - declared.bits, words.dtype))
    return words ^ np.array(1 << (declared.bits - 1), words.dtype) if declared.signed else words


def _centred(words: Words) -> Words:
    """Move samples of low resolution from the first pixel of their blocks to the middle.

    The filters of JPEG 2000 are symmetric to every second sample (ITU-T T.800, annex F), so that
    three resolutions up a sample stands at pixel 0 of eight, not at 3.5 as their mean does. Between
    it and the next one is 7/16 of the way; without that, pixels differ by twice as much.
    """
    grey = np.pad(words, ((0, 1), (0, 1)), "edge").astype(np.uint32)
    grey = 9 * grey[:-1] + 7 * grey[1:]
    grey = 9 * grey[:, :-1] + 7 * grey[:, 1:]
    mean: npt.NDArray[np.uint32] = np.right_shift(grey + np.uint32(128), np.uint32(8))
    return mean.astype(np.uint8) if words.itemsize == 1 else mean.astype(np.uint16)


def _rle(stream: bytes, frame: Frame) -> Samples:
    """RLE Lossless: PS3.5, annex G."""
    import imagecodecs

    segments, *starts = np.frombuffer(stream[:64].ljust(64, b"\0"), "<u4").tolist()
    if segments not in RLE_LAYOUTS:
        raise PixelsError(f"DICOM unsupported: RLE stream of {segments} segments")
    places = [*starts[:segments], len(stream)]
    # The decoder trusts them.
    if places[0] != 64 or any(one >= other for one, other in pairwise(places)):
        raise PixelsError("DICOM undecodable: RLE segments out of order")
    samples, size = RLE_LAYOUTS[segments]
    length = frame.rows * frame.columns * samples * size
    room = np.empty(length + RLE_SLACK, np.uint8)
    if len(imagecodecs.dicomrle_decode(stream, f"<u{size}", out=room.data)) < length:
        raise PixelsError("DICOM undecodable: RLE segments end early")
    words = room[:length].view(f"<u{size}")
    words = words.reshape(samples, frame.rows, frame.columns)
    return frame.stored_in(words[0] if samples == 1 else np.moveaxis(words, 0, -1))


def _samples(words: Words, declared: Declared, frame: Frame) -> Samples:
    """Of a codec that gives numbers: their precision and sign are the stream's own."""
    if words.ndim == 3 or _agree(declared, frame):
        return Samples(words, declared.bits, frame.signed)
    return _smoothest(words, declared, frame)


def _agree(declared: Declared, frame: Frame) -> bool:
    """Whether stream and header do on the sign; JPEG and JPEG-LS leave it to the header.

    That cannot be meant where they differ on the bits, one of which would be the sign.
    """
    if declared.signed is None:
        return not frame.signed or declared.bits == frame.stored
    return declared.signed == frame.signed


def _smoothest(words: Words, declared: Declared, frame: Frame) -> Samples:
    """Tell the sign by the picture, for writers err on either side.

    Some say of a stream of two's complements that it is unsigned, some in the header that numbers
    without sign have one. Read wrongly, black and white meet within the picture.
    """
    bits = (declared.bits, frame.stored if 1 <= frame.stored <= declared.bits else declared.bits)
    readings = [
        Samples(words, declared.bits, declared.signed or False),
        *(Samples(words, some, not declared.signed) for some in bits),
    ]
    return min(readings, key=_roughness)


def _roughness(samples: Samples) -> int:
    """Sum of the steps from pixel to pixel along the rows."""
    numbers = samples.numbers(samples.words.astype(np.int64))
    return int(np.abs(np.diff(numbers)).sum())

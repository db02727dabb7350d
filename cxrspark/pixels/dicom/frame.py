"""The samples of a DICOM frame, and what its header says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.uid import UID, RLELossless

from cxrspark.pixels.image import Ints, PixelsError, Words


@dataclass(frozen=True)
class Samples:
    """Decoded samples.

    Attributes:
        words: uint8 or uint16, shape (rows, columns) or (rows, columns, 3).
        bits: How many of each word are the sample.
        signed: Whether they are a two's complement.
        low: Place of the sample's lowest bit.
    """

    words: Words
    bits: int
    signed: bool
    low: int = 0

    def numbers(self, words: Ints) -> Ints:
        """What words stand for; bits that are not the sample may hold anything."""
        numbers = (words >> self.low) & ((1 << self.bits) - 1)
        return numbers - ((numbers >> (self.bits - 1)) << self.bits) if self.signed else numbers


@dataclass(frozen=True)
class Frame:
    """One frame as its header describes it.

    Attributes:
        syntax: Transfer syntax; empty where it is not said.
        is_little_endian: Of native pixel data.
        value: Of PixelData, encapsulated or not.
        vr: Of PixelData; None in implicit VR.
        rows: Of the frame.
        columns: Of the frame.
        samples: Of a pixel, 1 or 3.
        planar: Whether native samples stand plane by plane.
        halved: Whether native colour is of every second pixel of a row alone (4:2:2).
        allocated: Bits of a native word; 0 where they are not said.
        stored: How many of them hold the sample; 0 where they are not said.
        high: Place of its highest bit; None where it is not said.
        signed: Whether it is a two's complement.
        may_shrink: Whether a decoder may leave out the finest resolutions.
    """

    syntax: UID
    is_little_endian: bool
    value: memoryview
    vr: str | None
    rows: int
    columns: int
    samples: int
    planar: bool
    halved: bool
    allocated: int
    stored: int
    high: int | None
    signed: bool
    may_shrink: bool

    @property
    def may_be_rle(self) -> bool:
        """Whether the transfer syntax lets a stream be RLE, which nothing in it tells."""
        return self.syntax == RLELossless or not is_compressed(self.syntax)

    def unknown_syntax(self) -> PixelsError:
        """What to raise of a transfer syntax that is not read; a damaged one may hold anything."""
        return PixelsError(
            f"DICOM unsupported: transfer syntax {' '.join(self.syntax.split())[:64]}"
        )

    @property
    def native_length(self) -> int:
        """Bytes that native pixel data of it are."""
        count = self.rows * self.columns * self.samples * (self.allocated // 8)
        return count * 2 // 3 if self.halved else count

    def stored_in(self, words: Words) -> Samples:
        """The samples within words that are kept as they were stored."""
        allocated = 8 * words.itemsize
        stored = self.stored if 1 <= self.stored <= allocated else allocated
        high = stored - 1 if self.high is None else self.high
        if not stored - 1 <= high < allocated:
            high = stored - 1
        return Samples(words, stored, self.signed, high + 1 - stored)


def is_compressed(syntax: UID) -> bool:
    """Whether a transfer syntax is one of the standard's for encapsulated pixel data."""
    return syntax.is_transfer_syntax and syntax.is_encapsulated


def decode_native(frame: Frame) -> Samples:
    """Read uncompressed pixel data.

    Args:
        frame: Whose value is not encapsulated.

    Returns:
        The samples: a view of the value where that can be.

    Raises:
        PixelsError: Other than 8 or 16 bits, too few bytes, or in a private transfer syntax, of
            which nobody knows how words stand in it.
    """
    if frame.syntax and not frame.syntax.is_transfer_syntax:
        raise frame.unknown_syntax()
    if frame.allocated not in (8, 16):
        raise PixelsError(f"DICOM unsupported: {frame.stored} bits in {frame.allocated}")
    value, length = frame.value, frame.native_length
    if is_compressed(frame.syntax) and len(value) - length not in (0, 1):
        raise PixelsError("DICOM undecodable: neither encapsulated nor of an uncompressed size")
    if len(value) < length:
        raise PixelsError(
            f"DICOM undecodable: {len(value)} bytes of pixel data, {length} are needed"
        )
    size = frame.allocated // 8
    count = length // size
    words: Words
    if size == 1 and frame.vr == "OW" and not frame.is_little_endian:
        words = np.frombuffer(value[: len(value) // 2 * 2], ">u2").astype("<u2").view(np.uint8)
    else:
        order = "<" if frame.is_little_endian else ">"
        words = np.frombuffer(value, f"{order}u{size}", count).astype(f"<u{size}", copy=False)
    return frame.stored_in(_shaped(words[:count], frame))


def _shaped(words: Words, frame: Frame) -> Words:
    rows, columns = frame.rows, frame.columns
    if frame.halved:  # two of luminance, then one of each colour: the first two are enough
        return words.reshape(rows, columns // 2, 4)[..., :2].reshape(rows, columns)
    if frame.samples == 1:
        return words.reshape(rows, columns)
    if frame.planar:
        return words.reshape(3, rows, columns).transpose(1, 2, 0)
    return words.reshape(rows, columns, 3)

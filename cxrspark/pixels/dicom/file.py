"""A DICOM file up to its pixel data: the elements that are needed, the others unread."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from cxrspark.pixels.image import MAX_BYTES, PixelsError

META_START = 132
"""Bytes of preamble and prefix, before the file meta information."""

UNDEFINED = 0xFFFFFFFF
"""Length of pixel data that are encapsulated."""

PIXEL_DATA = Tag("PixelData")
SYNTAX = Tag("TransferSyntaxUID")

# What `Header` holds, in its order.
HEADER_KEYWORDS = (
    "ViewPosition", "PatientOrientation", "Modality", "BodyPartExamined",
    "PhotometricInterpretation",
)  # fmt: skip

# Beside those, all that is read; every other element is skipped unread.
PIXEL_KEYWORDS = (
    "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "RescaleSlope",
)  # fmt: skip

TAGS: list[BaseTag | int] = [Tag(keyword) for keyword in HEADER_KEYWORDS + PIXEL_KEYWORDS]


@dataclass(frozen=True)
class File:
    """A DICOM file up to its pixel data.

    Attributes:
        syntax: Transfer syntax.
        dataset: The elements `TAGS`.
        value: Of PixelData, not copied; None where there is none.
        vr: Of PixelData; None in implicit VR.
        encapsulated: Whether PixelData are.
    """

    syntax: UID
    dataset: Dataset
    value: memoryview | None
    vr: str | None
    encapsulated: bool


def read(data: bytes) -> File:
    """Read the file meta information and the elements before the pixel data."""
    stream = BytesIO(data)
    stream.seek(META_START)
    meta = read_dataset(stream, False, True, stop_when=_after_meta, specific_tags=[SYNTAX])
    syntax = UID(str(needed(meta, "TransferSyntaxUID")))
    if syntax == DeflatedExplicitVRLittleEndian:
        data = _inflate(memoryview(data)[stream.tell() :])
        stream = BytesIO(data)
    found: list[tuple[str | None, int, int]] = []

    def at_pixel_data(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag == PIXEL_DATA:
            found.append((vr, stream.tell(), length))
        return int(tag) >= int(PIXEL_DATA)

    implicit, little = syntax.is_implicit_VR, syntax.is_little_endian
    dataset = read_dataset(
        stream, implicit, little, stop_when=at_pixel_data, specific_tags=list(TAGS)
    )
    if not found:
        return File(syntax, dataset, None, None, False)
    vr, start, length = found[-1]
    value = memoryview(data)[start : start + length]
    return File(syntax, dataset, value, vr, length == UNDEFINED)


def _after_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) >> 16 != 2


def _inflate(deflated: memoryview) -> bytes:
    """Inflate a dataset, within bounds."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(deflated, MAX_BYTES)
    if inflater.unconsumed_tail:
        raise PixelsError(f"oversized: inflates to more than {MAX_BYTES} bytes")
    return content


def needed(dataset: Dataset, keyword: str) -> Any:
    """An element's value.

    Raises:
        PixelsError: It is not there.
    """
    value = dataset.get(keyword)
    if value is None:
        raise PixelsError(f"DICOM undecodable: no {keyword}")
    return value


def text(value: Any) -> str | None:
    r"""A code string as one short line; several values as DICOM writes them, L\F."""
    if value is None:
        return None
    values = [value] if isinstance(value, str) else value
    text = "\\".join(map(str, values))
    return "".join(filter(str.isprintable, text)).strip()[:64] or None

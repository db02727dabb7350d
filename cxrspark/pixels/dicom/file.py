"""A DICOM file up to its pixel data: the elements that are needed, the others unread."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from pydicom import Dataset, config
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from cxrspark.pixels.dicom.elements import COLOURS, HEADER_KEYWORDS, optional
from cxrspark.pixels.dicom.sniff import data_start, encoding
from cxrspark.pixels.image import MAX_BYTES, PixelsError

UNDEFINED = 0xFFFFFFFF
"""Length of pixel data that end with a delimiter."""

PIXEL_DATA = Tag("PixelData")
SYNTAX = Tag("TransferSyntaxUID")

# Beside the header's, all that is read; every other element is skipped unread.
PIXEL_KEYWORDS = (
    "SamplesPerPixel", "NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PlanarConfiguration", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "RescaleSlope",
    *(f"{colour}PaletteColorLookupTable{part}" for colour in COLOURS for part in
      ("Descriptor", "Data")),
)  # fmt: skip

TAGS: list[BaseTag | int] = [Tag(keyword) for keyword in HEADER_KEYWORDS + PIXEL_KEYWORDS]


@dataclass(frozen=True)
class File:
    """A DICOM file up to its pixel data.

    Attributes:
        syntax: Transfer syntax; empty where the file does not say it.
        is_little_endian: Of the data set, whatever the transfer syntax says.
        dataset: The elements `TAGS`.
        value: Of PixelData, not copied; None where there is none.
        vr: Of PixelData; None in implicit VR.
    """

    syntax: UID
    is_little_endian: bool
    dataset: Dataset
    value: memoryview | None
    vr: str | None


def read(data: bytes) -> File:
    """Read the file meta information, where there is any, and what stands before the pixel data.

    How the data set is encoded is told by its first element: a file may lack the transfer syntax,
    or claim another.
    """
    stream = BytesIO(data)
    stream.seek(data_start(data))
    meta = read_dataset(stream, False, True, stop_when=_after_meta, specific_tags=[SYNTAX])
    start = stream.tell()
    syntax = UID(str(optional(meta, "TransferSyntaxUID") or ""))
    if syntax == DeflatedExplicitVRLittleEndian:
        data, start = _inflate(memoryview(data)[start:]), 0
    is_implicit, is_little = encoding(data, start)
    dataset, found = _before_pixels(data, start, is_implicit, is_little)
    if not found and not is_implicit:
        with _short_length_of_unknown_vrs():
            dataset, found = _before_pixels(data, start, is_implicit, is_little)
    if not found:
        return File(syntax, is_little, dataset, None, None)
    vr, start, length = found[-1]
    end = None if length == UNDEFINED else start + length
    return File(syntax, is_little, dataset, memoryview(data)[start:end], vr)


Place = tuple[str | None, int, int]
"""VR, start and length of an element's value."""


def _before_pixels(
    data: bytes, start: int, is_implicit: bool, is_little: bool
) -> tuple[Dataset, list[Place]]:
    stream = BytesIO(data)
    stream.seek(start)
    found: list[Place] = []

    def at_pixel_data(tag: BaseTag, vr: str | None, length: int) -> bool:
        if tag == PIXEL_DATA:
            found.append((vr, stream.tell(), length))
        return int(tag) >= int(PIXEL_DATA)

    dataset = read_dataset(
        stream, is_implicit, is_little, stop_when=at_pixel_data, specific_tags=list(TAGS)
    )
    return dataset, found


@contextmanager
def _short_length_of_unknown_vrs() -> Iterator[None]:
    """Let pydicom take a VR of two zero bytes for one with a length of two bytes.

    Otherwise it takes such an element for one in implicit VR, and loses its way.
    """
    before = config.assume_implicit_vr_switch
    config.assume_implicit_vr_switch = False
    try:
        yield
    finally:
        config.assume_implicit_vr_switch = before


def _after_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) >> 16 != 2


def _inflate(deflated: memoryview) -> bytes:
    """Inflate a dataset, within bounds."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(deflated, MAX_BYTES)
    if inflater.unconsumed_tail:
        raise PixelsError(f"oversized: inflates to more than {MAX_BYTES} bytes")
    return content

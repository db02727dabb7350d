"""DICOM bytes to 8-bit grey, by the steps that MIMIC-CXR's published JPEGs were made with."""

from __future__ import annotations

import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from cxrspark.pixels import (
    NO_HEADER,
    Grey8,
    Header,
    Ints,
    PixelsError,
    check_size,
    count,
    ends,
    equalising_table,
    look_up,
    one_line,
)
from cxrspark.read_ahead import MAX_BYTES

try:
    from pydicom import Dataset
    from pydicom.filereader import read_dataset
    from pydicom.tag import BaseTag, Tag
    from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

    from cxrspark.dicom_frame import PLUGINS, CodecMissingError, Frame, check_syntax, decode
except ImportError as error:  # a fact about this executor, not about the image
    raise RuntimeError("reading DICOM needs pip install cxrspark[dicom] there") from error

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
class _File:
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


def read_dicom(data: bytes) -> tuple[Image.Image, Header]:
    """Decode one greyscale frame; VOI windows and LUTs are left aside, as MIMIC's authors did.

    Args:
        data: A DICOM file with preamble.

    Returns:
        8-bit grey image (air black) and what the header says.

    Raises:
        PixelsError: No or undecodable pixel data, more than one frame, colour, or constant; its
            `header` holds what could be read before.
        CodecMissingError: The package that decodes this transfer syntax is not installed.
    """
    header = NO_HEADER
    try:
        with warnings.catch_warnings():  # pydicom's on values that it would write otherwise
            warnings.simplefilter("ignore")
            file = _read(data)
            header = Header(*(_text(file.dataset.get(name)) for name in HEADER_KEYWORDS))
            return _grey(file), header
    except PixelsError as error:
        error.header = header
        raise
    except (MemoryError, CodecMissingError):
        raise
    except Exception as error:  # pydicom and its plugins raise many types on damaged files
        failed = PixelsError(f"DICOM undecodable: {one_line(error)}")
        failed.header = header
        raise failed from error


def _read(data: bytes) -> _File:
    """Read the file meta information and the elements before the pixel data."""
    stream = BytesIO(data)
    stream.seek(META_START)
    meta = read_dataset(stream, False, True, stop_when=_after_meta, specific_tags=[SYNTAX])
    syntax = UID(str(_needed(meta, "TransferSyntaxUID")))
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
        return _File(syntax, dataset, None, None, False)
    vr, start, length = found[-1]
    value = memoryview(data)[start : start + length]
    return _File(syntax, dataset, value, vr, length == UNDEFINED)


def _after_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return int(tag) >> 16 != 2


def _inflate(deflated: memoryview) -> bytes:
    """Inflate a dataset, within bounds."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(deflated, MAX_BYTES)
    if inflater.unconsumed_tail:
        raise PixelsError(f"oversized: inflates to more than {MAX_BYTES} bytes")
    return content


def _grey(file: _File) -> Image.Image:
    dataset = file.dataset
    if file.value is None:
        raise PixelsError("DICOM without pixel data")
    check_syntax(file.syntax)
    if file.encapsulated != file.syntax.is_encapsulated:
        raise PixelsError("DICOM undecodable: encapsulated otherwise than its transfer syntax says")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise PixelsError(f"DICOM with several frames: {frames}")
    meaning = _text(dataset.get("PhotometricInterpretation"))
    if meaning not in ("MONOCHROME1", "MONOCHROME2") or _number(dataset, "SamplesPerPixel") != 1:
        raise PixelsError(f"DICOM in colour: {meaning}")
    rows, columns = _number(dataset, "Rows"), _number(dataset, "Columns")
    check_size(rows, columns)
    frame = Frame(
        syntax=file.syntax,
        value=file.value,
        vr=file.vr,
        rows=rows,
        columns=columns,
        allocated=_number(dataset, "BitsAllocated"),
        stored=_number(dataset, "BitsStored"),
        signed=_number(dataset, "PixelRepresentation") == 1,
    )
    words = decode(frame)
    counts = count(words)
    values = _without_padding(_values(frame, dataset, counts.size), counts, dataset)
    falling = float(dataset.get("RescaleSlope") or 1) < 0
    levels = published_levels(counts, values, invert=(meaning == "MONOCHROME1") != falling)
    return Image.fromarray(look_up(equalising_table(counts, levels), words))


def published_levels(counts: Ints, values: Ints, *, invert: bool) -> Grey8:
    """The grey of each word in MIMIC-CXR-JPG, before its histogram is equalised.

    Johnson et al. 2019 (arXiv:1901.07042), code in github.com/MIT-LCP/mimic-cxr/issues/16:
    subtract the minimum, divide by the maximum, times 255 to uint8, invert MONOCHROME1. In this
    order: the fraction is cut off, so that a rounding error can move half of an image by a level,
    and equalisation makes much of that.

    Args:
        counts: How often each word is there.
        values: The number that each word stands for; same shape.
        invert: Whether high values are black.

    Returns:
        uint8, same shape.

    Raises:
        PixelsError: The image is constant, so there is no range to stretch.
    """
    low, high = ends(counts, values)
    levels = ((values.clip(low, high) - low) / (high - low) * 255).astype(np.uint8)
    return np.invert(levels) if invert else levels


def _values(frame: Frame, dataset: Dataset, words: int) -> Ints:
    """The number that each word stands for; bits that are not stored may hold anything."""
    values = np.arange(words)
    stored = frame.stored
    high = stored - 1
    if not PLUGINS[frame.syntax]:  # a codec gives numbers, whose lowest bit is the lowest
        high = int(dataset.get("HighBit") or high)
    if not stored - 1 <= high < frame.allocated:
        raise PixelsError(f"DICOM undecodable: high bit {high} of {stored} bits")
    values = (values >> (high + 1 - stored)) & ((1 << stored) - 1)
    if frame.signed:
        values -= (values >> (stored - 1)) << stored
    return values


def _without_padding(values: Ints, counts: Ints, dataset: Dataset) -> Ints:
    """Keep declared padding from stretching the range: it counts as the end that is nearest."""
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return values
    # Its sign may be another than the pixels': a word has one meaning only.
    ends = [int(first), int(dataset.get("PixelPaddingRangeLimit") or first)]
    low, high = sorted(int(values[end % values.size]) for end in ends)
    padding = (values >= low) & (values <= high)
    there = values[(counts > 0) & ~padding]
    return values.clip(there.min(), there.max()) if there.size else values


def _needed(dataset: Dataset, keyword: str) -> Any:
    value = dataset.get(keyword)
    if value is None:
        raise PixelsError(f"DICOM undecodable: no {keyword}")
    return value


def _number(dataset: Dataset, keyword: str) -> int:
    return int(_needed(dataset, keyword))


def _text(value: Any) -> str | None:
    r"""A code string as one short line; several values as DICOM writes them, L\F."""
    if value is None:
        return None
    values = [value] if isinstance(value, str) else value
    text = "\\".join(map(str, values))
    return "".join(filter(str.isprintable, text)).strip()[:64] or None

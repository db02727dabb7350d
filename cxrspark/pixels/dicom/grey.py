"""DICOM bytes to 8-bit grey, by the steps that MIMIC-CXR's published JPEGs were made with."""

from __future__ import annotations

import warnings

import numpy as np
from PIL import Image

from cxrspark.pixels.equalise import count, ends, equalising_table, look_up
from cxrspark.pixels.image import NO_HEADER, Grey8, Header, Ints, PixelsError, check_size, one_line

try:
    from pydicom import Dataset

    from cxrspark.pixels.dicom.file import HEADER_KEYWORDS, File, needed, read, text
    from cxrspark.pixels.dicom.frame import PLUGINS, CodecMissingError, Frame, check_syntax, decode
except ImportError as error:  # a fact about this executor, not about the image
    raise RuntimeError("reading DICOM needs pip install cxrspark[dicom] there") from error


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
            file = read(data)
            header = Header(*(text(file.dataset.get(name)) for name in HEADER_KEYWORDS))
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


def _grey(file: File) -> Image.Image:
    dataset = file.dataset
    if file.value is None:
        raise PixelsError("DICOM without pixel data")
    check_syntax(file.syntax)
    if file.encapsulated != file.syntax.is_encapsulated:
        raise PixelsError("DICOM undecodable: encapsulated otherwise than its transfer syntax says")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise PixelsError(f"DICOM with several frames: {frames}")
    meaning = text(dataset.get("PhotometricInterpretation"))
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


def _number(dataset: Dataset, keyword: str) -> int:
    return int(needed(dataset, keyword))

"""DICOM bytes to 8-bit grey, by the steps that MIMIC-CXR's published JPEGs were made with."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from cxrspark.pixels.equalise import count, ends, equalising_table, look_up
from cxrspark.pixels.image import (
    NO_HEADER,
    Grey8,
    Header,
    Ints,
    PixelsError,
    Words,
    check_size,
    one_line,
)
from cxrspark.pixels.luminance import luminance
from cxrspark.pixels.picture_file import DRAFT_SIDE

try:
    from pydicom import Dataset

    from cxrspark.pixels.dicom.elements import header_of, integer, is_negative, needed
    from cxrspark.pixels.dicom.file import File, read
    from cxrspark.pixels.dicom.frame import Frame, Samples, decode_native
    from cxrspark.pixels.dicom.palette import palette_luminance
    from cxrspark.pixels.dicom.stream import CodecMissingError, decode_stream, is_encapsulated
except ImportError as error:  # a fact about this executor, not about the image
    raise RuntimeError("reading DICOM needs pip install cxrspark[dicom] there") from error

PALETTE = "PALETTE COLOR"

DARK = 1 / 128
"""Of the range: where noise may make a level the darkest."""

DARK_SHARE = 1 / 12
"""Of the pixels: less of them move what is equalised by few levels."""

OVERSHOOT = 1 / 100
"""Of the pixels at most: darker than any at full size, where a border is sharp and the wavelets of
low resolution ring."""


class DicomPicture(NamedTuple):
    """One frame of a DICOM file.

    Attributes:
        words: uint8 or uint16, as decoded: at full size or, of JPEG 2000, at an eighth.
        table: Grey of each word: uint8, air black.
        rows: As stored.
        columns: As stored.
        header: What the file says of the image.
    """

    words: Words
    table: Grey8
    rows: int
    columns: int
    header: Header

    @property
    def grey(self) -> Image.Image:
        """8-bit grey, of the shape of `words`."""
        return Image.fromarray(look_up(self.table, self.words))

    @property
    def is_whole(self) -> bool:
        """Whether it is at full size."""
        return self.words.shape == (self.rows, self.columns)


def read_dicom(data: bytes, *, may_shrink: bool = True) -> DicomPicture:
    """Decode one frame; VOI windows and LUTs are left aside, as MIMIC's authors did.

    Args:
        data: A DICOM file, for which `cxrspark.pixels.dicom.sniff.is_dicom` holds.
        may_shrink: Whether JPEG 2000 may come at an eighth, where that leaves `DRAFT_SIDE`.

    Returns:
        The picture; of colour its luminance.

    Raises:
        PixelsError: No or undecodable pixel data, more than one frame, or constant; its `header`
            holds what could be read before.
        CodecMissingError: The package that decodes this file is not installed.
    """
    header = NO_HEADER
    try:
        with warnings.catch_warnings():  # pydicom's on values that it would write otherwise
            warnings.simplefilter("ignore")
            file = read(data)
            header = header_of(file.dataset)
            frame = _frame(file, header, may_shrink)
            picture = _words_and_table(frame, file, header)
            return DicomPicture(*picture, frame.rows, frame.columns, header)
    except PixelsError as error:
        error.header = header
        raise
    except (MemoryError, CodecMissingError):
        raise
    except ImportError as error:
        raise CodecMissingError("reading this DICOM needs pip install cxrspark[dicom]") from error
    except Exception as error:  # pydicom and the decoders raise many types on damaged files
        failed = PixelsError(f"DICOM undecodable: {one_line(error)}")
        failed.header = header
        raise failed from error


def _frame(file: File, header: Header, may_shrink: bool) -> Frame:
    """What the header says of the frame: as much as is needed of its kind of pixel data."""
    dataset = file.dataset
    if file.value is None:
        raise PixelsError("DICOM without pixel data")
    frames = integer(dataset, "NumberOfFrames") or 1
    if frames != 1:
        raise PixelsError(f"DICOM with several frames: {frames}")
    samples = integer(dataset, "SamplesPerPixel") or 1
    if samples not in (1, 3):
        raise PixelsError(f"DICOM unsupported: {samples} samples a pixel")
    rows, columns = needed(dataset, "Rows"), needed(dataset, "Columns")
    check_size(rows, columns)
    meaning = _meaning(header)
    return Frame(
        syntax=file.syntax,
        is_little_endian=file.is_little_endian,
        value=file.value,
        vr=file.vr,
        rows=rows,
        columns=columns,
        samples=samples,
        planar=integer(dataset, "PlanarConfiguration") == 1,
        halved=samples == 3 and meaning.endswith("_422"),
        allocated=integer(dataset, "BitsAllocated") or 0,
        stored=integer(dataset, "BitsStored") or 0,
        high=integer(dataset, "HighBit"),
        signed=integer(dataset, "PixelRepresentation") == 1,
        may_shrink=may_shrink and meaning != PALETTE and min(rows, columns) // 8 >= DRAFT_SIDE,
    )


def _words_and_table(frame: Frame, file: File, header: Header) -> tuple[Words, Grey8]:
    meaning = _meaning(header)
    decode = decode_stream if is_encapsulated(frame.value) else decode_native
    samples = decode(frame)
    words = samples.words
    if words.ndim == 3:
        is_luminance_first = meaning.startswith(("YBR_FULL", "YBR_PARTIAL"))
        red, green, blue = np.moveaxis(words, -1, 0)
        words = np.ascontiguousarray(red) if is_luminance_first else luminance(red, green, blue)
    counts = count(words)
    numbers = samples.numbers(np.arange(counts.size))
    if meaning == PALETTE:
        numbers = palette_luminance(file.dataset, file.is_little_endian, numbers)
    elif frame.samples == 1:
        numbers = _without_padding(numbers, counts, samples, file.dataset)
    invert = (meaning == "MONOCHROME1") != is_negative(file.dataset, "RescaleSlope")
    is_reduced = words.shape != (frame.rows, frame.columns)
    if is_reduced and _has_noisy_dark(counts, numbers, invert):
        return _words_and_table(replace(frame, may_shrink=False), file, header)
    levels = published_levels(counts, numbers, invert=invert)
    return words, equalising_table(counts, levels)


def _has_noisy_dark(counts: Ints, numbers: Ints, invert: bool) -> bool:
    """Whether a picture has too much at its dark end to be equalised at low resolution.

    The share of the darkest level is left out (see `equalising_table`), and of a dark border the
    noise decides how large that is; at low resolution there is less noise. A border of one value
    has none, and stays one.
    """
    low, high = ends(counts, numbers)
    lightness = -numbers if invert else numbers
    order = np.argsort(lightness, kind="stable")
    darker = np.cumsum(counts[order])
    end = lightness[order[np.searchsorted(darker, darker[-1] * OVERSHOOT)]]
    dark = (lightness < end + (high - low) * DARK) & (lightness != end)
    return bool(counts[dark].sum() > darker[-1] * DARK_SHARE)


def _meaning(header: Header) -> str:
    """The photometric interpretation; grey is white where it is high, if nothing else is said."""
    return (header.photometric_interpretation or "MONOCHROME2").upper()


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


def _without_padding(numbers: Ints, counts: Ints, samples: Samples, dataset: Dataset) -> Ints:
    """Keep declared padding from stretching the range: it counts as the end that is nearest."""
    first = integer(dataset, "PixelPaddingValue")
    if first is None:
        return numbers
    limit = integer(dataset, "PixelPaddingRangeLimit")
    # Its sign may be another than the pixels': a word has one meaning only.
    words = np.array([first, first if limit is None else limit])
    low, high = np.sort(samples.numbers(words))
    padding = (numbers >= low) & (numbers <= high)
    there = numbers[(counts > 0) & ~padding]
    return numbers.clip(there.min(), there.max()) if there.size else numbers

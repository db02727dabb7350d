"""Image bytes to 64×64 pixels: the one recipe that training, scoring and tests share."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from cxrspark.pixels.dicom.sniff import is_dicom
from cxrspark.pixels.equalise import look_up
from cxrspark.pixels.image import NO_HEADER, SIDE, Grey8, Pixels, PixelsError, Words
from cxrspark.pixels.native import sum_blocks
from cxrspark.pixels.picture_file import DRAFT_SIDE, read_picture

if TYPE_CHECKING:
    from cxrspark.pixels.dicom.grey import DicomPicture

PUBLISHED_QUALITY = 95
"""Of MIMIC-CXR-JPG's files."""

BLOCK_SIDE = 8
"""Rows and columns of a JPEG's blocks."""


def shrink(data: bytes) -> Pixels:
    """Decode an image and average it down to 64×64; the aspect ratio is not kept.

    The format is told by content: DICOM, or one of `cxrspark.pixels.formats.PICTURES` in any depth
    and colour. DICOM goes through the steps by which MIMIC-CXR-JPG was made (see
    `cxrspark.pixels.dicom.grey`), other grey of more than 8 bits is stretched and equalised as
    well; 8-bit grey is taken as it is.

    Args:
        data: The whole file.

    Returns:
        uint8 pixels, shape (64, 64), air black, with the rows and columns of the original and
        what its header says, if it is DICOM.

    Raises:
        PixelsError: Empty, not an image, truncated, oversized, smaller than 64×64 or constant.
        RuntimeError: DICOM, and a package that reads it is not installed here.
    """
    if not data:
        raise PixelsError("empty file")
    if is_dicom(data):
        from cxrspark.pixels.dicom.grey import read_dicom  # pydicom is optional

        picture = read_dicom(data)
        rows, columns, header = picture.rows, picture.columns, picture.header
        grey = _as_published(picture) if picture.is_whole else picture.grey
    else:
        grey, rows, columns = read_picture(data)
        header = NO_HEADER
    values = np.asarray(_area_average(grey))
    if values.min() == values.max():
        error = PixelsError(f"constant image: every pixel is {values.flat[0]}")
        error.header = header
        raise error
    return Pixels(values, rows, columns, header)


def _as_published(picture: DicomPicture) -> Image.Image:
    """What `read_picture` makes of the JPEG that is made of a DICOM image, to the last bit."""
    if min(picture.words.shape) // BLOCK_SIDE < DRAFT_SIDE:
        file = BytesIO()
        picture.grey.save(file, "JPEG", quality=PUBLISHED_QUALITY)
        return read_picture(file.getvalue())[0]
    return Image.fromarray(_block_means(picture.words, picture.table))


def _block_means(words: Words, table: Grey8) -> Grey8:
    """Decode the JPEG of `table[words]` of `PUBLISHED_QUALITY` at 1/8, without making it.

    A block's mean is all that such a decoder looks at. It is kept in quarters of a grey level,
    rounded, and comes out as a whole one, its halves rounded up (ITU-T T.81, A.3; libjpeg).

    Args:
        words: uint8 or uint16, shape (rows, columns).
        table: uint8, the grey of each word.

    Returns:
        uint8, an eighth of the rows and of the columns; borders are repeated to whole blocks.
    """
    sums = sum_blocks(words, table)
    if sums is None:
        sums = _sum_blocks(look_up(table, words))
    centred = sums.astype(np.int32) - 64 * 128
    quarters = (np.abs(centred) + 8) // 16 * np.sign(centred)  # halves go away from zero
    return np.asarray(((quarters + 2) // 4 + 128).clip(0, 255).astype(np.uint8))


def _sum_blocks(grey: Grey8) -> Words:
    """See `cxrspark.pixels.native.sum_blocks`."""
    rows, columns = (-side % BLOCK_SIDE for side in grey.shape)
    if rows or columns:
        grey = np.pad(grey, ((0, rows), (0, columns)), "edge")
    high, wide = (side // BLOCK_SIDE for side in grey.shape)
    sums = grey.reshape(high, BLOCK_SIDE, -1).sum(axis=1, dtype=np.uint16)
    for side in (4, 2, 1):  # several times as fast as a sum over so short an axis
        sums = sums.reshape(high, wide * side, 2)
        sums = sums[..., 0] + sums[..., 1]
    return np.asarray(sums[..., 0] if sums.ndim == 3 else sums)


def _area_average(grey: Image.Image) -> Image.Image:
    return grey.resize((SIDE, SIDE), Image.Resampling.BOX)

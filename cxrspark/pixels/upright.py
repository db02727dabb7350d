"""Copies of images set upright by what the scores table says; the archive stays as it is."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Word = TypeVar("Word", np.uint8, np.uint16)


def upright(
    grey: npt.NDArray[Word],
    turn: int | None,
    inverted: bool | None,
    mirrored: bool | None,
    *,
    most: int | None = None,
) -> npt.NDArray[Word]:
    """Turn, mirror back and invert a copy of an image.

    Args:
        grey: uint8 or uint16, shape (rows, columns).
        turn: Degrees clockwise: 0, 90, 180 or 270, as in the scores table's `turn`; null and NaN
            turn nothing, and likewise of the others.
        inverted: Exchange black and white.
        mirrored: Exchange left and right, after the turn.
        most: The grey that stands for white; the largest of the type where not given, as a
            picture of 12 bits may be kept in 16.

    Returns:
        A new array; of a quarter turn with rows and columns exchanged.

    Raises:
        ValueError: A turn by another angle.
    """
    degrees = 0 if _unknown(turn) else int(turn or 0)
    if degrees % 90:
        raise ValueError(f"turn by {degrees} degrees: give 0, 90, 180 or 270")
    copy = np.rot90(grey, -degrees // 90)
    if not _unknown(mirrored) and mirrored:
        copy = copy[:, ::-1]
    if not _unknown(inverted) and inverted:
        white = np.iinfo(grey.dtype).max if most is None else most
        copy = (white - copy).astype(grey.dtype)
    return np.array(copy)


def _unknown(value: object) -> bool:
    return value is None or value != value  # NaN, and pandas' missing values, differ from all

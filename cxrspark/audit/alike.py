"""How alike two pictures are, and codes that pictures which are the same have in common."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cxrspark.pixels.image import SIDE, Grey8

Floats = npt.NDArray[np.float32]

SAME, SAME_DETAIL = 0.97, 0.8
"""Least correlation of the greys' ranks, and of what is left of them without a blur, in pictures
that are the same. Measured on 7,421 radiographs of five sources (27 million pairs of different
patients: 8 reach the first, none the second) and on 2,400 copies that were compressed, resized or
given another contrast (99 % reach 0.98 and 0.87). A film whose background has greys of 0 and 1
alone loses it when darkened, and with it half of its ranks: that copy is not found."""

BLUR = 4
"""Pixels on each side that a blurred pixel is the mean of."""

CELLS = 16
"""Rows and columns of what codes are made of."""

BANDS = 12
"""Codes of a picture."""

BITS, LEAST_BITS = 24, 10
"""Length of the codes of 377,110 pictures, and of the shortest. Of the pairs above one in 31,000
has a code of 24 bits in common."""

COMPONENTS = 40
"""Principal components that codes are made of: what differs between patients, hardly noise."""

FAR = 0.15
"""Share of all codes' bits that differs at most in pictures that are the same (0.12 was seen)."""


def ranks(pixels: Grey8) -> Floats:
    """The share of a picture's pixels that are darker: the same whatever its contrast.

    Args:
        pixels: Shape (n, 64, 64).

    Returns:
        -0.5 to 0.5, same shape; half of the pixels that are as dark count.
    """
    flat = pixels.reshape(len(pixels), -1)
    found = np.empty(flat.shape, np.float32)
    for row, greys in zip(found, flat, strict=True):
        count = np.bincount(greys, minlength=256)
        below = (np.cumsum(count) - count / 2) / greys.size - 0.5
        row[:] = below[greys]
    return found.reshape(pixels.shape)


def detail(ranked: Floats) -> Floats:
    """What a blur takes away; same shape."""
    wide = 2 * BLUR + 1
    sums = np.pad(ranked, ((0, 0), (BLUR + 1, BLUR), (BLUR + 1, BLUR)), "edge")
    sums[:, 0], sums[:, :, 0] = 0, 0
    sums = sums.cumsum(1, dtype=np.float64).cumsum(2)
    boxes = sums[:, wide:, wide:] - sums[:, :-wide, wide:]
    boxes -= sums[:, wide:, :-wide] - sums[:, :-wide, :-wide]
    return np.asarray(ranked - boxes / wide**2, np.float32)


def are_same(first: Grey8, second: Grey8) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which pairs of pictures are the same one, and how alike they are.

    Args:
        first: Shape (n, 64, 64).
        second: Same.

    Returns:
        Whether both correlations are at least `SAME` and `SAME_DETAIL`, and the smaller of the
        two, or the first where that is below `SAME`; shape (n,).
    """
    one, other = ranks(first), ranks(second)
    alike = _correlation(one, other)
    same = alike >= SAME
    fine = _correlation(detail(one[same]), detail(other[same]))
    alike[same] = np.minimum(alike[same], fine)
    same[same] = fine >= SAME_DETAIL
    return same, alike


@dataclass(frozen=True)
class Coder:
    """Makes codes by signs of random projections (Charikar 2002) of whitened pictures.

    Attributes:
        mean: Of an archive's pictures, shape (`CELLS`²,).
        planes: Shape (`CELLS`², `BANDS`, bits of a code).
    """

    mean: Floats
    planes: Floats

    @classmethod
    def of(cls, pixels: Grey8, pictures: int) -> Coder:
        """Fit to a sample, shape (n, 64, 64), of an archive of `pictures`.

        Twice the pictures take a bit more, so that each shares its codes with as many others.
        """
        bits = max(LEAST_BITS, round(BITS + math.log2(pictures / 377_110)))
        cells = _cells(pixels)
        mean = cells.mean(0)
        _, lengths, axes = np.linalg.svd(cells - mean, full_matrices=False)
        there = int((lengths > lengths[0] * 1e-6).sum())
        known = min(COMPONENTS, there, max(4, len(pixels) // 10))  # of few, the rest is noise
        whitened = axes[:known] / lengths[:known, None]
        random = np.random.default_rng(0).normal(size=(known, BANDS * bits))
        planes = (whitened.T @ random).reshape(-1, BANDS, bits)
        return cls(mean, np.asarray(planes, np.float32))

    @property
    def far(self) -> int:
        """Bits of all codes that differ at most in pictures that are the same."""
        return int(FAR * self.planes[0].size)

    def codes(self, pixels: Grey8) -> npt.NDArray[np.int64]:
        """Codes of pictures, shape (n, `BANDS`); those of different bands are never equal."""
        bits = self.planes.shape[2]
        signs = np.tensordot(_cells(pixels) - self.mean, self.planes, 1) > 0
        codes = signs @ (1 << np.arange(bits, dtype=np.int64))
        return np.asarray(codes + (np.arange(BANDS, dtype=np.int64) << bits))


def as_pixels(rows: list[bytes]) -> Grey8:
    """Shape (n, 64, 64)."""
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, SIDE, SIDE)


def _cells(pixels: Grey8) -> Floats:
    step = SIDE // CELLS
    blocks = ranks(pixels).reshape(-1, CELLS, step, CELLS, step)
    return np.asarray(blocks.mean((2, 4)).reshape(len(pixels), -1))


def _correlation(one: Floats, other: Floats) -> Floats:
    a, b = (x.reshape(-1, SIDE**2) - x.mean((1, 2))[:, None] for x in (one, other))
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(1) / np.maximum(length, 1e-9), np.float32)

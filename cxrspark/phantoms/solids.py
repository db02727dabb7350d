"""Ellipsoids to build a phantom of, and what tissues do to X-rays."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Matrix: TypeAlias = npt.NDArray[np.float64]
Vector: TypeAlias = tuple[float, float, float] | npt.NDArray[np.float64]


class Slab(NamedTuple):
    """The points p, in mm, with low <= normal . p <= high."""

    normal: Vector
    low: float
    high: float


class Ellipsoid(NamedTuple):
    """A solid ellipsoid, optionally cut by slabs."""

    centre: Vector
    """mm"""
    axes: Vector
    """Half axes, mm."""
    turn: Matrix = np.eye(3)
    """Unit vectors of the three half axes, one a row."""
    cuts: tuple[Slab, ...] = ()


Layer: TypeAlias = tuple[Ellipsoid, float]
"""A solid and what it attenuates more than its surroundings, 1/mm."""

SOFT = 0.0185
"""Attenuation of soft tissue, 1/mm: water at 80 keV (NIST XCOM)."""
LUNG = 0.0045
"""Attenuation of inflated lung, 1/mm: a quarter of soft tissue's."""
COMPACT, SPONGY, METAL = 0.024, 0.008, 0.25
"""What cortical bone, cancellous bone and metal attenuate more than soft tissue, 1/mm."""


def turned(x: float = 0, y: float = 0, z: float = 0) -> Matrix:
    """The unit axes after turning about x, then y, then z, in degrees; one a row."""
    product = np.eye(3)
    for axis, angle in enumerate(np.radians((x, y, z))):
        step, plane = np.eye(3), ((axis + 1) % 3, (axis + 2) % 3)
        cos, sin = np.cos(angle), np.sin(angle)
        step[np.ix_(plane, plane)] = (cos, -sin), (sin, cos)
        product = step @ product
    return product.T.copy()


def rod(start: Vector, end: Vector, radius: float, stretch: float = 1.0) -> Ellipsoid:
    """A long ellipsoid from one point to another, its first axis along them.

    Args:
        start: mm.
        end: mm.
        radius: mm, of the middle.
        stretch: Half length over half the distance of the points.
    """
    path = np.subtract(end, start)
    reach = float(np.linalg.norm(path))
    along = path / reach
    side = np.cross(along, (1, 0, 0) if abs(along[0]) < 0.8 else (0, 1, 0))
    side /= np.linalg.norm(side)
    turn = np.array((along, side, np.cross(along, side)))
    return Ellipsoid(np.add(start, end) / 2, (reach / 2 * stretch, radius, radius), turn)

"""Ellipsoids to build a phantom of, and what tissues do to X-rays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vector: TypeAlias = tuple[float, float, float]
Axes: TypeAlias = tuple[Vector, Vector, Vector]

UPRIGHT: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Slab:
    """The points p, in mm, with low <= normal . p <= high."""

    normal: Vector
    low: float
    high: float


@dataclass(frozen=True)
class Ellipsoid:
    """A solid ellipsoid, optionally cut by slabs."""

    centre: Vector
    """mm"""
    axes: Vector
    """Half axes, mm."""
    turn: Axes = UPRIGHT
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


def vector(values: npt.ArrayLike) -> Vector:
    """Three numbers as a tuple of floats."""
    x, y, z = (float(value) for value in np.asarray(values))
    return x, y, z


def turned(x: float = 0, y: float = 0, z: float = 0) -> Axes:
    """The unit axes after turning about x, then y, then z, in degrees; one a row."""
    product = np.eye(3)
    for axis, angle in enumerate((x, y, z)):
        cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        step = np.eye(3)
        one, other = (axis + 1) % 3, (axis + 2) % 3
        step[one, one], step[one, other], step[other, one], step[other, other] = cos, -sin, sin, cos
        product = step @ product
    return vector(product[:, 0]), vector(product[:, 1]), vector(product[:, 2])


def rod(start: Vector, end: Vector, radius: float, stretch: float = 1.0) -> Ellipsoid:
    """A long ellipsoid from one point to another.

    Args:
        start: mm.
        end: mm.
        radius: mm, of the middle.
        stretch: Half length over half the distance of the points.

    Returns:
        The ellipsoid; its first axis runs from start to end.
    """
    path = np.subtract(end, start)
    reach = float(np.linalg.norm(path))
    along = path / reach
    side = np.cross(along, UPRIGHT[0] if abs(along[0]) < 0.8 else UPRIGHT[1])
    side /= np.linalg.norm(side)
    axes = (vector(along), vector(side), vector(np.cross(along, side)))
    return Ellipsoid(vector(np.add(start, end) / 2), (reach / 2 * stretch, radius, radius), axes)

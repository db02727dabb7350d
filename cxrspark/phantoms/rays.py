"""X-rays through ellipsoids: which stretch of each ray lies inside a shape, and how long it is.

A ray leaves a point source, crosses the plane through the origin at p = u right + v up and goes on;
its points are p + t (p + distance beam). Stretches are measured in t, so that t = -1 is the source,
and turned into mm once, at the end, by `Rays.slant`. As p is linear in u and v, so is every scalar
product with it, and one broadcast addition makes each for the whole picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cxrspark.phantoms.solids import Ellipsoid, Slab, Vector, vector

Floats: TypeAlias = npt.NDArray[np.float32]
Span: TypeAlias = tuple[Floats, Floats]
"""Where each ray enters and leaves a convex shape, as t; a miss has leave <= enter."""


@dataclass(frozen=True)
class Rays:
    """One ray a pixel, from a point source through a grid in the plane through the origin."""

    u: Floats
    """mm to the right, shape (columns,)."""
    v: Floats
    """mm upwards, shape (rows,)."""
    right: Vector
    up: Vector
    beam: Vector
    """Unit vectors in the body's coordinates; the beam points from source to detector."""
    distance: float
    """Source to origin, mm."""

    @property
    def slant(self) -> Floats:
        """Source to plane along each ray, mm, shape (rows, columns)."""
        squares = self.v[:, None] ** 2 + self.u**2 + np.float32(self.distance**2)
        return np.asarray(np.sqrt(squares))

    def window(self, rows: slice, columns: slice) -> Rays:
        """Some of the rays."""
        return replace(self, u=self.u[columns], v=self.v[rows])

    def along(self, direction: Vector, start: float) -> Floats:
        """Scalar product of each ray's p with a vector, plus a number; shape (rows, columns)."""
        down = np.float32(np.dot(direction, self.up)) * self.v + np.float32(start)
        return down[:, None] + np.float32(np.dot(direction, self.right)) * self.u


def cast(
    shape: tuple[int, int],
    step: float,
    centre: tuple[float, float],
    frame: npt.NDArray[np.float64],
    distance: float,
) -> Rays:
    """Lay out the rays of one exposure.

    Args:
        shape: Rows and columns of the grid.
        step: mm between pixels, measured in the plane through the origin.
        centre: v and u of the middle of the grid, mm.
        frame: shape (3, 3), rows are the unit vectors right, up and beam.
        distance: Source to origin, mm.

    Returns:
        The rays; the first row is the uppermost.
    """
    rows, columns = shape
    v = centre[0] - step * (np.arange(rows) - (rows - 1) / 2)
    u = centre[1] + step * (np.arange(columns) - (columns - 1) / 2)
    right, up, beam = (vector(axis) for axis in frame)
    return Rays(u.astype(np.float32), v.astype(np.float32), right, up, beam, distance)


def span(rays: Rays, solid: Ellipsoid) -> Span:
    """Intersect every ray with an ellipsoid and its cuts.

    In the coordinates in which the ellipsoid is the unit sphere, q is the ray's p and q + k its
    direction, where k does not depend on the ray. |q + t (q + k)|^2 = 1 is then quadratic in t.

    Args:
        rays: shape (rows, columns).
        solid: The shape.

    Returns:
        Two float32 arrays, shape (rows, columns).
    """
    far = np.add(solid.centre, np.multiply(rays.distance, rays.beam))
    across = np.asarray(solid.turn) / np.asarray(solid.axes)[:, None]
    shift, k = across @ solid.centre, across @ far
    qq: Floats = np.zeros(1, np.float32)
    for axis, start in zip(across, shift, strict=True):
        qq = qq + np.square(rays.along(vector(axis), -float(start)))
    qk = rays.along(vector(k @ across), -float(k @ shift))
    b = qq + qk
    a = b + qk + np.float32(k @ k)
    middle = b / a
    half = np.sqrt(np.maximum(middle * b - qq + 1, 0) / a)
    found = (-middle - half, half - middle)
    return reduce(meet, (slab_span(rays, cut) for cut in solid.cuts), found)


def slab_span(rays: Rays, cut: Slab) -> Span:
    """As `span`, for a slab."""
    height = rays.along(cut.normal, 0)
    climb = height + np.float32(rays.distance * np.dot(cut.normal, rays.beam))
    climb = np.where(np.abs(climb) < 1e-3, np.float32(1e-3), climb)
    one, other = (np.float32(cut.low) - height) / climb, (np.float32(cut.high) - height) / climb
    return np.minimum(one, other), np.maximum(one, other)


def meet(one: Span, other: Span) -> Span:
    """The stretch that lies in both."""
    return np.maximum(one[0], other[0]), np.minimum(one[1], other[1])


def length(found: Span) -> Floats:
    """Length of the stretch as a difference of t; 0 where a ray misses."""
    return np.maximum(found[1] - found[0], 0)


def union_length(spans: Sequence[Span]) -> Floats:
    """Length of each ray that lies in at least one of several shapes.

    With entries and exits each in order, a ray is outside of all shapes between an exit and the
    next entry wherever the entry comes later.

    Args:
        spans: At least one, all of one shape.

    Returns:
        Difference of t, float32, same shape.
    """
    enters = _in_order([enter for enter, _ in spans])
    leaves = _in_order([np.maximum(enter, leave) for enter, leave in spans])
    total = leaves[-1] - enters[0]
    for leave, enter in zip(leaves[:-1], enters[1:], strict=True):
        total -= np.maximum(enter - leave, 0)
    return total


def _in_order(arrays: list[Floats]) -> list[Floats]:
    """Sort several arrays pixel by pixel, by odd-even transposition."""
    arrays = list(arrays)
    for turn in range(len(arrays)):
        for left in range(turn % 2, len(arrays) - 1, 2):
            one, other = arrays[left], arrays[left + 1]
            arrays[left], arrays[left + 1] = np.minimum(one, other), np.maximum(one, other)
    return arrays


def add_path(total: Floats, rays: Rays, solid: Ellipsoid, per_mm: float) -> None:
    """Add a shape's path length times a coefficient, in place, touching only its shadow.

    Args:
        total: shape (rows, columns), changed.
        rays: Same shape.
        solid: The shape.
        per_mm: Attenuation of the shape minus that of what it replaces, 1/mm.
    """
    shrink = rays.distance / (rays.distance + float(np.dot(solid.centre, rays.beam)))
    spread = np.multiply(solid.turn, np.asarray(solid.axes)[:, None])
    box = []
    for axis, places in ((rays.up, -rays.v), (rays.right, rays.u)):
        middle = float(np.dot(solid.centre, axis)) * shrink * (-1 if places is not rays.u else 1)
        half = 1.1 * float(np.linalg.norm(spread @ axis)) * shrink
        low, high = np.searchsorted(places, (middle - half, middle + half))
        box.append(slice(int(low), int(high)))
    rows, columns = box
    part = rays.window(rows, columns)
    if part.u.size and part.v.size:
        total[rows, columns] += np.float32(per_mm) * length(span(part, solid))

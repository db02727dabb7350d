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

from cxrspark.phantoms.solids import Ellipsoid, Matrix, Slab, Vector

Floats: TypeAlias = npt.NDArray[np.float32]
"""One value a ray, shape (rows, columns), where nothing else is said."""
Span: TypeAlias = tuple[Floats, Floats]
"""Where each ray enters and leaves a convex shape, as t; a miss has leave <= enter."""


@dataclass(frozen=True)
class Rays:
    """One ray a pixel, from a point source through a grid in the plane through the origin."""

    u: Floats
    """mm to the right, shape (columns,)."""
    v: Floats
    """mm upwards, shape (rows,)."""
    frame: Matrix
    """Unit vectors right, up and beam, one a row; the beam points from source to detector."""
    distance: float
    """Source to origin, mm."""

    @property
    def slant(self) -> Floats:
        """Source to plane along each ray, mm."""
        squares = self.v[:, None] ** 2 + self.u**2 + np.float32(self.distance**2)
        return np.asarray(np.sqrt(squares))

    def window(self, rows: slice, columns: slice) -> Rays:
        """Some of the rays."""
        return replace(self, u=self.u[columns], v=self.v[rows])

    def along(self, direction: Vector, start: float) -> Floats:
        """Scalar product of each ray's p with a vector, plus a number."""
        down = np.float32(np.dot(direction, self.frame[1])) * self.v + np.float32(start)
        return down[:, None] + np.float32(np.dot(direction, self.frame[0])) * self.u


def cast(
    shape: tuple[int, int], step: float, centre: tuple[float, float], frame: Matrix, distance: float
) -> Rays:
    """Lay out the rays of one exposure, the first row uppermost.

    Args:
        shape: Rows and columns of the grid.
        step: mm between pixels, measured in the plane through the origin.
        centre: v and u of the middle of the grid, mm.
        frame: Of `Rays`.
        distance: Source to origin, mm.
    """
    rows, columns = shape
    v = centre[0] - step * (np.arange(rows) - (rows - 1) / 2)
    u = centre[1] + step * (np.arange(columns) - (columns - 1) / 2)
    return Rays(u.astype(np.float32), v.astype(np.float32), frame, distance)


def span(rays: Rays, solid: Ellipsoid) -> Span:
    """Intersect every ray with an ellipsoid and its cuts.

    In the coordinates in which the ellipsoid is the unit sphere, q is the ray's p and q + k its
    direction, where k does not depend on the ray. |q + t (q + k)|^2 = 1 is then quadratic in t.
    """
    far = np.add(solid.centre, np.multiply(rays.distance, rays.frame[2]))
    across = solid.turn / np.asarray(solid.axes)[:, None]
    shift, k = across @ solid.centre, across @ far
    qq: Floats = np.zeros(1, np.float32)
    for axis, start in zip(across, shift, strict=True):
        qq = qq + np.square(rays.along(axis, -start))
    qk = rays.along(k @ across, -float(k @ shift))
    b = qq + qk
    a = b + qk + np.float32(k @ k)
    middle = b / a
    half = np.sqrt(np.maximum(middle * b - qq + 1, 0) / a)
    found = (-middle - half, half - middle)
    return reduce(meet, (slab_span(rays, cut) for cut in solid.cuts), found)


def slab_span(rays: Rays, cut: Slab) -> Span:
    """As `span`, for a slab."""
    height = rays.along(cut.normal, 0)
    climb = height + np.float32(rays.distance * np.dot(cut.normal, rays.frame[2]))
    climb = np.where(np.abs(climb) < 1e-3, np.float32(1e-3), climb)
    one, other = (np.float32(cut.low) - height) / climb, (np.float32(cut.high) - height) / climb
    return np.minimum(one, other), np.maximum(one, other)


def meet(one: Span, other: Span) -> Span:
    """The stretch that lies in both."""
    return np.maximum(one[0], other[0]), np.minimum(one[1], other[1])


def length(found: Span) -> Floats:
    """Length of the stretch as a difference of t; 0 where a ray misses."""
    stretch: Floats = np.maximum(found[1] - found[0], 0)
    return stretch


def union_length(spans: Sequence[Span]) -> Floats:
    """Length of each ray, as a difference of t, that lies in at least one of several shapes.

    With entries and exits each in order, a ray is outside of all shapes between an exit and the
    next entry wherever the entry comes later.
    """
    enters = np.sort([enter for enter, _ in spans], axis=0)
    leaves = np.sort([np.maximum(enter, leave) for enter, leave in spans], axis=0)
    total: Floats = leaves[-1] - enters[0]
    for gap in np.maximum(enters[1:] - leaves[:-1], 0):
        total -= gap
    return total


def add_path(total: Floats, rays: Rays, solid: Ellipsoid, per_mm: float) -> None:
    """Add a shape's path length times a coefficient, in place, touching only its shadow.

    Args:
        total: Changed.
        rays: Of the same shape.
        solid: The shape.
        per_mm: Attenuation of the shape minus that of what it replaces, 1/mm.
    """
    right, up, beam = rays.frame
    shrink = rays.distance / (rays.distance + float(np.dot(solid.centre, beam)))
    spread = solid.turn * np.asarray(solid.axes)[:, None]
    box = []
    for axis, places in ((-up, -rays.v), (right, rays.u)):
        middle = float(np.dot(solid.centre, axis)) * shrink
        half = 1.1 * float(np.linalg.norm(spread @ axis)) * shrink
        box.append(slice(*np.searchsorted(places, (middle - half, middle + half))))
    rows, columns = box
    total[rows, columns] += np.float32(per_mm) * length(span(rays.window(rows, columns), solid))


def add_shell(total: Floats, rays: Rays, outer: Ellipsoid, inner: Ellipsoid, per_mm: float) -> None:
    """As `add_path`, for what a shape leaves of another around it, which may be cut small."""

    def thickness(some: Rays) -> Floats:
        return length(span(some, outer)) - length(span(some, inner))

    grid = slice(None, None, 8)
    hit = np.nonzero(thickness(rays.window(grid, grid)))
    if hit[0].size:
        rows, columns = (slice(8 * max(0, int(h.min()) - 1), 8 * int(h.max()) + 16) for h in hit)
        total[rows, columns] += np.float32(per_mm) * thickness(rays.window(rows, columns))

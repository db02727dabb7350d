"""Chest phantoms: radiographs of people who do not exist, both views of a study from one body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import numpy as np

from cxrspark.phantoms.body import Body, random_body
from cxrspark.phantoms.film import Film, develop, finish, mottle, random_film
from cxrspark.phantoms.rays import (
    Floats,
    Rays,
    Span,
    add_path,
    cast,
    length,
    meet,
    slab_span,
    span,
    union_length,
)
from cxrspark.phantoms.solids import COMPACT, LUNG, SOFT, Slab, turned
from cxrspark.pixels.image import Grey8

Position = Literal["PA", "AP", "LATERAL", "LL"]
"""MIMIC's ViewPosition."""

FINEST = 400
"""Rows or columns, whichever are more, at which rays are traced; larger pictures are enlarged."""


@dataclass(frozen=True)
class Pose:
    """How the body stands before the detector."""

    yaw: float
    """Degrees about the body's long axis."""
    pitch: float
    """Degrees of the upper body towards the detector."""
    roll: float
    """Degrees in the picture's plane."""
    facing: int
    """1 or -1: in a lateral picture, the back on the right or on the left."""
    distance: float
    """Source to body, mm."""
    centre: tuple[float, float]
    """Up and right coordinate of the picture's middle, mm in the body's coordinates."""
    height: float
    """Of the picture, mm in the body's coordinates."""


@dataclass(frozen=True)
class View:
    """One exposure of a body."""

    position: Position
    rows: int
    columns: int
    body: Body
    pose: Pose
    film: Film

    @property
    def label(self) -> Literal["frontal", "lateral"]:
        """What a model should say."""
        return "frontal" if self.position in ("PA", "AP") else "lateral"


@dataclass(frozen=True)
class Study:
    """The frontal and the lateral exposure of one body."""

    frontal: View
    lateral: View


def phantom_study(
    seed: int | np.random.SeedSequence, rows: int, *, body: Body | None = None
) -> Study:
    """Draw a body and how it is exposed; nothing is computed yet.

    Args:
        seed: The same seed gives the same study, whatever the size.
        rows: Rows or columns of the pictures, whichever are more.
        body: Who is exposed; drawn where not given.

    Returns:
        A study; `render` makes its pictures.
    """
    rng = np.random.default_rng(seed)
    body = body or random_body(rng)
    bedside = rng.random() < 0.5
    frontal = _view(rng, body, "AP" if bedside else "PA", rows)
    lateral = _view(rng, body, "LL" if rng.random() < 0.3 else "LATERAL", rows)
    return Study(frontal, lateral)


def render(view: View) -> Grey8:
    """Compute a view's picture.

    Args:
        view: Of a study.

    Returns:
        uint8, shape (view.rows, view.columns), 0 = black, air black unless the film is inverted.
    """
    return finish(develop(attenuation(view), view.film), view.rows, view.columns, view.film)


def attenuation(view: View) -> Floats:
    """Integrate the attenuation coefficient along the rays of a view.

    Args:
        view: Of a study.

    Returns:
        float32, dimensionless, shape (rows, columns) of the view, or smaller in proportion where
        the view has more than `FINEST` on its longer side.
    """
    body, up = view.body, view.label == "lateral"
    limbs = body.arms_up if up else body.arms_down
    rays = _rays(view)
    total = SOFT * union_length([span(rays, solid) for solid in (*body.trunk, *limbs.flesh)])
    walls = span(rays, body.cage), span(rays, replace(body.cavity, cuts=()))
    cavity = span(rays, body.cavity)
    tissue = union_length([meet(cavity, span(rays, solid)) for solid in body.filled])
    air = np.maximum(length(cavity) - tissue, 0) * mottle(total.shape, view.film.seed)
    total -= (SOFT - LUNG) * air
    for rib in body.ribs:
        _add_rib(total, rays, rib, walls, 0.62 * COMPACT * body.person.bone)
    leads = body.leads if view.position == "AP" else ()
    for solid, per_mm in (*body.layers, *limbs.bones, *leads):
        add_path(total, rays, solid, per_mm)
    return np.maximum(total, 0) * np.float32(body.person.scale) * rays.slant


def _add_rib(
    total: Floats, rays: Rays, rib: tuple[Slab, ...], walls: tuple[Span, Span], per_mm: float
) -> None:
    """Add what a rib's slabs leave of the wall between two spans, in place."""
    grid = slice(None, None, 8)
    rough = _between_walls(rays.window(grid, grid), rib, _part(walls, grid, grid))
    hit = np.nonzero(rough)
    if hit[0].size == 0:
        return
    rows, columns = (slice(8 * max(0, int(h.min()) - 1), 8 * int(h.max()) + 16) for h in hit)
    found = _between_walls(rays.window(rows, columns), rib, _part(walls, rows, columns))
    total[rows, columns] += np.float32(per_mm) * found


def _between_walls(rays: Rays, rib: tuple[Slab, ...], walls: tuple[Span, Span]) -> Floats:
    piece = reduce(meet, (slab_span(rays, cut) for cut in rib))
    return length(meet(walls[0], piece)) - length(meet(walls[1], piece))


def _part(walls: tuple[Span, Span], rows: slice, columns: slice) -> tuple[Span, Span]:
    (a, b), (c, d) = walls
    return (a[rows, columns], b[rows, columns]), (c[rows, columns], d[rows, columns])


def _view(rng: np.random.Generator, body: Body, position: Position, rows: int) -> View:
    who, frontal = body.person, position in ("PA", "AP")
    tall = rng.random() < (0.6 if frontal else 0.75) - 0.25 * who.child
    long, short = rows, round(rows * 2544 / 3056)
    size = (long, short) if tall else (short, long)
    across = 300 * who.width if frontal else 235 * who.depth + 0.6 * who.fat
    top, bottom = 172 * who.height, who.dome - 85
    aspect = 3056 / 2544 if tall else 2544 / 3056
    loose = float(np.exp(rng.normal(0.1, 0.12)).clip(0.82, 1.7 if who.child else 1.4))
    height = loose * max(top - bottom, across * aspect)
    slip = rng.normal(0, 0.025, 2) * height
    yaw, roll = rng.normal(0, (3.5, 2.5)).clip(-10, 10)
    pitch = rng.normal(6, 6) if position == "AP" else rng.normal(0, 3)
    facing = 1 if rng.random() < 0.75 else -1
    aside = 0.0 if frontal else -facing * (4.0 + 0.2 * who.fat)
    pose = Pose(
        yaw=float(yaw),
        pitch=float(np.clip(pitch, -10, 18)) if frontal else 0.0,
        roll=float(roll) if frontal else float(roll + rng.normal(0, 2)),
        facing=facing,
        distance=float(rng.uniform(900, 1300) if position == "AP" else rng.uniform(1500, 1900))
        / who.scale,
        centre=(float((top + bottom) / 2 + slip[0]), float(aside + slip[1])),
        height=float(height),
    )
    words = (
        ("L", "R", "L\nPORTABLE", "R\nERECT", "L AP", "R PA") if frontal else ("L", "LT LAT", "R")
    )
    film = random_film(rng, str(rng.choice(words)))
    return View(position, size[0], size[1], body, pose, film)


def _rays(view: View) -> Rays:
    pose, scale = view.pose, min(1.0, FINEST / max(view.rows, view.columns))
    shape = (round(view.rows * scale), round(view.columns * scale))
    if view.position == "PA":
        frame = np.array(((1, 0, 0), (0, 0, 1), (0, -1, 0)), float)
    elif view.position == "AP":
        frame = np.array(((1, 0, 0), (0, 0, 1), (0, 1, 0)), float)
    else:
        frame = np.array(((0, pose.facing, 0), (0, 0, 1), (pose.facing, 0, 0)), float)
    turn = np.array(turned(x=-pose.pitch, y=-pose.yaw, z=-pose.roll)) @ frame
    step = pose.height / shape[0]
    return cast(shape, step, pose.centre, turn, pose.distance)

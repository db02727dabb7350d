"""Chest phantoms: radiographs of people who do not exist, both views of a study from one body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from cxrspark.phantoms.body import Body, random_body
from cxrspark.phantoms.film import Film, develop, finish, mottle, random_film
from cxrspark.phantoms.rays import (
    Floats,
    Rays,
    add_path,
    add_shell,
    cast,
    length,
    meet,
    span,
    union_length,
)
from cxrspark.phantoms.solids import COMPACT, LUNG, SOFT, turned
from cxrspark.pixels.image import Grey8

Position = Literal["PA", "AP", "LATERAL", "LL"]
"""MIMIC's ViewPosition."""

SHORTER = 2544 / 3056
"""A picture's shorter side as a share of its longer one, as MIMIC's are."""

MARKERS = {
    "frontal": ("L", "R", "L\nPORTABLE", "R\nERECT", "L AP", "R PA"),
    "lateral": ("L", "LT LAT", "R"),
}

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


class Study(NamedTuple):
    """The frontal and the lateral exposure of one body."""

    frontal: View
    lateral: View


def phantom_study(
    seed: int | np.random.SeedSequence, rows: int, *, body: Body | None = None
) -> Study:
    """Draw a body and how it is exposed; `render` makes the pictures.

    Args:
        seed: The same seed gives the same study, whatever the size.
        rows: Rows or columns of the pictures, whichever are more.
        body: Who is exposed; drawn where not given.
    """
    rng = np.random.default_rng(seed)
    body = body or random_body(rng)
    frontal = _view(rng, body, "AP" if rng.random() < 0.5 else "PA", rows)
    lateral = _view(rng, body, "LL" if rng.random() < 0.3 else "LATERAL", rows)
    return Study(frontal, lateral)


def render(view: View) -> Grey8:
    """Compute a view's picture: uint8, shape (view.rows, view.columns), air black."""
    return finish(develop(attenuation(view), view.film), view.rows, view.columns, view.film)


def attenuation(view: View) -> Floats:
    """Integrate the attenuation coefficient along the rays of a view.

    Returns:
        float32, dimensionless, shape (rows, columns) of the view, or smaller in proportion where
        the view has more than `FINEST` on its longer side.
    """
    body, rays = view.body, _rays(view)
    limbs = body.arms_down if view.label == "frontal" else body.arms_up
    total = SOFT * union_length([span(rays, solid) for solid in (*body.trunk, *limbs.flesh)])
    cavity = span(rays, body.cavity)
    tissue = union_length([meet(cavity, span(rays, solid)) for solid in body.filled])
    air = np.maximum(length(cavity) - tissue, 0) * mottle(total.shape, view.film.seed)
    total -= (SOFT - LUNG) * air
    for outside, inside in body.ribs:
        add_shell(total, rays, outside, inside, 0.62 * COMPACT * body.person.bone)
    leads = body.leads if view.position == "AP" else ()
    for solid, per_mm in (*body.layers, *limbs.bones, *leads):
        add_path(total, rays, solid, per_mm)
    path: Floats = np.maximum(total, 0) * np.float32(body.person.scale) * rays.slant
    return path


def _view(rng: np.random.Generator, body: Body, position: Position, rows: int) -> View:
    who, frontal, bedside = body.person, position in ("PA", "AP"), position == "AP"
    tall = rng.random() < (0.6 if frontal else 0.75) - 0.25 * who.child
    short = round(rows * SHORTER)
    across = 300 * who.width if frontal else 235 * who.depth + 0.6 * who.fat
    top, bottom = 172 * who.height, who.dome - 85
    loose = np.exp(rng.normal(0.1, 0.12)).clip(0.82, 1.7 if who.child else 1.4)
    height = float(loose * max(top - bottom, across / SHORTER if tall else across * SHORTER))
    up, right = (rng.normal(0, 0.025, 2) * height).tolist()
    yaw, roll = rng.normal(0, (3.5, 2.5)).clip(-10, 10).tolist()
    pitch = rng.normal(*(6, 6) if bedside else (0, 3))
    facing = 1 if rng.random() < 0.75 else -1
    pose = Pose(
        yaw=yaw,
        pitch=float(np.clip(pitch, -10, 18)) if frontal else 0.0,
        roll=roll if frontal else roll + rng.normal(0, 2),
        facing=facing,
        distance=rng.uniform(*(900, 1300) if bedside else (1500, 1900)) / who.scale,
        centre=(
            (top + bottom) / 2 + up,
            right if frontal else right - facing * (4.0 + 0.2 * who.fat),
        ),
        height=height,
    )
    film = random_film(rng, str(rng.choice(MARKERS["frontal" if frontal else "lateral"])))
    return View(position, rows if tall else short, short if tall else rows, body, pose, film)


def _rays(view: View) -> Rays:
    pose, scale = view.pose, min(1.0, FINEST / max(view.rows, view.columns))
    shape = (round(view.rows * scale), round(view.columns * scale))
    right, beam = {"PA": ((1, 0, 0), (0, -1, 0)), "AP": ((1, 0, 0), (0, 1, 0))}.get(
        view.position, ((0, pose.facing, 0), (pose.facing, 0, 0))
    )
    turn = turned(x=-pose.pitch, y=-pose.yaw, z=-pose.roll)
    frame = turn @ np.array((right, (0, 0, 1), beam), float)
    return cast(shape, pose.height / shape[0], pose.centre, frame, pose.distance)

"""Radiographs of other parts of a body: limbs, joints, hands, skull, pelvis, abdomen, spine, teeth.

Rough anatomy, drawn at random from ellipsoids by the rays that make the chest phantoms: enough to
teach a network what is no chest, and to have some in a synthetic archive. Lengths are in mm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cxrspark.phantoms import limbs, trunk
from cxrspark.phantoms.film import develop, finish, random_film
from cxrspark.phantoms.part import Part
from cxrspark.phantoms.rays import add_path, cast, span, union_length
from cxrspark.phantoms.solids import SOFT, turned
from cxrspark.pixels.image import Grey8

FINEST = 128
"""Rows or columns at which rays are traced; larger pictures are enlarged."""


def picture(rng: np.random.Generator, part: str, rows: int) -> Grey8:
    """Draw and expose a part of a body.

    Args:
        rng: Source of every choice.
        part: Key of `PARTS`.
        rows: Rows or columns of the picture, whichever are more.

    Returns:
        uint8, shape (rows, columns), air black unless the film is inverted.
    """
    shown = PARTS[part](rng)
    aspect = float(np.exp(rng.uniform(-0.45, 0.45)))
    shape = (rows, round(rows * aspect)) if aspect < 1 else (round(rows / aspect), rows)
    scale = min(1.0, FINEST / rows)
    traced = (max(round(shape[0] * scale), 8), max(round(shape[1] * scale), 8))
    height = shown.height * float(np.exp(rng.normal(0, 0.15)))
    centre = rng.normal(0, 0.05, 2) * height
    frame = np.array(((1, 0, 0), (0, 0, 1), (0, 1, 0)), float)
    turn = np.array(turned(y=shown.yaw, z=shown.roll)) @ frame
    place = (float(centre[0]), float(centre[1]))
    rays = cast(traced, height / traced[0], place, turn, float(rng.uniform(900, 1400)))
    total = np.float32(SOFT) * np.maximum(
        union_length([span(rays, solid) for solid in shown.flesh]), 0
    )
    for solid, per_mm in shown.layers:
        add_path(total, rays, solid, per_mm)
    film = random_film(rng, str(rng.choice(shown.letters)))
    return finish(develop(np.maximum(total, 0) * rays.slant, film), *shape, film)


PARTS: dict[str, Callable[[np.random.Generator], Part]] = {
    "limb": limbs.limb,
    "joint": limbs.joint,
    "hand": limbs.hand,
    "skull": trunk.skull,
    "pelvis": trunk.pelvis,
    "abdomen": trunk.abdomen,
    "spine": trunk.spine,
    "shoulder": limbs.shoulder,
    "teeth": trunk.teeth,
}
"""Parts by name."""

"""Radiographs of other parts of a body: limbs, joints, hands, skull, pelvis, abdomen, spine, teeth.

Rough anatomy, drawn at random from ellipsoids by the rays that make the chest phantoms: enough to
teach a network what is no chest, and to have some in a synthetic archive. Lengths are in mm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cxrspark.phantoms.film import develop, finish, random_film
from cxrspark.phantoms.rays import add_path, cast, span, union_length
from cxrspark.phantoms.solids import (
    COMPACT,
    METAL,
    SOFT,
    Ellipsoid,
    Layer,
    Vector,
    rod,
    turned,
)
from cxrspark.pixels.image import Grey8

FINEST = 128
"""Rows or columns at which rays are traced; larger pictures are enlarged."""


@dataclass
class Part:
    """What is exposed, and how much of it is seen."""

    height: float
    """Of the picture."""
    flesh: list[Ellipsoid] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    yaw: float = 0.0
    """Degrees about the long axis."""
    roll: float = 0.0
    """Degrees in the picture's plane."""
    letters: tuple[str, ...] = ("L", "R")

    def bone(self, solid: Ellipsoid, density: float = 1.0) -> None:
        """Add solid bone."""
        self.layers.append((solid, density * COMPACT))

    def long_bone(self, start: Vector, end: Vector, radius: float) -> None:
        """Add a shaft with marrow in it and thicker, spongy ends."""
        self.bone(rod(start, end, radius, 1.15))
        self.bone(rod(start, end, 0.6 * radius, 1.0), -0.8)
        for joint in (start, end):
            self.bone(Ellipsoid(joint, (1.6 * radius, 1.4 * radius, 1.7 * radius)), 0.35)

    def gas(self, centre: Vector, axes: Vector) -> None:
        """Add a bubble."""
        self.layers.append((Ellipsoid(centre, axes), -SOFT))


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


def _limb(rng: np.random.Generator) -> Part:
    """A stretch of an arm or a leg, with one bone or two."""
    thick, half = rng.uniform(28, 80), rng.uniform(90, 240)
    part = Part(float(rng.uniform(0.9, 1.9) * half), roll=float(rng.uniform(-180, 180)))
    part.flesh.append(rod((0, 0, -half), (0, 0, half), thick, 1.5))
    two = rng.random() < 0.5
    for side in (-1, 1) if two else (0,):
        radius = thick * rng.uniform(0.16, 0.28) * (0.75 if two else 1.2)
        x = side * thick * 0.38
        part.long_bone((x, 0, -half), (x + float(rng.normal(0, 4)), 0, half), radius)
    if rng.random() < 0.15:
        part.layers.append((rod((0, -5, -half / 2), (0, -5, half / 2), 4, 1.0), METAL))
    return part


def _joint(rng: np.random.Generator) -> Part:
    """A knee, an elbow or an ankle: two bones that meet at an angle."""
    thick, reach = rng.uniform(30, 68), rng.uniform(80, 150)
    bend = np.radians(rng.uniform(0, 100) * (rng.random() < 0.6))
    part = Part(float(rng.uniform(1.2, 2.0) * reach), roll=float(rng.uniform(-180, 180)))
    part.yaw = float(rng.uniform(-90, 90))
    far: Vector = (float(reach * np.sin(bend)), 0, float(-reach * np.cos(bend)))
    part.flesh += [
        rod((0, 0, 0), (0, 0, float(reach)), thick, 1.7),
        rod((0, 0, 0), far, 0.85 * thick, 1.7),
        Ellipsoid((0, 0, 0), (thick, thick, 1.1 * thick)),
    ]
    radius = thick * rng.uniform(0.24, 0.34)
    part.long_bone((0, 0, 0.35 * radius), (0, 0, float(reach)), radius)
    near = _point(np.multiply(far, 0.12))
    part.long_bone(near, far, 0.9 * radius)
    for side in (-1, 1):
        part.bone(Ellipsoid((side * radius, 0, radius), (radius, 1.2 * radius, radius)), 0.4)
    if rng.random() < 0.5:
        part.bone(Ellipsoid((0, -1.6 * radius, radius), (radius, 0.5 * radius, radius)), 0.5)
        x = float(1.2 * radius)
        part.long_bone((x, 0, -20.0), _point(np.add(far, (x, 0, 0))), 0.35 * radius)
    return part


def _hand(rng: np.random.Generator) -> Part:
    """A hand or a foot from above, sometimes both hands."""
    part = Part(float(rng.uniform(190, 300)), roll=float(rng.normal(0, 15)))
    if rng.random() < 0.3:
        part.roll += float(rng.choice((90, 180, 270)))
    hands = (-75.0, 75.0) if rng.random() < 0.2 else (0.0,)
    spread = rng.uniform(0.5, 1.3)
    for centre in hands:
        part.flesh.append(Ellipsoid((centre, 0, -10), (42, 14, 52)))
        part.flesh.append(rod((centre, 0, -160), (centre, 0, -40), 28, 1.2))
        for x in (-9.0, 10.0):
            part.long_bone((centre + x, 0, -170), (centre + x, 0, -62), 6.5)
        for _ in range(8):
            x, z = float(rng.uniform(-18, 18)), float(rng.uniform(-55, -32))
            part.bone(Ellipsoid((centre + x, 0, z), (8, 6, 7)), 0.7)
        for finger, length in enumerate((62, 82, 92, 86, 66)):
            _finger(part, centre, (finger - 2) * 0.16 * spread, length)
    return part


def _finger(part: Part, centre: float, angle: float, length: float) -> None:
    way = np.array((np.sin(angle), 0, np.cos(angle)))
    base = np.array((centre + 85 * np.sin(angle), 0, -28.0))
    end = base + way * (58 + length)
    part.flesh.append(rod(_point(base), _point(end), 9.5, 1.15))
    places = np.cumsum((0, 58, 0.5 * length, 0.3 * length, 0.2 * length))
    for start, stop, radius in zip(places, places[1:], (4.6, 4.2, 3.6, 3.0), strict=False):
        part.long_bone(_point(base + way * (start + 3)), _point(base + way * (stop - 3)), radius)


def _skull(rng: np.random.Generator) -> Part:
    """A head from the front, from the side, or between."""
    part = Part(
        float(rng.uniform(230, 330)), yaw=float(rng.choice((0, 90, -90, rng.uniform(0, 90))))
    )
    part.yaw += float(rng.normal(0, 6))
    part.roll = float(rng.normal(0, 6))
    part.flesh += [
        Ellipsoid((0, 0, 20), (78, 98, 92)),
        Ellipsoid((0, -35, -55), (55, 60, 70)),
        rod((0, 20, -60), (0, 30, -240), 55, 1.2),
    ]
    part.bone(Ellipsoid((0, 0, 25), (73, 92, 84)), 1.0)
    part.bone(Ellipsoid((0, 0, 25), (67, 86, 78)), -1.0)
    part.bone(Ellipsoid((0, -10, -28), (58, 62, 16)), 0.7)
    for side in (-1, 1):
        part.gas((side * 32, -75, -5), (19, 16, 17))
        part.gas((side * 25, -68, -42), (14, 16, 18))
        part.long_bone((side * 46, -5, -50), (side * 42, -25, -88), 9)
        part.long_bone((side * 42, -25, -90), (side * 8, -80, -108), 10)
        part.bone(Ellipsoid((side * 50, 15, -35), (16, 16, 22)), 0.8)
    part.gas((0, -85, -30), (8, 18, 24))
    for x in np.linspace(-24, 24, 8):
        for z in (-78, -94):
            part.bone(Ellipsoid((float(x), -85 + 0.02 * x * x, z), (2.6, 3.5, 9)), 1.5)
    _vertebrae(part, rng, (0, 30), (-230, -60), 17)
    return part


def _vertebrae(
    part: Part,
    rng: np.random.Generator,
    place: tuple[float, float],
    heights: tuple[float, float],
    size: float,
) -> None:
    """A column of vertebrae at x and y, from one z to another, slightly curved."""
    bend, z = float(rng.normal(0, 0.0008)), float(heights[0])
    while z < heights[1]:
        x = place[0] + bend * (z - heights[0]) ** 2
        part.bone(Ellipsoid((x, place[1], z), (size, 0.9 * size, 0.48 * size)), 0.55)
        part.bone(Ellipsoid((x, place[1] + 1.6 * size, z), (0.25 * size, size, 0.35 * size)), 0.6)
        for side in (-1, 1):
            pedicle = (x + side * 0.55 * size, place[1] + size, z)
            part.bone(Ellipsoid(pedicle, (0.22 * size, 0.4 * size, 0.25 * size)), 0.8)
            tip = (x + side * 1.7 * size, place[1] + size, z)
            part.bone(rod((x, place[1] + size, z), tip, 0.2 * size), 0.5)
        z += 1.2 * size


def _gases(part: Part, rng: np.random.Generator, low: float, high: float) -> None:
    for _ in range(int(rng.integers(0, 14))):
        size = float(rng.uniform(8, 26))
        centre = (float(rng.uniform(-110, 110)), -40.0, float(rng.uniform(low, high)))
        part.gas(centre, (size * float(rng.uniform(0.7, 2.2)), size, size))


def _hips(part: Part, rng: np.random.Generator, wide: float) -> None:
    part.bone(Ellipsoid((0, 45, -10), (0.42 * wide, 18, 0.5 * wide)), 0.45)
    for side in (-1, 1):
        wing = turned(y=side * rng.uniform(18, 32), z=side * 25)
        part.bone(Ellipsoid((side * 0.82 * wide, 15, 25), (0.4 * wide, 9, 0.62 * wide), wing), 0.7)
        head: Vector = (side * 0.98 * wide, 0, -0.75 * wide)
        part.bone(Ellipsoid(head, (25, 25, 25)), 0.6)
        part.bone(Ellipsoid(head, (34, 30, 34)), 0.25)
        neck: Vector = (side * 1.45 * wide, 0, -1.05 * wide)
        part.bone(rod(head, neck, 15, 1.1), 0.6)
        part.long_bone(neck, (side * 1.35 * wide, 0, -3.2 * wide), 15)
        inner: Vector = (side * 7, -35, -0.95 * wide)
        part.bone(rod(head, inner, 9, 1.1), 0.7)
        part.bone(rod(inner, (side * 0.55 * wide, 10, -1.45 * wide), 9, 1.1), 0.7)
        part.bone(rod((side * 0.55 * wide, 10, -1.45 * wide), head, 11, 1.1), 0.6)


def _pelvis(rng: np.random.Generator) -> Part:
    """A pelvis with hips, of an adult or a child."""
    wide = float(rng.uniform(62, 92))
    part = Part(float(rng.uniform(3.4, 5.2) * wide), roll=float(rng.normal(0, 4)))
    fat = rng.uniform(0, 40)
    part.flesh.append(Ellipsoid((0, 0, 60), (2.05 * wide + fat, 95 + fat / 2, 3.4 * wide)))
    for side in (-1, 1):
        leg = rod((side * wide, 0, -40), (side * 1.2 * wide, 0, -5 * wide), 0.95 * wide + fat / 2)
        part.flesh.append(leg)
    _hips(part, rng, wide)
    _vertebrae(part, rng, (0, 40), (0.4 * wide, 4 * wide), 24)
    _gases(part, rng, -0.5 * wide, 2 * wide)
    if rng.random() < 0.2:
        at = (wide * 1.1, 0.0, -0.9 * wide)
        part.layers.append((Ellipsoid(at, (16, 16, 30)), METAL))
    return part


def _abdomen(rng: np.random.Generator) -> Part:
    """An abdomen: lower ribs at its top, hips at its bottom, bubbles of gas."""
    wide, fat = float(rng.uniform(62, 92)), rng.uniform(0, 50)
    part = Part(float(rng.uniform(330, 470)), roll=float(rng.normal(0, 4)))
    part.flesh.append(Ellipsoid((0, 0, 0), (1.9 * wide + fat, 100 + fat, 400)))
    _vertebrae(part, rng, (0, 45), (-260, 300), 24)
    for side in (-1, 1):
        for z in np.arange(120, 260, 28):
            low: Vector = (side * 1.65 * wide, 0, float(z) - 70)
            part.bone(rod((side * 25, 60, float(z)), low, 6, 1.1), 0.6)
    below = Part(0)
    _hips(below, rng, wide)
    part.layers += [
        (Ellipsoid((s.centre[0], s.centre[1], s.centre[2] - 170), s.axes, s.turn), per_mm)
        for s, per_mm in below.layers
    ]
    _gases(part, rng, -150, 170)
    part.letters = ("L", "R", "SUPINE", "KUB")
    return part


def _spine(rng: np.random.Generator) -> Part:
    """A stretch of the neck or the loin, from the front or the side."""
    size = float(rng.uniform(14, 27))
    part = Part(float(rng.uniform(8, 15) * size), yaw=float(rng.choice((0, 90, 45, -90))))
    part.yaw += float(rng.normal(0, 5))
    wide = rng.uniform(2.2, 5.5) * size
    part.flesh.append(Ellipsoid((0, -10, 0), (wide, 0.8 * wide, 30 * size)))
    _vertebrae(part, rng, (0, 0), (-14 * size, 14 * size), size)
    if wide > 4 * size:
        _gases(part, rng, -4 * size, 4 * size)
    if rng.random() < 0.5 and wide < 3.5 * size:
        part.gas((0, -1.6 * size, 0), (0.5 * size, 0.5 * size, 20 * size))
    if rng.random() < 0.15:
        for x in (-0.6 * size, 0.6 * size):
            part.layers.append((rod((x, size, -3 * size), (x, size, 3 * size), 3), METAL))
    return part


def _shoulder(rng: np.random.Generator) -> Part:
    """A shoulder with the upper arm; of the lung at most a corner."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    part = Part(float(rng.uniform(200, 300)), yaw=float(rng.uniform(-35, 35)))
    fall = float(rng.uniform(10, 80))
    head: Vector = (side * 25, 0, 15)
    part.flesh += [
        Ellipsoid((side * -70, 0, -60), (110, 70, 150)),
        Ellipsoid(head, (52, 50, 55)),
        rod(head, (side * (25 + fall), 0, -200), 46, 1.3),
    ]
    part.bone(Ellipsoid(head, (24, 24, 25)), 0.5)
    part.long_bone((side * 28, 0, 0), (side * (25 + fall), 0, -210), 13)
    blade = turned(z=side * 20)
    part.bone(Ellipsoid((side * -45, 30, -45), (38, 5, 65), blade), 0.6)
    part.bone(rod((side * -130, -20, 40), (side * 15, -5, 48), 7), 0.9)
    part.bone(rod((side * -80, 35, 10), (side * 10, 15, 45), 8), 0.7)
    for z in (0, -35, -70, -105):
        part.bone(rod((side * -150, 20, z + 30.0), (side * -85, 0, float(z)), 6), 0.6)
    if rng.random() < 0.6:
        part.gas((side * -150, 0, -110), (60, 45, 110))
    return part


def _teeth(rng: np.random.Generator) -> Part:
    """A panoramic film of the jaws, or a few teeth from near."""
    near = rng.random() < 0.4
    part = Part(float(rng.uniform(30, 50) if near else rng.uniform(110, 150)))
    part.roll = float(rng.uniform(-180, 180)) if near else float(rng.normal(0, 4))
    part.flesh.append(Ellipsoid((0, 0, 0), (150, 40, 95)))
    smile = rng.uniform(0.002, 0.006)
    for x in np.arange(-68, 69, 9.0):
        for jaw in (-1, 1):
            z = float(smile * x * x + jaw * 13)
            long = float(rng.uniform(9, 13))
            tooth = Ellipsoid((float(x), 0, z), (4.2, 4.5, long), turned(y=-0.25 * float(x)))
            part.bone(tooth, float(rng.uniform(1.5, 3)))
            part.bone(Ellipsoid((float(x), 0, z + jaw * 14), (8, 9, 12)), 0.7)
            if rng.random() < 0.15:
                part.layers.append((Ellipsoid((float(x), 0, z - jaw * 5), (4, 4, 3)), METAL))
    for side in (-1, 1):
        part.long_bone((side * 85, 0, -5), (side * 98, 0, 60), 13)
        part.bone(rod((0, 0, -34), (side * 88, 0, -8), 11), 0.8)
        part.gas((side * 38, 0, 45), (24, 12, 14))
    return part


def _point(values: npt.ArrayLike) -> Vector:
    x, y, z = (float(value) for value in np.asarray(values))
    return x, y, z


PARTS: dict[str, Callable[[np.random.Generator], Part]] = {
    "limb": _limb,
    "joint": _joint,
    "hand": _hand,
    "skull": _skull,
    "pelvis": _pelvis,
    "abdomen": _abdomen,
    "spine": _spine,
    "shoulder": _shoulder,
    "teeth": _teeth,
}
"""Parts by name."""


def pictures(rng: np.random.Generator, rows: int) -> Iterator[tuple[str, Grey8]]:
    """Draw parts without end, all equally often, with their names."""
    while True:
        for part in PARTS:
            yield part, picture(rng, part, rows)

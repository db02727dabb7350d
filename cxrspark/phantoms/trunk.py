"""Skulls, teeth, spines, abdomens and pelves, drawn at random. Lengths are in mm."""

from __future__ import annotations

import numpy as np

from cxrspark.phantoms.part import Part
from cxrspark.phantoms.solids import METAL, Ellipsoid, Vector, rod, turned


def skull(rng: np.random.Generator) -> Part:
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


def teeth(rng: np.random.Generator) -> Part:
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


def spine(rng: np.random.Generator) -> Part:
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


def abdomen(rng: np.random.Generator) -> Part:
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


def pelvis(rng: np.random.Generator) -> Part:
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

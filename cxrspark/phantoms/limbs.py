"""Limbs, joints, hands and shoulders, drawn at random. Lengths are in mm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cxrspark.phantoms.part import Part
from cxrspark.phantoms.solids import METAL, Ellipsoid, Vector, rod, turned


def limb(rng: np.random.Generator) -> Part:
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


def joint(rng: np.random.Generator) -> Part:
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


def hand(rng: np.random.Generator) -> Part:
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


def shoulder(rng: np.random.Generator) -> Part:
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


def _point(values: npt.ArrayLike) -> Vector:
    x, y, z = (float(value) for value in np.asarray(values))
    return x, y, z

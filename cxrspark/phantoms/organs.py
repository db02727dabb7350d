"""What lies inside a phantom's chest and below it."""

from __future__ import annotations

import numpy as np

from cxrspark.phantoms.person import Person
from cxrspark.phantoms.solids import LUNG, SOFT, Ellipsoid, Layer, rod, turned


def displacing_lung(rng: np.random.Generator, who: Person) -> list[Ellipsoid]:
    """Heart, mediastinum, aorta, tissue along the spine, diaphragm and, at times, disease.

    They overlap each other and the chest wall.
    """
    low, size, deep = who.dome, who.heart, 102 * who.depth
    heart = Ellipsoid(
        (22 * size, -0.38 * deep, low + 30 * who.height),
        (74 * size, 46 * size, 50 * size),
        turned(x=-15, y=rng.uniform(15, 45), z=-20),
    )
    base = Ellipsoid(
        (1, -0.2 * deep, low + 72 * who.height),
        (46 * size, 44 * size, 70),
        turned(y=rng.uniform(0, 12)),
    )
    broad = rng.uniform(24, 36) + (8 if who.child else 0)
    middle = Ellipsoid((rng.uniform(-3, 5), 8, 110), (broad, 0.8 * deep, 105))
    narrow = Ellipsoid((0, 0.15 * deep, -20), (rng.uniform(17, 25), 0.7 * deep, 170))
    arch = Ellipsoid((19, 12, 66 * who.height), (17, 30, 17))
    aorta = rod((22, 42, 60 * who.height), (10, 48, -180), 14, 1.2)
    back = Ellipsoid((0, 66 * who.depth, -20), (19, 26, 480))
    crura = Ellipsoid((0, -0.2 * deep, low - 140), (62, deep, 130))
    left = low - rng.uniform(2, 24)
    y, half = -rng.uniform(0.18, 0.38) * deep, rng.uniform(0.98, 1.15) * deep
    domes = [
        Ellipsoid((side * 58 * who.width, y, top - 130), (92 * who.width, half, 130))
        for side, top in ((-1, low), (1, left))
    ]
    return [heart, base, middle, narrow, arch, aorta, back, crura, *domes, *_disease(rng, who)]


def _disease(rng: np.random.Generator, who: Person) -> list[Ellipsoid]:
    """A consolidation or an effusion in about one chest of five."""
    kind, side = rng.random(), -1 if rng.random() < 0.5 else 1
    (x, y, z), size = rng.uniform(-1, 1, 3), rng.uniform(18, 55, 3)
    if kind < 0.1:
        return [Ellipsoid((side * 75 + 25 * x, 45 * y, 20 + 70 * z), size)]
    if kind < 0.2:
        return [Ellipsoid((side * 80, 40, who.dome - 70), (110, 110, 30 + 2 * size[0]))]
    return []


def in_the_chest(rng: np.random.Generator, who: Person) -> list[Layer]:
    """Airways, hila and the vessels that fan out from them."""
    fork = (0.0, 18.0, 48 * who.height)
    layers: list[Layer] = [(rod((0, 5, 215), fork, 8.5, 1.05), -SOFT)]
    congested = rng.uniform(0.6, 1.5)
    for side in (-1, 1):
        hilum = np.array((side * 42.0, 12.0, 14 + 6 * side))
        layers.append((rod(fork, hilum, 6, 1.1), -0.8 * SOFT))
        layers.append((Ellipsoid(hilum, (12, 18, 25), turned(y=side * 18)), 0.006 * congested))
        away = rng.normal(0, 1, (60, 3)) * (0.75, 1.0, 1.2) + (side * 0.8, 0.1, -0.25)
        away /= np.linalg.norm(away, axis=1)[:, None]
        away[:, 0] = side * np.abs(away[:, 0])
        near, reach = rng.uniform(4, 60, (60, 1)), rng.uniform(18, 50, (60, 1))
        for start, end, far in zip(
            hilum + away * near, hilum + away * (near + reach), (near + reach).ravel(), strict=True
        ):
            if abs(end[0]) <= 118 * who.width and who.dome <= end[2] <= 130:
                radius = congested * (2.9 - 0.019 * far)
                layers.append((rod(start, end, radius, 1.15), SOFT - LUNG))
    return layers


def gas(rng: np.random.Generator, who: Person) -> list[Layer]:
    """The stomach's bubble in most bodies, and bowel gas."""
    layers: list[Layer] = []
    bubble, size = rng.random(), rng.uniform(0.6, 1.3)
    if bubble < 0.7:
        place, axes = (rng.uniform(45, 85), 5.0, who.dome - 48), (34 * size, 30 * size, 17 * size)
        layers.append((Ellipsoid(place, axes, turned(y=12)), -0.9 * SOFT))
    for _ in range(rng.integers(0, 12)):
        spot = rng.uniform((-110, -80, who.dome - 170), (110, 20, who.dome - 75))
        layers.append((Ellipsoid(spot, rng.uniform(7, 22, 3)), -0.7 * SOFT))
    return layers

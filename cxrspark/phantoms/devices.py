"""Metal in and on a phantom."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cxrspark.phantoms.person import Person
from cxrspark.phantoms.solids import METAL, Ellipsoid, Layer, rod, turned


def implants(rng: np.random.Generator, who: Person) -> list[Layer]:
    """A pacemaker, wires from an operation on the heart or, mostly, nothing."""
    kind = 1.0 if who.child else rng.random()
    if kind < 0.05:
        front = who.sternum_y(85)
        box = Ellipsoid((92, front + 6, 85), (22, 5, 20), turned(z=25))
        lead = ((75, front + 5, 95), (20, -15, 105), (-12, -10, 40), (25, -40, who.dome + 10))
        wires = [rod(start, end, 1.3, 1.15) for start, end in pairwise(lead)]
        return [(solid, METAL) for solid in (box, *wires)]
    if kind < 0.1:
        places = [(who.sternum_y(z) - 6, z) for z in (-40, -15, 10, 35, 60)]
        return [(rod((-7, y, z), (7, y, z + 4), 1.2), 2 * METAL) for y, z in places]
    return []


def leads(rng: np.random.Generator, who: Person) -> list[Layer]:
    """Up to five electrodes on the chest, each with a wire that wanders off."""
    layers: list[Layer] = []
    front = -102 * who.depth - 30 - 0.6 * who.fat
    count = int(rng.integers(1, 6)) if rng.random() < 0.6 else 0
    for _ in range(count):
        place = np.array((rng.uniform(-120, 120), front, rng.uniform(-110, 110)))
        layers.append((Ellipsoid(place, (6, 2, 6)), METAL))
        heading = rng.uniform(0, 2 * np.pi)
        for _ in range(14):
            heading += rng.normal(0, 0.45)
            onward = place + 22 * np.array((np.cos(heading), 0, np.sin(heading)))
            layers.append((rod(place, onward, 1.0, 1.15), METAL))
            place = onward
    return layers

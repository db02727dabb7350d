"""The bones of a phantom: spine, ribs, breastbone, collarbones, shoulder blades."""

from __future__ import annotations

import numpy as np

from cxrspark.phantoms.person import Person
from cxrspark.phantoms.solids import COMPACT, SPONGY, Ellipsoid, Layer, Slab, rod, turned


def spine(who: Person) -> list[Layer]:
    """Nineteen vertebrae from the lower neck to the loin, each a drum with its processes."""
    layers: list[Layer] = []
    pitch = 24 * who.height
    for number in range(19):
        z = 195 - pitch * number - 0.25 * number**1.5
        y = who.spine_y(z)
        size = 0.8 + 0.022 * number
        turn = turned(x=float(np.degrees(np.arctan(who.spine_y(z - 5) - who.spine_y(z + 5)) / 10)))
        half = 0.40 * pitch
        level = float(np.dot(turn[2], (0, y, z)))
        ends = Slab(turn[2], level - half, level + half)
        drum = Ellipsoid((0, y, z), (19 * size, 16 * size, 3.5 * half), turn, (ends,))
        layers.append((drum, SPONGY))
        layers.append((Ellipsoid((0, y + 40 * size, z - 10), (4, 16, 7), turned(x=-30)), 0.010))
        for side in (-1, 1):
            layers.append((Ellipsoid((side * 14 * size, y + 18, z + 2), (5, 9, 6)), 0.012))
            layers.append((rod((side * 14, y + 22, z), (side * 36, y + 30, z + 4), 5), 0.008))
    return layers


def ribs(
    rng: np.random.Generator, who: Person, cage: Ellipsoid, inside: Ellipsoid
) -> list[tuple[Ellipsoid, Ellipsoid]]:
    """Twelve ribs a side, cut out of the wall of the rib cage: each its outside and its inside.

    The slabs are a rib's blade, its half of the body and its bony part: cartilage takes over in
    front, further back the lower the rib.
    """
    found = []
    slope = np.tan(np.radians(rng.uniform(8 if who.child else 16, 34)))
    droop, gap = rng.uniform(0.05, 0.38), rng.uniform(23, 27) * who.height
    for side in (-1.0, 1.0):
        for number in range(12):
            tilt = slope * (0.55 + 0.07 * min(number, 8))
            normal = np.array((side * droop, -tilt, 1.0))
            normal /= np.linalg.norm(normal)
            head = 158 * who.height - gap * number - 0.25 * number**1.6 + rng.normal(0, 1.2)
            level = float(normal @ (side * 30, 80 * who.depth, head))
            half = 5.2 + 0.25 * min(number, 6) + rng.normal(0, 0.3)
            bony = 0.80 - 0.05 * max(0, number - 3) - (0.9 if number > 9 else 0)
            cuts = (
                Slab(normal, level - half, level + half),
                Slab((side, 0.0, 0.0), 14.0, 1000.0),
                Slab((side * 0.35, 1.0, 0.25), -cage.axes[1] * bony, 1000.0),
            )
            found.append((cage._replace(cuts=cuts), inside._replace(cuts=cuts)))
    return found


def girdle(rng: np.random.Generator, who: Person) -> list[Layer]:
    """Breastbone, collarbones and shoulder blades."""
    high, low = 108 * who.height, -55 * who.height
    top, foot = (0.0, who.sternum_y(high), high), (0.0, who.sternum_y(low), low)
    line = rod(top, foot, 1.0, 1.08)
    layers: list[Layer] = [(line._replace(axes=(line.axes[0], 7, 17)), SPONGY * 1.4)]
    lift, spread, turn = rng.uniform(-14, 26), rng.uniform(76, 112), rng.uniform(20, 50)
    for side in (-1, 1):
        inner = (side * 17.0, top[1] - 2, top[2] + 12)
        bend = (side * 82 * who.width, top[1] + 22, top[2] + 20 + lift)
        outer = (side * 158 * who.width, 20.0, top[2] + 30 + lift)
        across = side * spread * who.width
        blade = turned(y=side * 14, z=side * turn)
        layers += [
            (rod(inner, bend, 7.0, 1.1), COMPACT * 0.6),
            (rod(bend, outer, 6.5, 1.1), COMPACT * 0.6),
            (Ellipsoid((across, 92 * who.depth, 60 + lift), (48, 4, 78), blade), COMPACT * 0.5),
            (rod((across, 98 * who.depth, 95 + lift), outer, 6), 0.015),
        ]
    return layers

"""A random body out of ellipsoids: adults and children, thin and obese, arms down and up.

Coordinates are mm in an adult of average height: x to the patient's left, y to the back, z to
the head, the origin in the middle of the chest. A child is the same space at a smaller scale.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cxrspark.phantoms import devices, organs, skeleton
from cxrspark.phantoms.person import Person, random_person
from cxrspark.phantoms.solids import COMPACT, Ellipsoid, Layer, Slab, Vector, rod, turned


class Limbs(NamedTuple):
    """Shoulders and arms in one position."""

    flesh: list[Ellipsoid]
    bones: list[Layer]


class Body(NamedTuple):
    """The solids of one person."""

    person: Person
    trunk: list[Ellipsoid]
    """Soft tissue; where solids overlap it counts once."""
    arms_down: Limbs
    arms_up: Limbs
    cavity: Ellipsoid
    """Inside of the rib cage, down to the lungs' lowest edge."""
    filled: list[Ellipsoid]
    """What lies in the cavity and is no lung; may overlap."""
    ribs: list[tuple[Ellipsoid, Ellipsoid]]
    """Each rib is what the second solid leaves of the first."""
    layers: list[Layer]
    """Bones, vessels, airways, gas and devices."""
    leads: list[Layer]
    """Electrodes and wires, on the patient only at the bedside."""


def random_body(rng: np.random.Generator) -> Body:
    """Draw a person and build the solids."""
    who = random_person(rng)
    axes = (143 * who.width, 102 * who.depth, 250 * who.height)
    cage = Ellipsoid((0.0, 0.0, -80.0), axes, turned(x=-who.lean))
    inside = cage._replace(axes=(axes[0] - 7, axes[1] - 7, axes[2] - 9))
    bones = [*skeleton.spine(who), *skeleton.girdle(rng, who)]
    return Body(
        person=who,
        trunk=_trunk(rng, who),
        arms_down=_arms_down(rng, who),
        arms_up=_arms_up(rng, who),
        cavity=inside._replace(cuts=(Slab((0.0, 0.55, 1.0), who.dome - 64, 1000.0),)),
        filled=organs.displacing_lung(rng, who),
        ribs=skeleton.ribs(rng, who, cage, inside),
        layers=[
            *((solid, per_mm * who.bone) for solid, per_mm in bones),
            *organs.in_the_chest(rng, who),
            *organs.gas(rng, who),
            *devices.implants(rng, who),
        ],
        leads=devices.leads(rng, who),
    )


def _trunk(rng: np.random.Generator, who: Person) -> list[Ellipsoid]:
    fat, wide, deep = who.fat, 143 * who.width, 102 * who.depth
    nod, large = rng.uniform(-25, 5), 1.35 if who.child else 1.0
    lean, bow = turned(x=-0.6 * who.lean), turned(x=8)
    chest = Ellipsoid((0, 10, -70), (wide + 18 + fat, deep + 22 + 0.6 * fat, 275), lean)
    round_belly = (wide + 12 + 1.1 * fat, deep + 18 + 0.8 * fat, 240)
    belly = Ellipsoid((0, 2 - 0.45 * fat, -235), round_belly)
    thick = 0.2 * fat
    neck = Ellipsoid((0, who.spine_y(190) - 26, 240), (55 + thick, 58 + thick, 170), bow)
    slope = Ellipsoid((0, 32, 108), (178 * who.width, 54 + 0.3 * fat, 66))
    head = Ellipsoid((0, nod - 5, 345 + 20 * large), (76 * large, 95 * large, 112 * large))
    solids = [chest, belly, neck, slope, head]
    flank = (62 + 0.6 * fat, 74 * who.depth, 128)
    for side in (-1, 1):
        solids.append(Ellipsoid((side * 112 * who.width, 22, 40), flank, turned(y=side * 6)))
    if who.breast:
        size = who.breast
        y, sag = -deep - 4 - 0.4 * fat, rng.uniform(-28, 8) - 0.28 * size
        breast = (50 + 0.3 * size, 5 + 0.36 * size, 58 + 0.6 * size)
        for side in (-1, 1):
            solids.append(Ellipsoid((side * 72 * who.width, y, sag), breast, turned(x=-36)))
    return solids


def _arms_down(rng: np.random.Generator, who: Person) -> Limbs:
    thick, lift = 36 + 0.35 * who.fat, rng.uniform(-10, 15)
    arms = Limbs([], [])
    for side in (-1, 1):
        swing = rng.uniform(10, 130 if who.child else 70)
        drop = rng.uniform(220, 270) if rng.random() < (0.45 if who.child else 0.95) else -120
        shoulder = (side * 164 * who.width, 16.0, 112 + lift)
        elbow = (side * (182 * who.width + swing + 0.7 * who.fat), 30.0, 120 + lift - drop)
        arms.flesh.append(Ellipsoid(shoulder, (50 + 0.2 * who.fat, 54, 58)))
        arms.flesh.append(rod(shoulder, elbow, thick, 1.15))
        arms.bones.extend(_humerus(who, shoulder, elbow))
    return arms


def _arms_up(rng: np.random.Generator, who: Person) -> Limbs:
    thick, forward, high = 40 + 0.3 * who.fat, rng.uniform(20, 230), rng.uniform(40, 240)
    arms = Limbs([], [])
    for side in (-1, 1):
        shoulder = (side * 140 * who.width, 5 + rng.normal(0, 8), 150.0)
        across = side * rng.uniform(95, 150)
        elbow = (across, -forward + rng.normal(0, 15), 160 + high + rng.normal(0, 15))
        hand = (side * 20, elbow[1] - 60, elbow[2] + 60)
        arms.flesh.append(Ellipsoid(shoulder, (44, 58 + 0.3 * who.fat, 62)))
        arms.flesh.append(rod(shoulder, elbow, thick, 1.2))
        arms.flesh.append(rod(elbow, hand, 30, 1.2))
        arms.bones.extend(_humerus(who, shoulder, elbow))
        arms.bones.append((rod(elbow, hand, 8, 1.1), COMPACT * who.bone))
    return arms


def _humerus(who: Person, shoulder: Vector, elbow: Vector) -> list[Layer]:
    head, shaft = Ellipsoid(shoulder, (22, 22, 24)), rod(shoulder, elbow, 11.5, 1.1)
    return [(head, COMPACT * 0.5 * who.bone), (shaft, COMPACT * who.bone)]

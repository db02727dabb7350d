"""A random body out of ellipsoids: adults and children, thin and obese, arms down and up.

Coordinates are mm in an adult of average height: x to the patient's left, y to the back, z to
the head, the origin in the middle of the chest. A child is the same space at a smaller scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cxrspark.phantoms import devices as phantom_devices
from cxrspark.phantoms import organs as phantom_organs
from cxrspark.phantoms import skeleton as phantom_skeleton
from cxrspark.phantoms.person import Person, random_person
from cxrspark.phantoms.solids import COMPACT, Ellipsoid, Layer, Slab, Vector, rod, turned


@dataclass(frozen=True)
class Limbs:
    """Shoulders and arms in one position."""

    flesh: tuple[Ellipsoid, ...]
    bones: tuple[Layer, ...]


@dataclass(frozen=True)
class Body:
    """The solids of one person."""

    person: Person
    trunk: tuple[Ellipsoid, ...]
    """Soft tissue; where solids overlap it counts once."""
    arms_down: Limbs
    arms_up: Limbs
    cage: Ellipsoid
    """Outside of the rib cage."""
    cavity: Ellipsoid
    """Inside of the rib cage, down to the lungs' lowest edge."""
    filled: tuple[Ellipsoid, ...]
    """What lies in the cavity and is no lung; may overlap."""
    ribs: tuple[tuple[Slab, ...], ...]
    """Each rib is what its slabs leave of the wall between cage and cavity."""
    layers: tuple[Layer, ...]
    """Bones, vessels, airways, gas and devices."""
    leads: tuple[Layer, ...]
    """Electrodes and wires, on the patient only at the bedside."""


def random_body(rng: np.random.Generator) -> Body:
    """Draw a person and build the solids.

    Args:
        rng: Source of every choice.

    Returns:
        The body.
    """
    who = random_person(rng)
    middle, lean = (0.0, 0.0, -80.0), turned(x=-who.lean)
    axes = (143 * who.width, 102 * who.depth, 250 * who.height)
    lowest = Slab((0.0, 0.55, 1.0), who.dome - 64, 1000.0)
    inside = (axes[0] - 7, axes[1] - 7, axes[2] - 9)
    bones = [*phantom_skeleton.spine(who), *phantom_skeleton.girdle(rng, who)]
    return Body(
        person=who,
        trunk=_trunk(who, rng),
        arms_down=_arms_down(who, rng),
        arms_up=_arms_up(who, rng),
        cage=Ellipsoid(middle, axes, lean),
        cavity=Ellipsoid(middle, inside, lean, (lowest,)),
        filled=tuple(phantom_organs.displacing_lung(rng, who)),
        ribs=phantom_skeleton.ribs(rng, who, axes[1]),
        layers=(
            *((solid, per_mm * who.bone) for solid, per_mm in bones),
            *phantom_organs.in_the_chest(rng, who),
            *phantom_organs.gas(rng, who),
            *phantom_devices.implants(rng, who),
        ),
        leads=tuple(phantom_devices.leads(rng, who)),
    )


def _trunk(who: Person, rng: np.random.Generator) -> tuple[Ellipsoid, ...]:
    fat, wide, deep = who.fat, 143 * who.width, 102 * who.depth
    lean = turned(x=-0.6 * who.lean)
    chest = Ellipsoid((0, 10, -70), (wide + 18 + fat, deep + 22 + 0.6 * fat, 275), lean)
    belly = Ellipsoid(
        (0, 2 - 0.45 * fat, -235), (wide + 12 + 1.1 * fat, deep + 18 + 0.8 * fat, 240)
    )
    neck = Ellipsoid(
        (0, who.spine_y(190) - 26, 240), (55 + 0.2 * fat, 58 + 0.2 * fat, 170), turned(x=8)
    )
    slope = Ellipsoid((0, 32, 108), (178 * who.width, 54 + 0.3 * fat, 66))
    flanks = [
        Ellipsoid(
            (side * 112 * who.width, 22, 40),
            (62 + 0.6 * fat, 74 * who.depth, 128),
            turned(y=side * 6),
        )
        for side in (-1, 1)
    ]
    nod = rng.uniform(-25, 5)
    large = 1.35 if who.child else 1.0
    head = Ellipsoid((0, nod - 5, 345 + 20 * large), (76 * large, 95 * large, 112 * large))
    solids = [chest, belly, neck, slope, head, *flanks]
    if who.breast:
        size = who.breast
        sag = rng.uniform(-28, 8) - 0.28 * size
        solids += [
            Ellipsoid(
                (side * 72 * who.width, -deep - 4 - 0.4 * fat, sag),
                (50 + 0.3 * size, 5 + 0.36 * size, 58 + 0.6 * size),
                turned(x=-36),
            )
            for side in (-1, 1)
        ]
    return tuple(solids)


def _arms_down(who: Person, rng: np.random.Generator) -> Limbs:
    thick = 36 + 0.35 * who.fat
    lift = rng.uniform(-10, 15)
    flesh: list[Ellipsoid] = []
    bones: list[Layer] = []
    for side in (-1, 1):
        swing = rng.uniform(10, 70) if not who.child else rng.uniform(10, 130)
        drop = rng.uniform(220, 270) if rng.random() < (0.45 if who.child else 0.95) else -120
        shoulder = (side * 164 * who.width, 16.0, 112 + lift)
        elbow = (side * (182 * who.width + swing + 0.7 * who.fat), 30.0, 120 + lift - drop)
        flesh.append(Ellipsoid(shoulder, (50 + 0.2 * who.fat, 54, 58)))
        flesh.append(rod(shoulder, elbow, thick, 1.15))
        bones.append((Ellipsoid(shoulder, (22, 22, 24)), COMPACT * 0.5 * who.bone))
        bones.append((rod(shoulder, elbow, 11.5, 1.1), COMPACT * who.bone))
    return Limbs(tuple(flesh), tuple(bones))


def _arms_up(who: Person, rng: np.random.Generator) -> Limbs:
    thick = 40 + 0.3 * who.fat
    forward, high = rng.uniform(20, 230), rng.uniform(40, 240)
    flesh: list[Ellipsoid] = []
    bones: list[Layer] = []
    for side in (-1, 1):
        shoulder: Vector = (side * 140 * who.width, float(5 + rng.normal(0, 8)), 150.0)
        elbow: Vector = (
            side * float(rng.uniform(95, 150)),
            -forward + float(rng.normal(0, 15)),
            160 + high + float(rng.normal(0, 15)),
        )
        hand: Vector = (side * 20, elbow[1] - 60, elbow[2] + 60)
        flesh.append(Ellipsoid(shoulder, (44, 58 + 0.3 * who.fat, 62)))
        flesh.append(rod(shoulder, elbow, thick, 1.2))
        flesh.append(rod(elbow, hand, 30, 1.2))
        bones.append((Ellipsoid(shoulder, (22, 22, 24)), COMPACT * 0.5 * who.bone))
        bones.append((rod(shoulder, elbow, 11.5, 1.1), COMPACT * who.bone))
        bones.append((rod(elbow, hand, 8, 1.1), COMPACT * who.bone))
    return Limbs(tuple(flesh), tuple(bones))

"""What distinguishes one phantom's body from another's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Person:
    """Build and posture; lengths in mm of an adult of average height, factors around 1."""

    child: bool
    scale: float
    """Height as a share of an average adult's."""
    width: float
    depth: float
    height: float
    fat: float
    """Thickness under the skin at the flank."""
    breast: float
    """Radius; 0 for none."""
    heart: float
    dome: float
    """z of the right diaphragm's top."""
    lean: float
    """Degrees by which the breastbone slopes forward."""
    kyphosis: float
    """How far the upper spine bends forward."""
    bone: float
    """Factor on bone's attenuation."""

    def spine_y(self, z: float) -> float:
        """Y of the vertebral bodies' middle: furthest back at mid chest."""
        bend = self.kyphosis if z > 0 else 0.4 * self.kyphosis + 8
        return 60 * self.depth - bend * (z / 170) ** 2

    def sternum_y(self, z: float) -> float:
        """Y of the breastbone: it slopes forward on its way down."""
        return float(
            -102 * self.depth * (0.905 - 0.0017 * z) + np.tan(np.radians(self.lean)) * (50 + z)
        )


def random_person(rng: np.random.Generator) -> Person:
    """Draw a person, a child in about one case of seven, always by the same draws."""
    child, barrel, female = (rng.random(3) < (0.15, 0.12, 0.5)).tolist()
    size, width, depth, height, heart, dome = rng.normal(0, 1, 6).clip(-2.2, 2.2).tolist()
    small, lean, kyphosis, bone, breast = rng.random(5).tolist()
    fat = min(rng.gamma(1.8, 9.0), 75.0)
    return Person(
        child=child,
        scale=0.36 + 0.44 * small if child else 1 + 0.05 * size,
        width=1.03 + 0.05 * width if child else 1 + 0.06 * width,
        depth=1.15 + 0.07 * depth if child else 1 + 0.09 * depth + 0.18 * barrel,
        height=0.88 + 0.06 * height if child else 1 + 0.07 * height + 0.06 * barrel,
        fat=0.3 * fat if child else fat,
        breast=min(15 + 40 * breast + 0.4 * fat, 75) if female and not child else 0.0,
        heart=1.08 + 0.1 * heart if child else 1 + 0.11 * heart,
        dome=-55 + 15 * dome if child else -62 + 20 * dome - 18 * barrel + 0.3 * fat,
        lean=3 + (10 if child else 13) * lean,
        kyphosis=5 + (25 if child else 50) * kyphosis,
        bone=0.8 + 0.5 * bone if child else 0.65 + 0.6 * bone,
    )

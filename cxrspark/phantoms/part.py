"""A part of a body other than the chest, as rough anatomy of ellipsoids. Lengths are in mm."""

from __future__ import annotations

from dataclasses import dataclass, field

from cxrspark.phantoms.solids import COMPACT, SOFT, Ellipsoid, Layer, Vector, rod


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

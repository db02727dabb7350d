"""What a synthetic archive may hold beside upright chests: other images, and chests laid wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cxrspark.phantoms import other_parts, other_pictures
from cxrspark.phantoms.files import jpeg
from cxrspark.pixels.image import Grey8

LAYINGS = ("turned by 90", "turned by 180", "turned by 270", "inverted", "mirrored")
"""What is done to a chest: turned anticlockwise, so that as much clockwise sets it upright."""

OTHERS = (*other_parts.PARTS, *other_pictures.KINDS)


@dataclass(frozen=True)
class Odd:
    """One image that is no upright chest."""

    what: str
    """One of `LAYINGS` or `OTHERS`."""
    seed: int

    @property
    def other(self) -> bool:
        """Whether it is no chest at all."""
        return self.what in OTHERS

    def picture(self, chest: Grey8) -> Grey8:
        """Draw it.

        Args:
            chest: What the image would show, shape (rows, columns).

        Returns:
            uint8, of the same shape; of a quarter turn with rows and columns exchanged.
        """
        if not self.other:
            return _laid(chest, self.what)
        rng = np.random.default_rng(self.seed)
        rows, columns = chest.shape
        if self.what in other_parts.PARTS:
            drawn = other_parts.picture(rng, self.what, max(rows, columns))
        else:
            drawn = other_pictures.picture(rng, self.what, 256)
        resized = Image.fromarray(drawn).resize((columns, rows), Image.Resampling.BICUBIC)
        return np.asarray(resized)


def plan_odd(seed: int, frontal: Sequence[bool], others: float, laid: float) -> list[Odd | None]:
    """Decide which images are odd, all kinds in turn.

    Args:
        seed: The archive's; draws of their own, so that the other images are what they were.
        frontal: Whether each image is: those are mirrored while there are any, as others do not
            show it.
        others: Share of them that is no chest.
        laid: Share of them that is turned, inverted or mirrored.

    Returns:
        One for each image; None for an upright chest.
    """
    rng = np.random.default_rng([seed, 1])
    images = len(frontal)
    order = rng.permutation(images).tolist()
    first, second = round(others * images), round(laid * images)
    spare = (place for place in order[first + second :] if frontal[place])
    plan: list[Odd | None] = [None] * images
    for turn, place in enumerate(order[: first + second]):
        kinds = OTHERS if turn < first else LAYINGS
        number = turn if turn < first else turn - first
        what = kinds[number % len(kinds)]
        if what == "mirrored" and not frontal[place]:
            place = next(spare, place)
        plan[place] = Odd(what, int(rng.integers(2**31)))
    return plan


def redraw(file: Path, odd: Odd) -> tuple[int, tuple[int, ...]]:
    """Replace a JPEG by an odd one; its bytes, and rows and columns."""
    with Image.open(file) as chest:
        drawn = odd.picture(np.asarray(chest))
    return file.write_bytes(jpeg(Image.fromarray(drawn))), drawn.shape


def _laid(chest: Grey8, what: str) -> Grey8:
    if what == "inverted":
        return np.asarray(255 - chest)
    if what == "mirrored":
        return np.ascontiguousarray(chest[:, ::-1])
    return np.ascontiguousarray(np.rot90(chest, int(what.split()[-1]) // 90))

"""What the second network answers beside frontal or lateral, and when it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cxrspark.pixels.image import Grey8
from cxrspark.pixels.upright import upright

OUTPUTS = (
    "p_chest", "p_turn_0", "p_turn_90", "p_turn_180", "p_turn_270", "p_inverted", "p_mirrored",
    "p_ap",
)  # fmt: skip
"""Columns of the network's output: calibrated probabilities, 0 … 1; the four turns add up to 1."""

TURNS = (0, 90, 180, 270)
"""Degrees clockwise that set an image upright."""

P_CHEST, P_TURN, P_INVERTED, P_MIRRORED, P_AP = 0, slice(1, 5), 5, 6, 7
"""Where they stand in `OUTPUTS`."""

OF_UPRIGHT = [P_CHEST, P_MIRRORED, P_AP]
"""What is asked of an upright image."""

DOUBTFUL = 0.2
"""An image with a smaller `p_chest` is no chest, however it lies."""

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class Thresholds:
    """When the network's probabilities make an answer.

    An answer of two sides is given below the first and above the second of a pair; a pair 0, 1
    never answers.

    Attributes:
        chest_below: An image with a smaller `p_chest` is called other.
        turn_sure: A turn is given where its probability is at least this.
        inverted: Below the first not inverted, above the second inverted.
        mirrored: Likewise.
        ap: Below the first PA, above the second AP.
    """

    chest_below: float
    turn_sure: float
    inverted: tuple[float, float]
    mirrored: tuple[float, float]
    ap: tuple[float, float]

    def as_card(self) -> dict[str, Any]:
        """As JSON keeps them."""
        return asdict(self)

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Thresholds:
        """From what `as_card` gave.

        Raises:
            KeyError, TypeError, ValueError: Something is missing or out of order.
        """
        pairs = {}
        for name in ("inverted", "mirrored", "ap"):
            low, high = (float(value) for value in card[name])
            if not 0 <= low <= high <= 1:
                raise ValueError(f"{name} is out of order")
            pairs[name] = (low, high)
        chest_below, turn_sure = float(card["chest_below"]), float(card["turn_sure"])
        if not (0 <= chest_below <= 1 and 0.5 <= turn_sure <= 1):
            raise ValueError("a threshold is out of range")
        return cls(chest_below, turn_sure, **pairs)


def ask(
    score: Callable[[Grey8], Floats], pixels: Grey8, thresholds: Thresholds
) -> tuple[Floats, npt.NDArray[np.int64], Grey8]:
    """Ask of images, and once more of upright copies of those that are turned or inverted.

    Chest or not, frontal or lateral, mirrored, AP or PA: an upright image tells them best.

    Args:
        score: The network: pixels to probabilities in the order of `OUTPUTS`, shape (n, 8).
        pixels: uint8, shape (n, 64, 64).
        thresholds: When an answer is given.

    Returns:
        The probabilities, of them `OF_UPRIGHT` those of the copies where there are such; which
        images these are of, int64 (m,); and the copies, uint8 (m, 64, 64).
    """
    said = score(pixels)
    of_turns = said[:, P_TURN]
    turn = np.where(of_turns.max(1) >= thresholds.turn_sure, of_turns.argmax(1), 0)
    inverted = said[:, P_INVERTED] > thresholds.inverted[1]
    maybe_chest = said[:, P_CHEST] >= min(DOUBTFUL, thresholds.chest_below)
    rows = np.flatnonzero(maybe_chest & (inverted | (turn > 0)))
    copies = [upright(pixels[row], TURNS[turn[row]], bool(inverted[row]), None) for row in rows]
    stacked = np.array(copies, np.uint8).reshape(-1, *pixels.shape[1:])
    said[rows[:, None], OF_UPRIGHT] = score(stacked)[:, OF_UPRIGHT]
    return said, rows, stacked

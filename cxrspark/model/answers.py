"""What the second network answers beside frontal or lateral, and when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OUTPUTS = (
    "p_chest", "p_turn_0", "p_turn_90", "p_turn_180", "p_turn_270", "p_inverted", "p_mirrored",
    "p_ap",
)  # fmt: skip
"""Columns of the network's output: calibrated probabilities, 0 … 1; the four turns add up to 1."""

TURNS = (0, 90, 180, 270)
"""Degrees clockwise that set an image upright."""

CHEST, TURN, INVERTED, MIRRORED, PROJECTION = (
    "chest", "turn", "inverted", "mirrored", "projection",
)  # fmt: skip
HEADS = (CHEST, TURN, INVERTED, MIRRORED, PROJECTION)
"""The questions, one head of the network each."""


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

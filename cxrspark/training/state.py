"""How far a training has come, in a file that a killed run leaves whole."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Weights = list[npt.NDArray[np.float32]]


@dataclass
class State:
    """How far a training has come.

    Attributes:
        history: One row per epoch: epoch, seconds, loss, accuracy, val_loss and
            val_accuracy.
        network: Weights as they are trained.
        optimizer: The optimizer's variables.
        kept: The weights that the bundle would get if the training ended now.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    network: Weights = field(default_factory=list)
    optimizer: Weights = field(default_factory=list)
    kept: Weights = field(default_factory=list)

    def save(self, file: Path) -> None:
        """Write all of it, or leave what was there."""
        arrays = {
            f"{name}_{number:03}": value
            for name in ("network", "optimizer", "kept")
            for number, value in enumerate(getattr(self, name))
        }
        unfinished = file.with_suffix(".unfinished.npz")
        np.savez(unfinished, history=np.array(json.dumps(self.history)), **arrays)
        os.replace(unfinished, file)

    @classmethod
    def load(cls, file: Path) -> State:
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            lists = {
                name: [arrays[key] for key in sorted(arrays) if key.startswith(f"{name}_")]
                for name in ("network", "optimizer", "kept")
            }
            return cls(json.loads(str(arrays["history"])), **lists)

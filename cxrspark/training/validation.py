"""What held-back images say of a trained network: its calibration, its band and its figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from cxrspark.evaluation.intervals import Figure, Ints, proportion
from cxrspark.model.calibration import Band, Platt, choose_band, fit_platt
from cxrspark.model.network import build_scorer, p_frontal
from cxrspark.pixels.image import SIDE, Grey8
from cxrspark.training.augmentation import vary
from cxrspark.training.fit import Trained
from cxrspark.training.settings import TrainSettings

COPIES = 16
"""Varied copies of each held-back image."""

BATCH = 256
"""Images that are varied at once."""


@dataclass(frozen=True)
class Checked:
    """What the held-back images say of the trained network.

    Attributes:
        platt: The calibration that was folded in.
        band: Where the network is uncertain.
        figures: Shares of the images, with intervals; None where a share would be of none.
        patients: How many patients the images are of.
    """

    platt: Platt
    band: Band
    figures: dict[str, Figure | None]
    patients: int

    def as_card(self) -> dict[str, Any]:
        """The figures as JSON keeps them."""
        return {
            name: {key: round(value, 6) for key, value in asdict(figure).items()}
            if figure
            else None
            for name, figure in self.figures.items()
        }


def calibrate(
    settings: TrainSettings, trained: Trained, folder: str
) -> tuple[keras.Model, Checked]:
    """Fold Platt scaling into the last layer and choose the uncertain band.

    A network that was trained for other hospitals is scaled on varied copies of the held-back
    images too: it tells those as they are apart without an error, which says little of how sure
    it may be elsewhere.

    Args:
        settings: The training's.
        trained: Its network; the last layer is changed.
        folder: Of the held-back images, from `cxrspark.training.feed.write_labelled`.

    Returns:
        The network with the preparation before it, and what the images say of it.
    """
    rows = pd.read_parquet(folder)
    pixels = np.frombuffer(b"".join(rows["pixels"]), np.uint8).reshape(-1, SIDE, SIDE)
    frontal = rows["frontal"].to_numpy() > 0.5
    patients: Ints = rows["patient"].to_numpy(np.int64)
    scorer = build_scorer(trained.network, settings.preparation)
    copies = COPIES if settings.augmentation == "hospitals" else 0
    images = np.concatenate([pixels, *(_varied(pixels) for _ in range(copies))])
    truths = np.tile(frontal, 1 + copies)
    platt = fit_platt(p_frontal(scorer, images), truths, 1 + copies)
    last = trained.network.layers[-1]
    kernel, bias = last.get_weights()
    last.set_weights([kernel * platt.slope, bias * platt.slope + platt.offset])
    probability = p_frontal(scorer, pixels)
    band = choose_band(probability, frontal, settings.called_right, settings.least_confidence)
    right = (probability > 0.5) == frontal
    called = (probability < band.lateral_below) | (probability > band.frontal_above)
    figures = {
        "validation_accuracy": proportion(right, patients),
        "called": proportion(called, patients),
        "right_of_called": proportion(right[called], patients[called]),
        "uncertain": proportion(~called, patients),
    }
    return scorer, Checked(platt, band, figures, len(np.unique(patients)))


def _varied(pixels: Grey8) -> Grey8:
    parts = np.array_split(pixels, -(-len(pixels) // BATCH))
    return np.concatenate([vary(part).numpy() for part in parts])

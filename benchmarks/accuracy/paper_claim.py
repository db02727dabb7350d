"""The paper's claim on iu_openi_256.

    python -m benchmarks.accuracy.paper_claim DATA OUT.json EPOCHS [SEED…]

For each seed (five where none is given) draws 564 frontal and 512 lateral images, trains by the
paper's recipe on 451 + 409 of them, and classifies all images that were not drawn.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrspark.archive.patients import of_known_patients
from cxrspark.model.network import build_scorer, p_frontal
from cxrspark.training.fit import fit
from cxrspark.training.samples import Split, check_split, draw, split
from cxrspark.training.settings import TrainSettings
from cxrspark.training.state import Weights

from benchmarks.accuracy.shared import IU, as_table, labels, pixels, share

SEEDS = (1, 2, 3, 4, 5)
FRONTAL, LATERAL = 564, 512


class Claim:
    """The images of one source, and the paper's training on a draw of them.

    Attributes:
        rows: One a labelled image.
        images: uint8 (n, 64, 64).
    """

    def __init__(self, data: Path):
        rows = labels(data)
        self.rows = rows[rows["source"] == IU].reset_index(drop=True)
        self.images = pixels(data, self.rows)

    def recipe(self, seed: int, epochs: int) -> TrainSettings:
        """The defaults of `jobs/train.py`."""
        return TrainSettings(labels="-", archive="-", bundle=Path("-"), seed=seed, epochs=epochs)

    def parts(self, seed: int) -> Split:
        """451 + 409 images to train on, 113 + 103 to validate."""
        drawn = draw(self.rows, FRONTAL, LATERAL, seed)
        return split(drawn, self.recipe(seed, 1).validation_share, seed)

    def train(self, recipe: TrainSettings, parts: Split, start: Weights | None = None) -> Weights:
        """Weights that the recipe keeps, and so those of the least validation loss."""
        check_split(parts)
        place = pd.Series(self.rows.index, self.rows["image_id"])
        training, validation = (
            as_table(part, self.images[place[part["image_id"]].to_numpy()])
            for part in (parts.training, parts.validation)
        )
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "state.npz"
            trained = fit(recipe, training, validation[1], file, lambda line: None, start)
        weights: Weights = trained.network.get_weights()
        self.answers = p_frontal(build_scorer(trained.network, recipe.preparation), self.images)
        return weights

    def others(self, parts: Split) -> npt.NDArray[np.bool_]:
        """Images that were not drawn."""
        drawn = pd.concat([parts.training["image_id"], parts.validation["image_id"]])
        return ~self.rows["image_id"].isin(drawn).to_numpy()

    def strangers(self, parts: Split) -> npt.NDArray[np.bool_]:
        """Images whose patient has no image among the drawn ones."""
        drawn = pd.concat([parts.training, parts.validation])
        return ~of_known_patients(self.rows, drawn)

    def share(self, chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
        """Of these images, how many the last training's network calls by their view."""
        right = (self.answers > 0.5) == (self.rows["label"] == "frontal").to_numpy()
        return share(right[chosen], self.rows[chosen])


def main(data: Path, out: Path, epochs: int, seeds: list[int]) -> None:
    """Measure and write the figures, after each seed."""
    claim = Claim(data)
    figures: list[dict[str, Any]] = []
    for seed in seeds:
        parts = claim.parts(seed)
        claim.train(claim.recipe(seed, epochs), parts)
        first = claim.share(claim.others(parts))
        strangers = claim.share(claim.strangers(parts))
        figures.append({"seed": seed, "epochs": epochs, "first": first, "strangers": strangers})
        mean = float(np.mean([f["first"]["accuracy"] for f in figures]))
        out.write_text(json.dumps({"mean": mean, "seeds": figures}, indent=1) + "\n")
        print(json.dumps(figures[-1]), f"mean so far {mean:.4%}", flush=True)


if __name__ == "__main__":
    chosen = [int(seed) for seed in sys.argv[4:]] or list(SEEDS)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), chosen)

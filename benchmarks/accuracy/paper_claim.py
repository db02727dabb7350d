"""The paper's claim on iu_openi_256.

    python -m benchmarks.accuracy.paper_claim DATA OUT.json EPOCHS [SEED…]

For each seed (five where none is given) draws 564 frontal and 512 lateral images, trains by the
paper's recipe on 451 + 409 of them, and classifies all images that were not drawn. With
`--second-round` before the seeds, the images that the first model is sure of are added and the
training is repeated with as many steps.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd

from cxrspark.model.network import build_scorer, p_frontal
from cxrspark.training.fit import fit
from cxrspark.training.samples import Split, check_split, draw, split
from cxrspark.training.second_round import add_to_training
from cxrspark.training.settings import TrainSettings

from benchmarks.accuracy.shared import IU, as_table, labels, pixels, share

SEEDS = (1, 2, 3, 4, 5)
SURE = 0.99


def main(data: Path, out: Path, epochs: int, seeds: list[int], second_round: bool) -> None:
    """Measure and write the figures, after each seed."""
    rows = labels(data)
    rows = rows[rows["source"] == IU].reset_index(drop=True)
    images = pixels(data, rows)
    figures: list[dict[str, Any]] = []
    for seed in seeds:
        recipe = TrainSettings(
            labels="labels.csv", archive=str(data), bundle=Path("-"), seed=seed, epochs=epochs
        )
        drawn = draw(rows, 564, 512, seed)
        parts = split(drawn, recipe.validation_share, seed)
        first = _train(recipe, parts, rows, images)
        others = ~rows["image_id"].isin(drawn["image_id"]).to_numpy()
        figure = {"seed": seed, "epochs": epochs, "first": _share(first, rows, others)}
        if second_round:
            sure = others & ((first >= SURE) | (first <= 1 - SURE))
            added = rows[sure].assign(label=np.where(first[sure] > 0.5, "frontal", "lateral"))
            wrong = int((added["label"] != rows.loc[sure, "label"]).sum())
            more = add_to_training(parts, added)
            passes = max(1, round(epochs * len(parts.training) / len(more.training)))
            longer = recipe.model_copy(update={"epochs": passes})
            second = _train(longer, more, rows, images)
            figure["second"] = _share(second, rows, others)
            figure["added"], figure["added_wrong"] = len(added), wrong
            figure["second_epochs"] = passes
        figures.append(figure)
        mean = float(np.mean([f["first"]["accuracy"] for f in figures]))
        out.write_text(json.dumps({"mean": mean, "seeds": figures}, indent=1) + "\n")
        print(json.dumps(figure), f"mean so far {mean:.4%}", flush=True)


def _train(recipe: TrainSettings, parts: Split, rows: pd.DataFrame, images: Any) -> Any:
    """Probability of a frontal view for all images, by a network trained on the first part."""
    check_split(parts)
    place = pd.Series(rows.index, rows["image_id"])
    tables = [
        as_table(part, images[place[part["image_id"]].to_numpy()])
        for part in (parts.training, parts.validation)
    ]
    with tempfile.TemporaryDirectory() as folder:
        trained = fit(
            recipe, tables[0], tables[1][1], Path(folder) / "state.npz", lambda line: None
        )
    return p_frontal(build_scorer(trained.network, recipe.preparation), images)


def _share(probability: Any, rows: pd.DataFrame, chosen: Any) -> dict[str, Any]:
    right = (probability > 0.5) == (rows["label"] == "frontal").to_numpy()
    return share(right[chosen], rows[chosen])


if __name__ == "__main__":
    given = sys.argv[4:]
    again = "--second-round" in given
    chosen = [int(seed) for seed in given if seed.isdigit()] or list(SEEDS)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), chosen, again)

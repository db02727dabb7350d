"""Sources that were not trained on.

    python -m benchmarks.accuracy.unseen_sources DATA RECIPE.yaml OUT.json

Trains by a recipe on iu_openi_256 alone and classifies every other source, which is harder than
leaving out one of them at a time. `--setting value` pairs after the arguments change the recipe.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrspark.jobs.cli import read_settings
from cxrspark.model.network import build_scorer, p_frontal
from cxrspark.training.fit import fit
from cxrspark.training.settings import TrainSettings

from benchmarks.accuracy.shared import IU, as_table, labels, pixels, share

Pixels = npt.NDArray[np.uint8]
Predict = Callable[[Pixels], npt.NDArray[np.float32]]


def recipe_of(file: str, changes: list[str]) -> TrainSettings:
    """The recipe of a file in conf/ with `--setting value` pairs changed."""
    given = ["--labels", "-", "--archive", "-", "--bundle", "-", "--config", file]
    return read_settings(TrainSettings, given + changes)


def train(
    recipe: TrainSettings, rows: pd.DataFrame, images: Pixels, sources: Sequence[str] = (IU,)
) -> Predict:
    """Train on these sources alone; the result gives p_frontal of pixels."""
    tables = []
    for part in ("training", "validation"):
        chosen = (rows["source"].isin(sources) & (rows["part"] == part)).to_numpy()
        tables.append(as_table(rows[chosen], images[chosen]))
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.npz"
        trained = fit(recipe, tables[0], tables[1][1], state, lambda line: print(line, flush=True))
    scorer = build_scorer(trained.network, recipe.preparation)
    return lambda values: p_frontal(scorer, values)


def judge(predict: Predict, rows: pd.DataFrame, images: Pixels) -> dict[str, dict]:
    """Accuracy on each source; of iu_openi_256, on patients that were not trained on."""
    right = (predict(images) > 0.5) == (rows["view"] == "frontal").to_numpy()
    figures = {}
    for source in sorted(set(rows["source"])):
        of_source = (rows["source"] == source) & ~((source == IU) & (rows["part"] != "test"))
        figures[source] = share(right[of_source], rows[of_source])
        print(f"{source:<14} {figures[source]['accuracy']:8.2%} of {int(of_source.sum())}")
    return figures


def main(data: Path, recipe_file: str, out: Path, changes: list[str]) -> None:
    """Measure, print and write."""
    recipe = recipe_of(recipe_file, changes)
    rows = labels(data)
    images = pixels(data, rows)
    figures = judge(train(recipe, rows, images), rows, images)
    done = {"epochs": recipe.epochs, "changes": changes, "sources": figures}
    out.write_text(json.dumps(done, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])

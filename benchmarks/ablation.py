"""What each part of the robust recipe gives: python benchmarks/ablation.py DATA OUT.json.

Trains on iu_openi_256 alone, each time with one setting of conf/train-robust.yaml changed, and
classifies the other sources and the copies of `stress.py`. The whole recipe is run with three
seeds, so that a difference can be told from chance; the mean of those three networks' answers is
what the distilled network learns. OUT.json is written after each network.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
import stress
import unseen_sources as unseen
from shared import labels, pixels

RECIPE = "conf/train-robust.yaml"
EPOCHS = 24

VARIANTS = {
    "the whole recipe": [],
    "the same, seed 2": ["--seed", "2"],
    "the same, seed 3": ["--seed", "3"],
    "the paper's augmentation": ["--augmentation", "paper"],
    "not equalised": ["--preparation", "repeated"],
    "weights not averaged": ["--averaging", "0"],
    "labels not smoothed": ["--label-smoothing", "0"],
    "views not balanced": ["--no-balance-views"],
}
TEACHERS = 3
"""The first so many variants."""

# Labels that are no longer 0 and 1 have no views to balance; the answers are smooth themselves.
DISTILLED = ["--no-balance-views", "--source-balance", "1", "--label-smoothing", "0"]


def main(data: Path, out: Path) -> None:
    """Train, measure and write."""
    rows = labels(data)
    images = pixels(data, rows)
    tested = rows[rows["part"] == "test"]
    copies = list(stress.copies(data, tested))
    done: dict[str, dict] = {}

    def run(name: str, changes: list[str], taught: pd.DataFrame = rows) -> unseen.Predict:
        recipe = unseen.recipe_of(RECIPE, ["--epochs", str(EPOCHS), *changes])
        predict = unseen.train(recipe, taught, images)
        sources = unseen.judge(predict, rows, images)
        changed = [stress.judge(predict, tested, pixels) for _, pixels in copies]
        done[name] = {
            "sources": {s: f["accuracy"] for s, f in sources.items()},
            "changed_mean": float(np.mean([f["accuracy"] for f in changed])),
            "changed_worst_view": min(min(f["frontal"], f["lateral"]) for f in changed),
        }
        print(name, done[name], flush=True)
        out.write_text(json.dumps({"epochs": EPOCHS, "variants": done}, indent=1) + "\n")
        return predict

    answers = np.zeros(len(rows))
    for number, (name, changes) in enumerate(VARIANTS.items()):
        predict = run(name, changes)
        if number < TEACHERS:
            answers += predict(images) / TEACHERS
    run("distilled from those three", DISTILLED, rows.assign(frontal=answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""What each part of the robust recipe gives: python -m benchmarks.accuracy.ablation DATA OUT.json.

Trains on iu_openi_256 alone, each time with one thing about conf/train-robust.yaml changed, and
classifies the other sources and the copies of `stress.py`. The recipe itself is run with several
seeds, so that a difference can be told from chance; the mean of those networks' answers is what
the distilled network learns. "More sources" leaves one source out at a time. Two networks train
at once, each in a process of its own. OUT.json is written after each row.
"""

import json
import os
import sys
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from cxrspark.training import augmentation

from benchmarks.accuracy import stress
from benchmarks.accuracy import unseen_sources as unseen
from benchmarks.accuracy.shared import IU, labels, pixels

RECIPE = "conf/train-robust.yaml"
EPOCHS = 32
SEEDS = 3
OTHERS = ("hannover", "vqa_rad", "kermany_paed")

Measured = tuple[dict[str, Any], npt.NDArray[np.float64]]
"""Figures, and p_frontal of every image."""


def unchanged(grey: Any) -> Any:
    """Stand in for a part of the augmentation that is left out."""
    return grey


@dataclass(frozen=True)
class Variant:
    """The recipe with something changed: its settings, or names of `…training.augmentation`."""

    settings: tuple[str, ...] = ()
    augmentation: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = (IU,)


VARIANTS = {
    "the recipe": Variant(),
    "the same, seed 2": Variant(("--seed", "2")),
    "the same, seed 3": Variant(("--seed", "3")),
    "for 96 epochs": Variant(("--epochs", "96")),
    "with the paper's augmentation": Variant(("--augmentation", "paper")),
    "not equalised": Variant(("--preparation", "repeated")),
    "RMSProp at a constant 0.001": Variant(
        ("--optimizer", "rmsprop", "--no-cosine", "--learning-rate", "0.001")
    ),
    "no contrast processing": Variant(augmentation={"vary_contrast": unchanged}),
    "no shading, blur, noise, brightness": Variant(augmentation={"vary_exposure": unchanged}),
    "none inverted": Variant(augmentation={"INVERTED_SHARE": 0.0}),
    "none turned or upside down": Variant(
        augmentation={"TURNED_SHARE": 0.0, "UPSIDE_DOWN_SHARE": 0.0}
    ),
    "not cropped, shrunk or stretched": Variant(augmentation={"ZOOM": (0.0, 0.0), "ASPECT": 0.0}),
    "no borders": Variant(augmentation={"add_borders": unchanged}),
    "no borders, seed 2": Variant(("--seed", "2"), {"add_borders": unchanged}),
    "no borders, seed 3": Variant(("--seed", "3"), {"add_borders": unchanged}),
    "no markers, lines, covered parts": Variant(augmentation={"add_objects": unchanged}),
}
MORE_SOURCES = {
    left_out: Variant(sources=(IU, *(s for s in OTHERS if s != left_out))) for left_out in OTHERS
}
"""Trained on one source less each time, which is the one that is then classified."""


def measure(file: str, rows: pd.DataFrame, variant: Variant) -> Measured:
    """Train a variant; its figures, and p_frontal of all images."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for name, part in variant.augmentation.items():
        setattr(augmentation, name, part)
    with np.load(file) as stored:
        images = dict(stored)
    recipe = unseen.recipe_of(RECIPE, ["--epochs", str(EPOCHS), *variant.settings])
    predict = unseen.train(recipe, rows, images["all"], variant.sources)
    sources = unseen.judge(predict, rows, images["all"])
    tested = rows[rows["part"] == "test"]
    changed = [stress.judge(predict, tested, images[name]) for name in stress.CHANGES]
    figures = {
        "sources": {s: f["accuracy"] for s, f in sources.items() if s not in variant.sources[1:]},
        "changed_mean": float(np.mean([f["accuracy"] for f in changed])),
        "changed_worst_view": min(min(f["frontal"], f["lateral"]) for f in changed),
    }
    return figures, predict(images["all"])


def in_turn(parts: dict[str, dict]) -> dict[str, Any]:
    """One row of several trainings: each source by that one which did not have it."""
    return {
        "sources": {source: figures["sources"][source] for source, figures in parts.items()},
        "changed_mean": float(np.mean([f["changed_mean"] for f in parts.values()])),
        "changed_worst_view": min(f["changed_worst_view"] for f in parts.values()),
    }


def main(data: Path, out: Path) -> None:
    """Train, measure and write."""
    rows = labels(data)
    done: dict[str, dict] = {}
    answers = []

    def keep(name: str, figures: dict[str, Any]) -> None:
        done[name] = figures
        print(name, figures, flush=True)
        out.write_text(json.dumps({"epochs": EPOCHS, "variants": done}, indent=1) + "\n")

    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/images.npz"
        copies = dict(stress.copies(data, rows[rows["part"] == "test"]))
        np.savez(file, all=pixels(data, rows), **copies)
        pool = ProcessPoolExecutor(2, get_context("spawn"), max_tasks_per_child=1)

        def start(variant: Variant, taught: pd.DataFrame = rows) -> Future[Measured]:
            return pool.submit(measure, file, taught, variant)

        with pool:
            single = {name: start(variant) for name, variant in VARIANTS.items()}
            turns = {left_out: start(variant) for left_out, variant in MORE_SOURCES.items()}
            for name, job in single.items():
                figures, answer = job.result()
                keep(name, figures)
                answers.append(answer)
            keep("more sources", in_turn({s: job.result()[0] for s, job in turns.items()}))
            taught = rows.assign(frontal=np.mean(answers[:SEEDS], axis=0))
            keep("distilled from the three seeds", start(Variant(), taught).result()[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

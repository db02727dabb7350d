"""The shipped bundle's other answers on patients that it was not trained on.

    python -m benchmarks.accuracy.answers DATA [BUNDLE]

Images of test patients (15 % of the two large sources, by a hash of their id), as they are and laid
at random; every source whole for what the view becomes; and what the second network costs beside
the first, in one process. Writes docs/figures/answers.json.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from cxrspark.evaluation.intervals import auc
from cxrspark.model.bundle import DEFAULT, Bundle, load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.pixels.image import Grey8
from cxrspark.training.answers.examples import Examples
from cxrspark.training.answers.run import ANSWERS_KERAS

from benchmarks.accuracy.answers_left_out import examples
from benchmarks.accuracy.shared import answers
from benchmarks.common.measuring import FIGURES

TIMED = 2048
"""Images scored a round, in ten alternating rounds."""

LAYINGS = 4
"""Times that each image is laid at random."""


def lay(pixels: Grey8, rng: np.random.Generator) -> tuple[Grey8, Any, Any, Any]:
    """Turn, mirror and invert every image at random: pixels, quarters, inverted, mirrored."""
    number = len(pixels)
    quarter = rng.integers(0, 4, number)
    mirrored, inverted = rng.random(number) < 0.5, rng.random(number) < 0.5
    laid = np.where(mirrored[:, None, None], pixels[:, :, ::-1], pixels)
    for turns in range(1, 4):
        laid[quarter == turns] = np.rot90(laid[quarter == turns], turns, axes=(1, 2))
    laid = np.where(inverted[:, None, None], 255 - laid, laid)
    return laid, quarter, inverted, mirrored


def share(hits: Any) -> dict[str, float]:
    """How many of how many."""
    return {"value": float(np.mean(hits)) if len(hits) else float("nan"), "images": len(hits)}


def laid(bundle: Bundle, part: Examples) -> dict[str, Any]:
    """What is right of chests laid at random, and what is false of them as they are."""
    rng = np.random.default_rng(11)
    as_they_are = answers(bundle, part.pixels)
    rows: dict[str, list[Any]] = {
        name: [] for name in ("turn", "inverted", "mirrored", "view", "other")
    }
    answered: list[Any] = []
    for _ in range(LAYINGS):
        pixels, quarter, inverted, mirrored = lay(part.pixels, rng)
        said = answers(bundle, pixels)
        rows["turn"].append(said["turn"] == quarter)
        rows["inverted"].append(said["inverted"] == inverted)
        rows["view"].append(said["view"] == part.rows["label"].to_numpy())
        rows["other"].append(said["view"] == "other")
        known = part.frontal & ~np.isnan(said["mirrored"])
        rows["mirrored"].append((said["mirrored"] == mirrored)[known])
        answered.append(known[part.frontal])
    return {
        "turn right": share(np.concatenate(rows["turn"])),
        "false turns": share(as_they_are["turn"] > 0),
        "inverted right": share(np.concatenate(rows["inverted"])),
        "falsely inverted": share(as_they_are["inverted"] == 1),
        "mirrored right, where answered": share(np.concatenate(rows["mirrored"])),
        "mirrored answered, of frontal": share(np.concatenate(answered)),
        "view right, laid at random": share(np.concatenate(rows["view"])),
        "called other, laid at random": share(np.concatenate(rows["other"])),
        "view right, as they are": share(as_they_are["view"] == part.rows["label"].to_numpy()),
        "called other, as they are": share(as_they_are["view"] == "other"),
    }


def ap_auc(bundle: Bundle, part: Examples) -> float | None:
    """Area under the ROC curve of `p_ap`, of images whose projection is labelled."""
    known = ~np.isnan(part.ap)
    p = answers(bundle, part.pixels)["p_ap"][known].astype(float)
    patient = np.unique(part.rows["patient"][known], return_inverse=True)[1].astype(np.int64)
    figure = auc(p, part.ap[known] == 1, patient)
    return figure.value if figure else None


def cost(bundle: Bundle) -> dict[str, float]:
    """Milliseconds an image of each network on one core, medians of alternating rounds."""
    pixels = np.random.default_rng(1).integers(0, 256, (TIMED, 64, 64), dtype=np.uint8)
    assert bundle.answers
    scorers = {"view": Scorer(bundle.flatbuffer), "answers": Scorer(bundle.answers)}
    took: dict[str, list[float]] = {name: [] for name in scorers}
    for _ in range(10):
        for name, scorer in scorers.items():
            start = time.process_time()
            scorer(pixels)
            took[name].append(1e3 * (time.process_time() - start) / TIMED)
    return {name: round(float(np.median(times)), 4) for name, times in took.items()}


def licences(data: Path) -> dict[str, str]:
    """Of every source, as found."""
    files = ("labels.csv", "labels_more.csv")
    rows = pd.concat([pd.read_csv(data / name, dtype=str) for name in files])
    found = rows["license"].str.replace(r" \([^)]*\)", "", regex=True)  # what is no licence
    return {
        str(source): "; ".join(sorted(set(of_source)))
        for source, of_source in found.groupby(rows["source"])
    }


def weights(folder: str) -> int:
    """Trained numbers of the second network."""
    return int(keras.models.load_model(Path(folder) / ANSWERS_KERAS, compile=False).count_params())


def main(data: Path, folder: str | None) -> None:
    """Measure, print and write."""
    bundle = load_bundle(folder)
    every, test = examples(data)
    held_back = every.only(np.asarray(test))
    found: dict[str, Any] = {"model_id": bundle.model_id}
    found["unseen patients"] = {
        source: laid(bundle, held_back.only(np.asarray(held_back.rows["source"] == source)))
        for source in sorted(set(held_back.rows["source"]))
    }
    found["AUC for AP"] = {
        source: ap_auc(bundle, held_back.only(np.asarray(held_back.rows["source"] == source)))
        for source in sorted(set(held_back.rows["source"]))
    }
    said = answers(bundle, every.pixels)
    group = np.where(every.chest, every.rows["source"], every.rows["kind"])
    found["called other"] = {
        name: share((said["view"] == "other")[group == name]) for name in sorted(set(group))
    }
    found["milliseconds"] = cost(bundle)
    found["weights"] = weights(folder or DEFAULT)
    found["licences"] = licences(data)
    (FIGURES / "answers.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)

"""The labelled radiographs of ../shared/data as arrays, for measurements without Spark."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf

from cxrspark.archive.patients import number_patients
from cxrspark.evaluation.intervals import proportion
from cxrspark.model.bundle import Bundle
from cxrspark.model.inference import said_of
from cxrspark.pixels.image import Grey8
from cxrspark.pixels.shrink_to_64 import shrink
from cxrspark.training.feed import Dataset, Labelled

IU = "iu_openi_256"
TESTED, VALIDATED = 15, 20
"""Percent of the patients of IU that are for the test, and up to where the rest validate."""


def labels(data: Path) -> pd.DataFrame:
    """The rows of labels.csv that are frontal or lateral, with the part that each is for."""
    rows = pd.read_csv(data / "labels.csv", dtype=str)
    rows = rows[rows["view"].isin(["frontal", "lateral"])].reset_index(drop=True)
    patient = rows["source"] + "/" + rows["patient_id"].fillna(rows["path"])
    percent = patient.map(lambda name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100)
    held_back = rows["source"] == IU
    part = pd.Series("training", rows.index)
    part[held_back & (percent < VALIDATED)] = "validation"
    part[held_back & (percent < TESTED)] = "test"
    frontal = (rows["view"] == "frontal").astype(float)
    return rows.assign(part=part, label=rows["view"], frontal=frontal, image_id=rows["path"])


def pixels(data: Path, rows: pd.DataFrame) -> npt.NDArray[np.uint8]:
    """Shrink the images of the rows; uint8 (n, 64, 64)."""
    with ThreadPoolExecutor(2) as pool:
        shrunk = pool.map(lambda path: shrink((data / path).read_bytes()).values, rows["path"])
        return np.stack(list(shrunk))


def answers(bundle: Bundle, pixels: Grey8) -> dict[str, Any]:
    """Arrays by name, as the scores table has them, NaN for null; of old bundles p_frontal."""
    rows = said_of(pd.Series([image.tobytes() for image in pixels]), bundle.networks).to_numpy()
    p, said = rows[:, 0], rows[:, 1:]
    if (given := bundle.thresholds) is None:
        return {"p_frontal": p}
    chest = said[:, 0] >= given.chest_below
    frontal, lateral = p > bundle.frontal_above, p < bundle.lateral_below
    best = said[:, 1:5]
    turn = np.where(best.max(1) >= given.turn_sure, best.argmax(1), np.nan)

    def side(column: int, ends: tuple[float, float], rows: Any) -> Any:
        value = said[:, column]
        known = np.where(value < ends[0], 0.0, np.where(value > ends[1], 1.0, np.nan))
        return np.where(rows, known, np.nan)

    return {
        "p_frontal": p,
        "view": np.where(
            ~chest, "other", np.where(frontal, "frontal", np.where(lateral, "lateral", "uncertain"))
        ),
        "turn": np.where(chest, turn, np.nan),
        "inverted": side(5, given.inverted, chest),
        "mirrored": side(6, given.mirrored, chest & frontal),
        "ap": side(7, given.ap, chest & frontal),
        "p_ap": said[:, 7],
    }


def as_table(rows: pd.DataFrame, images: npt.NDArray[np.uint8]) -> tuple[Labelled, Dataset]:
    """What `cxrspark.training.fit.fit` takes, from arrays in memory."""
    frontal = rows["frontal"].to_numpy(np.float32)
    counts = (rows[column].value_counts().to_dict() for column in ("label", "source"))
    return Labelled("", *counts, []), tf.data.Dataset.from_tensor_slices((images, frontal))


def share(right: npt.NDArray[np.bool_], rows: pd.DataFrame) -> dict[str, Any]:
    """The share of these rows that is right, with its 95 % interval by patient."""
    patient = number_patients(rows)
    figure = proportion(right, patient)
    assert figure is not None
    return {
        "accuracy": figure.value,
        "low": figure.low,
        "high": figure.high,
        "images": figure.images,
        "patients": len(np.unique(patient)),
    }

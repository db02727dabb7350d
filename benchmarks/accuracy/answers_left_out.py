"""Kinds and sources left out of training in turn, and other ways to tell what is no chest.

    python -m benchmarks.accuracy.answers_left_out DATA WORK FOLD    # one training
    python -m benchmarks.accuracy.answers_left_out DATA WORK         # the table of all

Each fold leaves out sources of chests, kinds of real others and kinds of synthetic ones, the last
one real others alone; nothing of them, and no test patient, is trained on or sets a threshold.
Trained by conf/train-answers.yaml with `EPOCHS`. Writes docs/figures/answers_left_out.json.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers

from cxrspark.evaluation.intervals import auc
from cxrspark.jobs.cli import read_settings
from cxrspark.model.answers import P_AP
from cxrspark.model.answers_network import build_answers_scorer, prepared, probabilities
from cxrspark.model.bundle import DEFAULT
from cxrspark.pixels.image import Grey8
from cxrspark.training.answers.examples import (
    Examples,
    hold_back,
    joined,
    synthetic_others,
    with_patients,
)
from cxrspark.training.answers.fit import fit_answers, fit_projection
from cxrspark.training.answers.judge import figures, judge, lay_at_random
from cxrspark.training.settings import TrainSettings

from benchmarks.accuracy.answers_labels import answers_labels
from benchmarks.accuracy.left_out_table import EPOCHS, FOLDS, Floats, Scores, table
from benchmarks.accuracy.shared import pixels
from benchmarks.common.measuring import FIGURES

SYNTHETIC = (100, 80)


def recipe(file: str, *changes: str) -> TrainSettings:
    """A recipe of conf/, with changes."""
    given = ["--labels", "-", "--archive", "-", "--bundle", "-"]
    return read_settings(TrainSettings, [*given, "--config", f"conf/{file}.yaml", *changes])


def examples(data: Path) -> tuple[Examples, Any]:
    """All labelled images that are not locked, and which of them are of test patients."""
    rows = answers_labels(data)
    rows = rows[~rows["path"].str.contains("calibration_synthetic_00[13]")]  # of one grey
    rows = rows.reset_index(drop=True)
    names = {"path": "image_id", "view": "label"}
    return Examples(with_patients(rows.rename(columns=names)), pixels(data, rows)), rows["test"]


def distances(training: Floats, asked: Floats) -> Floats:
    """Mahalanobis distance of features from those of the chests that were trained on."""
    mean, spread = training.mean(0), np.cov(training.T) + 1e-3 * np.eye(training.shape[1])
    off = asked - mean
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", off, np.linalg.inv(spread), off)))


def components(training: Floats, asked: Floats, number: int = 80) -> Floats:
    """Mean squared error of what so many principal components leave."""
    mean = training.mean(0)
    _, _, axes = np.linalg.svd(training[:2000] - mean, full_matrices=False)
    off = asked - mean
    return np.asarray(((off - off @ axes[:number].T @ axes[:number]) ** 2).mean(1))


def autoencoder(training: Floats, asked: Floats, steps: int = 600) -> Floats:
    """Mean squared error of a convolutional autoencoder (Cohen et al. 2019, arXiv:1901.11210)."""
    keras.utils.set_random_seed(1)
    stack: list[Any] = [keras.Input((64, 64, 1))]
    for filters in (16, 32, 64):
        stack.append(layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu"))
    stack += [layers.Flatten(), layers.Dense(64), layers.Dense(4096, activation="relu")]
    stack.append(layers.Reshape((8, 8, 64)))
    for filters in (32, 16):
        stack.append(
            layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")
        )
    stack.append(layers.Conv2DTranspose(1, 3, strides=2, padding="same"))
    model = keras.Sequential(stack)
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    images = tf.data.Dataset.from_tensor_slices(training.reshape(-1, 64, 64, 1))
    batches = images.shuffle(len(training), seed=1).repeat().batch(64)
    both = batches.map(lambda image: (image, image))
    model.fit(both, steps_per_epoch=steps, epochs=1, verbose=0)
    grey = asked.reshape(-1, 64, 64, 1)
    made = model.predict(grey, verbose=0, batch_size=256)
    return np.asarray(((made - grey) ** 2).mean((1, 2, 3)), np.float64)


def in_parts(model: Any, grey: Grey8) -> Floats:
    """What a model or a function says, 256 images at a time; shape (n, …) made flat."""
    parts = [np.asarray(model(grey[at : at + 256])) for at in range(0, len(grey), 256)]
    return np.concatenate([part.reshape(len(part), -1) for part in parts])


def one_fold(data: Path, work: Path, fold: str) -> dict[str, Any]:
    """Train without what the fold leaves out, and score what was left out, and test patients."""
    sources, kinds, made = FOLDS[fold]
    every, test = examples(data)
    rows = every.rows
    left = np.asarray(test & every.chest)
    left |= np.asarray(rows["source"].isin(sources)) & every.chest
    left |= np.asarray(rows["kind"].isin(kinds))
    settings = recipe("train-answers", "--epochs", str(EPOCHS))
    synthetic = synthetic_others(settings.seed, SYNTHETIC)
    names = [f"synthetic {kind}" for kind in made]
    unseen_made = np.asarray(synthetic.rows["kind"].isin(names))
    training, held_back = hold_back(every.only(~left), settings.validation_share, settings.seed)
    taught = joined(training, synthetic.only(~unseen_made))
    kept = work / f"{fold}.keras"
    if kept.exists():
        network = keras.models.load_model(kept, compile=False)
    else:
        network = fit_answers(settings, taught, lambda line: print(line, flush=True))
        network.save(kept)
    judged = judge(network, held_back, None, settings.seed)
    scorer = build_answers_scorer(network, judged.scaling)
    asked = joined(every.only(left), synthetic.only(unseen_made))
    said = probabilities(scorer, asked.pixels)
    known = held_back.only(held_back.chest)
    pixels_of_both = np.concatenate([asked.pixels, known.pixels])
    scores = by_method(network, scorer, training.only(training.chest).pixels, pixels_of_both)
    chest = asked.chest
    group = np.where(chest, asked.rows["source"], asked.rows["kind"]).tolist()
    result = {
        "groups": group, "chest": chest.tolist(),
        "p_ap": said[:, P_AP].tolist(), "ap": np.nan_to_num(asked.ap, nan=-1.0).tolist(),
        "scores": {name: values[: len(group)].tolist() for name, values in scores.items()},
        "known": {name: values[len(group) :].tolist() for name, values in scores.items()},
        "laid": {
            source: _laid(scorer, asked.only(chest & (asked.rows["source"] == source)), judged)
            for source in sorted(set(asked.rows["source"][chest]))
        },
    }  # fmt: skip
    if fold == "4":
        result["own_headers"] = _own_headers(network, every, np.asarray(test))
    return result


def by_method(network: keras.Model, scorer: keras.Model, chests: Grey8, asked: Grey8) -> Scores:
    """How far each method takes images for no chest, given the chests that were trained on."""
    p = np.clip(probabilities(scorer, asked)[:, 0], 1e-7, 1 - 1e-7)
    shipped = keras.models.load_model(Path(DEFAULT) / "model.keras", compile=False)
    view = next(layer for layer in shipped.layers if isinstance(layer, keras.Sequential))
    pooled = keras.Model(view.inputs, view.get_layer("average_pooling2d_1").output)
    features = keras.Model(network.inputs, network.get_layer("answers_1").output)
    of_view = [
        in_parts(lambda g: pooled(tf.repeat(prepared(g), 3, -1)), x) for x in (chests, asked)
    ]
    own = [in_parts(lambda g: features(prepared(g)), x) for x in (chests, asked)]
    equal = [in_parts(prepared, x) for x in (chests, asked)]
    return {
        "Mahalanobis, the shipped view network's 128 features": distances(*of_view),
        "80 principal components, error": components(*equal),
        "autoencoder, error (the paper's reference 3)": autoencoder(*equal),
        "Mahalanobis, this network's 64 features": distances(*own),
        "trained head": np.log(1 - p) - np.log(p),
    }


def _laid(scorer: keras.Model, part: Examples, judged: Any) -> dict[str, Any]:
    laid = lay_at_random(part.pixels, np.random.default_rng(5))
    found = figures(scorer, part, laid, judged.thresholds)
    return {name: figure.value if figure else None for name, figure in found.items()}


def _own_headers(network: keras.Model, every: Examples, test: Any) -> dict[str, float]:
    """AUC for AP on NIH's test patients, with the head trained on its other patients alone."""
    nih = np.asarray(every.rows["source"].str.startswith("nih14"))
    fit_projection(recipe("train-projection"), network, every.only(nih & ~test), lambda line: None)
    asked = every.only(nih & test)
    logits = in_parts(lambda g: network(prepared(g), training=False), asked.pixels)[:, 7]
    patient = np.unique(asked.rows["patient"], return_inverse=True)[1].astype(np.int64)
    figure = auc(1 / (1 + np.exp(-logits)), asked.ap == 1, patient)
    assert figure
    return {"auc": figure.value, "low": figure.low, "high": figure.high, "images": figure.images}


def main(data: Path, work: Path, folds: list[str]) -> None:
    """Train the folds named, or make the table of those that were trained."""
    work.mkdir(parents=True, exist_ok=True)
    for fold in folds:
        (work / f"{fold}.json").write_text(json.dumps(one_fold(data, work, fold)))
    if not folds:
        made = table(work)
        (FIGURES / "answers_left_out.json").write_text(json.dumps(made, indent=1) + "\n")
        print(pd.DataFrame(made["found"]).round(3).to_string())
        print(made["laid"], made["projection"], made.get("own_headers"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])

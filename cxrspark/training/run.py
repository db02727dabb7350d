"""One training from labels to bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.csv_file import read_content
from cxrspark.archive.labels import describe_left_out, match_labels, read_labels
from cxrspark.archive.manifest import read_manifest
from cxrspark.errors import UserError
from cxrspark.model.bundle import CARD, Bundle, write_bundle
from cxrspark.model.network import PARAMETERS, to_flatbuffer
from cxrspark.model.seen import SEEN, Seen, load_seen
from cxrspark.pixels.image import RECIPE
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.tasks import held_in_tasks
from cxrspark.settings import BucketSettings
from cxrspark.tables.schemas import MANIFEST
from cxrspark.training.feed import Labelled, kept_pixels, read_labelled, write_labelled
from cxrspark.training.fit import Trained, fit
from cxrspark.training.plots import write_curves
from cxrspark.training.samples import Split, check_split, check_views, draw, split
from cxrspark.training.second_round import (
    add_to_training,
    confident,
    first_bundle,
    first_weights,
)
from cxrspark.training.settings import TrainSettings
from cxrspark.training.validation import Checked, calibrate

NOT_THE_RECIPE = {"tensorboard", *BucketSettings.model_fields}
"""Settings that change nothing about the model."""

RECIPE_SETTINGS = {
    "frontal",
    "lateral",
    "min_confidence",
    "validation_share",
    "seed",
    "epochs",
    "batch_size",
    "augmentation",
    "preparation",
    "optimizer",
    "learning_rate",
    "cosine",
    "keep",
    "called_right",
    "least_confidence",
}
"""Settings that the card names: none of them is a path of the training's machine."""

Report = Callable[[str], None]


def train(spark: SparkSession, settings: TrainSettings, report: Report) -> Bundle:
    """Train a model on labelled images and write its bundle.

    A folder `work` in the bundle keeps pixels and training state; a run with the same settings
    over the same labels goes on from there. It is removed when the bundle is complete.

    Args:
        spark: The session; it computes pixels as scoring does.
        settings: What to train on, and how.
        report: Gets lines about what is going on.

    Raises:
        UserError: A bundle there that has a second network, labels that match no image, of
            unknown views or of one view only, a patient on both sides of the split or perhaps so,
            a table of another kind or format, or no readable image of a view.
    """
    _refuse_second_network(settings.bundle)
    work = settings.bundle / "work"
    first = first_bundle(settings)
    start = first_weights(settings, first) if first else None
    _open_work(work, settings)
    training, validation = _tables(spark, settings, first, work, report)
    images, held_back = read_labelled(training.folder), read_labelled(validation.folder)
    trained = fit(settings, (training, images), held_back, work / "state.npz", report, start)
    scorer, checked = calibrate(settings, trained, validation.folder)
    if not checked.band.called:
        report(
            "warning: the model calls every image uncertain, as no threshold from "
            f"{settings.least_confidence:.0%} on makes {settings.called_right:.2%} of the called "
            "right on the validation images; look at their labels, or lower --called-right"
        )
    pd.DataFrame(trained.history).to_csv(settings.bundle / "history.csv", index=False)
    write_curves(trained.history, settings.bundle / "curves.png", trained.kept_epoch)
    scorer.save(settings.bundle / "model.keras")
    card = _card(settings, (training, validation), trained, checked)
    card["continues"] = first.model_id if first else None
    if first and first.licence:
        card["licence"] = first.licence  # the weights began as its
    (settings.bundle / SEEN).unlink(missing_ok=True)
    if (work / SEEN).exists():
        (work / SEEN).replace(settings.bundle / SEEN)
    bundle = write_bundle(settings.bundle, to_flatbuffer(scorer), card)
    shutil.rmtree(work)
    return bundle


def _refuse_second_network(folder: Path) -> None:
    """Refuse to leave a bundle's second network behind without a word."""
    card = folder / CARD
    if card.exists() and "answers" in json.loads(card.read_text()):
        raise UserError(
            f"--bundle {folder}: holds a second network, which a new one for views would lose; "
            "name a new folder"
        )


def _open_work(work: Path, settings: TrainSettings) -> None:
    """Make the folder for what a killed run leaves; empty it of other settings' or labels'."""
    described = settings.model_dump_json(exclude=NOT_THE_RECIPE)
    digest = hashlib.sha256((described + RECIPE).encode())
    for file in filter(None, (settings.labels, settings.validation_labels)):
        content = read_content(file, "labels", settings.access())
        digest.update(hashlib.sha256(content).digest())
    mark = work / "settings.sha256"
    try:
        if work.exists() and (not mark.exists() or mark.read_text() != digest.hexdigest()):
            shutil.rmtree(work)
        work.mkdir(parents=True, exist_ok=True)
        mark.write_text(digest.hexdigest())
    except OSError as error:
        raise UserError(f"--bundle {settings.bundle}: cannot be written: {error}") from error


def _tables(
    spark: SparkSession, settings: TrainSettings, first: Bundle | None, work: Path, report: Report
) -> tuple[Labelled, Labelled]:
    """Tables of the images to train on and to validate on, made once."""
    made = work / "tables.json"
    if made.exists():
        training, validation = json.loads(made.read_text())
        return Labelled(**training), Labelled(**validation)
    if settings.pixels:
        archive = kept_pixels(spark, settings.pixels, settings.format)
    else:
        archive = read_manifest(spark, str(settings.archive), settings.manifest, settings.access())
    parts = _split(settings, first, archive, report)
    _write_seen(settings, parts, work / SEEN)
    tables = []
    for name, rows in (("training", parts.training), ("validation", parts.validation)):
        if settings.pixels:
            ids = F.broadcast(spark.createDataFrame(rows[["image_id"]]))
            pixels = archive.join(ids, "image_id", "left_semi")
        else:
            read = held_in_tasks(spark, rows)
            pixels = read_pixels(read, str(settings.archive), settings.access())
        table = write_labelled(spark, rows, pixels, str(work / name))
        if table.left_out:
            number, example = len(table.left_out), table.left_out[0]
            report(f"warning: {number} labelled images cannot be read, left out: e.g. {example}")
        check_views(name, table.views)
        views = ", ".join(f"{count} {view}" for view, count in table.views.items())
        report(f"{name}: {views}")
        tables.append(table)
    made.write_text(json.dumps([asdict(table) for table in tables]))
    return tables[0], tables[1]


def _write_seen(settings: TrainSettings, parts: Split, file: Path) -> None:
    """Nothing, where the first training does not say what it has seen: then nobody can."""
    images = pd.concat([parts.training, parts.validation])
    if settings.continue_from is None:
        Seen.of(images).write(file)
    elif before := load_seen(settings.continue_from, settings.access()):
        before.and_those_of(images).write(file)


def _split(
    settings: TrainSettings, first: Bundle | None, archive: DataFrame, report: Report
) -> Split:
    drawing = settings.frontal is not None  # from what is there, of labels of a whole archive
    labelled = _labelled(settings, settings.labels, archive, report, allow_unmatched=drawing)
    images = labelled
    if settings.frontal and settings.lateral:
        images = draw(images, settings.frontal, settings.lateral, settings.seed)
    if settings.validation_labels:
        parts = Split(images, _labelled(settings, settings.validation_labels, archive, report))
    else:
        parts = split(images, settings.validation_share, settings.seed)
    if settings.add_scores and first:
        before = len(parts.training)
        parts = add_to_training(parts, confident(settings, first, archive, labelled))
        report(f"{len(parts.training) - before} images of {settings.add_scores} added")
    check_split(parts)
    return parts


def _labelled(
    settings: TrainSettings,
    file: str,
    archive: DataFrame,
    report: Report,
    *,
    allow_unmatched: bool = False,
) -> pd.DataFrame:
    roots = [settings.archive] if settings.archive else []
    labels = read_labels(
        archive.sparkSession, file, settings.access(), roots=roots, words=settings.view_words
    )
    images = archive.select(*MANIFEST.names)
    matched = match_labels(labels, images, allow_unmatched=allow_unmatched).toPandas()
    report(f"{file}: {len(matched)} labelled images{describe_left_out(labels)}")
    return matched


def _card(
    settings: TrainSettings, tables: tuple[Labelled, Labelled], trained: Trained, checked: Checked
) -> dict[str, Any]:
    training, validation = tables
    band = checked.band
    return {
        "thresholds": {"lateral_below": band.lateral_below, "frontal_above": band.frontal_above},
        "parameters": PARAMETERS,
        "trained_on": {"views": training.views, "sources": training.sources},
        "validated_on": {
            "views": validation.views,
            "sources": validation.sources,
            "patients": checked.patients,
        },
        "figures": checked.as_card(),
        "calibration": asdict(checked.platt),
        "kept_epoch": trained.kept_epoch,
        "training_minutes": round(sum(row["seconds"] for row in trained.history) / 60, 1),
        "recipe": settings.model_dump(mode="json", include=RECIPE_SETTINGS),
        "versions": {name: version(name) for name in ("tensorflow", "keras", "petastorm")},
        "created": datetime.now(UTC).date().isoformat(),
    }

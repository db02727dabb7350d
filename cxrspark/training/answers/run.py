"""One training of the second network, from labels to a bundle that holds both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.labels import describe_left_out, match_labels, read_labels
from cxrspark.archive.manifest import read_manifest
from cxrspark.errors import UserError
from cxrspark.model.answers import OUTPUTS
from cxrspark.model.answers_network import Scaling, build_answers_scorer
from cxrspark.model.bundle import DEFAULT, MODEL, Bundle, load_bundle, write_bundle
from cxrspark.model.network import to_flatbuffer
from cxrspark.model.seen import SEEN, load_seen
from cxrspark.pixels.image import SIDE
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.tasks import held_in_tasks
from cxrspark.tables.schemas import MANIFEST
from cxrspark.training.answers.examples import (
    Examples,
    check,
    hold_back,
    joined,
    synthetic_others,
    with_patients,
)
from cxrspark.training.answers.fit import fit_answers, fit_projection
from cxrspark.training.answers.judge import Judged, judge
from cxrspark.training.feed import kept_pixels
from cxrspark.training.settings import TrainSettings
from cxrspark.views import AP, FRONTAL, LATERAL, OTHER, PA

ANSWERS_KERAS = "answers.keras"
"""The network before its calibration, so that a head can be trained again."""

RECIPE_SETTINGS = {
    "network", "validation_share", "seed", "epochs", "batch_size", "learning_rate",
    "projection_sure",
}  # fmt: skip
"""Settings that the card names."""

Report = Callable[[str], None]


def train_answers(spark: SparkSession, settings: TrainSettings, report: Report) -> Bundle:
    """Train the second network, or its head for AP and PA, and write a bundle.

    The network for frontal and lateral is that of `settings.continue_from`, to the last byte; so
    are the weights to begin with, where that bundle has a second network.

    Args:
        spark: The session; it computes pixels as scoring does.
        settings: What to train on, and how.
        report: Gets lines about what is going on.

    Raises:
        UserError: A base without what is needed, a bundle there that has another network for
            views, labels that match no image, of unknown names, of one class only or of too few
            images, or none that can be read.
    """
    base_folder = settings.continue_from or DEFAULT
    base = load_bundle(base_folder, settings.access())
    _refuse_other_view(settings.bundle, base)
    alone = settings.network == "projection"
    if alone and not base.answers:
        raise UserError(
            f"{base_folder}: has no second network whose head could be trained; train that network "
            "first (conf/train-answers.yaml)"
        )
    goes_on = alone or (settings.continue_from and base.answers)
    start = _network(base_folder) if goes_on else None
    seen = load_seen(base_folder, settings.access())
    images, left_out = _labelled(spark, settings, report)
    if left_out:
        report(f"warning: {left_out} labelled images cannot be read, left out")
    if alone:
        images = images.only(~np.isnan(images.ap))
    counts = images.counts()
    check(counts, (AP, PA) if alone else (FRONTAL, LATERAL, OTHER), "training")
    training, held_back = hold_back(images, settings.validation_share, settings.seed)
    check(held_back.counts(), (AP, PA) if alone else (FRONTAL, OTHER), "validation", 2)
    if alone and start:
        network = start
        fit_projection(settings, network, training, report)
        judged = _judged_again(network, base, held_back, settings)
    else:
        every = joined(training, synthetic_others(settings.seed))
        network = fit_answers(settings, every, report, start)
        judged = judge(network, held_back, settings.projection_sure, settings.seed)
    settings.bundle.mkdir(parents=True, exist_ok=True)
    network.save(settings.bundle / ANSWERS_KERAS)
    (settings.bundle / SEEN).unlink(missing_ok=True)
    if seen:  # else the base does not say what it has seen, and so nobody can
        seen.and_those_of(images.rows).write(settings.bundle / SEEN)
    card = {**base.card, "answers": _card(settings, training, held_back, judged, counts)}
    flatbuffer = to_flatbuffer(build_answers_scorer(network, judged.scaling))
    return write_bundle(settings.bundle, base.flatbuffer, card, flatbuffer)


def _refuse_other_view(folder: Path, base: Bundle) -> None:
    """Refuse to overwrite a network for views, perhaps of the user's own, with the base's."""
    there = folder / MODEL
    if there.exists() and there.read_bytes() != base.flatbuffer:
        raise UserError(
            f"--bundle {folder}: holds another network for views than {base.model_id}, which it "
            f"would lose; name a new folder, with --continue-from {folder} to keep that network"
        )


def _network(folder: str) -> keras.Model:
    """The second network of a bundle."""
    file = Path(folder) / ANSWERS_KERAS
    if not file.exists():
        raise UserError(
            f"{folder} has no {ANSWERS_KERAS}; name a local bundle that has by --continue-from"
        )
    return keras.models.load_model(file, compile=False)


def _judged_again(
    network: keras.Model, base: Bundle, held_back: Examples, settings: TrainSettings
) -> Judged:
    """Judge the head for AP and PA alone: of the base's calibration only that head's changes."""
    new = judge(network, held_back, settings.projection_sure, settings.seed)
    kept, thresholds = base.card["answers"]["calibration"], base.thresholds
    assert thresholds
    last = len(OUTPUTS) - 1
    scaling = Scaling(
        (*kept["slope"][:last], new.scaling.slope[last]),
        (*kept["offset"][:last], new.scaling.offset[last]),
    )
    figures = {name: f for name, f in new.figures.items() if name.startswith("projection")}
    return Judged(scaling, replace(thresholds, ap=new.thresholds.ap), figures)


def _labelled(spark: SparkSession, settings: TrainSettings, report: Report) -> tuple[Examples, int]:
    """Labelled images with their pixels, on the driver, and how many cannot be read."""
    if settings.pixels:
        archive = kept_pixels(spark, settings.pixels, settings.format)
    else:
        archive = read_manifest(spark, str(settings.archive), settings.manifest, settings.access())
    labels = read_labels(
        spark,
        settings.labels,
        settings.access(),
        roots=[settings.archive] if settings.archive else [],
        words=settings.view_words,
        others=True,
    )
    matched = match_labels(labels, archive.select(*MANIFEST.names)).toPandas()
    report(f"{settings.labels}: {len(matched)} labelled images{describe_left_out(labels)}")
    matched = matched.sort_values("image_id", ignore_index=True)
    pixels = _pixels(spark, settings, archive, matched)
    found = pixels.set_index("image_id")["pixels"].reindex(matched["image_id"])
    readable = found.notna().to_numpy()
    if not readable.any():
        raise UserError(f"none of {len(matched)} labelled images can be read")
    values = np.frombuffer(b"".join(found[readable]), np.uint8).reshape(-1, SIDE, SIDE)
    rows = with_patients(matched[readable].reset_index(drop=True))
    return Examples(rows, values), int((~readable).sum())


def _pixels(
    spark: SparkSession, settings: TrainSettings, archive: DataFrame, rows: pd.DataFrame
) -> pd.DataFrame:
    if settings.pixels:
        ids = F.broadcast(spark.createDataFrame(rows[["image_id"]]))
        pixels = archive.join(ids, "image_id", "left_semi")
    else:
        pixels = read_pixels(held_in_tasks(spark, rows), str(settings.archive), settings.access())
    return pixels.select("image_id", "pixels").toPandas()


def _card(
    settings: TrainSettings,
    training: Examples,
    held_back: Examples,
    judged: Judged,
    counts: dict[str, int],
) -> dict[str, Any]:
    def used(examples: Examples) -> dict[str, Any]:
        rows = examples.rows
        return {
            "classes": examples.counts(),
            "sources": rows["source"].fillna("").value_counts().sort_index().to_dict(),
            "kinds": rows["kind"].dropna().value_counts().sort_index().to_dict(),
        }

    return {
        **judged.as_card(),
        "outputs": list(OUTPUTS),
        "trained_on": used(training),
        "validated_on": used(held_back),
        "labelled": counts,
        "recipe": settings.model_dump(mode="json", include=RECIPE_SETTINGS),
        "versions": {name: version(name) for name in ("tensorflow", "keras")},
        "created": datetime.now(UTC).date().isoformat(),
    }

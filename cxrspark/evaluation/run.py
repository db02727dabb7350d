"""The scores of one model, joined to labels and brought to the driver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.labels import Labels, match_labels, read_labels
from cxrspark.errors import UserError
from cxrspark.evaluation.figures import COLUMNS
from cxrspark.model.bundle import load_bundle
from cxrspark.model.seen import load_seen
from cxrspark.scoring.scores import choose_model
from cxrspark.settings import ViewSettings
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import SCORES_TABLE
from cxrspark.tables.table import Format


class EvaluateSettings(ViewSettings):
    """Compare a scores table with labels: accuracy, AUC, Brier score, each with an interval."""

    scores: str = Field(description="scores table to evaluate", min_length=1)
    labels: str = Field(
        description="CSV or Parquet with path (or image_id) and view, or a public set's own table",
        min_length=1,
    )
    format: Format = Field("parquet", description="format of the scores table")
    model_id: str | None = Field(
        None, description="whose scores to take; needed where the table holds several models'"
    )
    model: str | None = Field(
        None,
        description="bundle that gave the scores, which tells the images that it was trained on; "
        "the shipped one needs no name",
    )
    out: Path | None = Field(
        None, description="folder for evaluation.json and the plots; only printed where not given"
    )


@dataclass(frozen=True)
class LabelledScores:
    """What an evaluation is computed from.

    Attributes:
        rows: One row per labelled image with a score or an error, as
            :func:`cxrspark.evaluation.figures.evaluate` takes it; ``seen`` where it is known.
        model_id: The model that gave the scores.
        scores: The scores table.
        labels: The labels, with the number of those left out.
        labels_without_score: Labels whose image the table does not hold.
        scores_without_label: Images of the table that no label is for.
        seen: Of the rows, how many ``images`` the model was trained or calibrated on, and how
            many further ones are ``of_their_patients``; None where its bundle does not tell.
    """

    rows: pd.DataFrame
    model_id: str
    scores: str
    labels: Labels
    labels_without_score: int
    scores_without_label: int
    seen: dict[str, int] | None

    def about(self) -> dict[str, Any]:
        """All but the rows, as plain values."""
        return {
            "model_id": self.model_id,
            "scores": self.scores,
            "labels": self.labels.file,
            "left_out": self.labels.left_out,
            "labels_without_score": self.labels_without_score,
            "scores_without_label": self.scores_without_label,
            "seen": self.seen,
        }


def labelled_scores(spark: SparkSession, settings: EvaluateSettings) -> LabelledScores:
    """Read scores and labels and match them.

    Args:
        spark: The caller's session.
        settings: Which table, labels and model.

    Returns:
        The labelled scores of one model.

    Raises:
        UserError: No such table or labels, the table holds no score or those of several models
            and none is named, or of others than the named one; no label matches; the bundle is
            another model's.
    """
    table = read_table(spark, settings.scores, settings.format, SCORES_TABLE)
    bundle = load_bundle(settings.model, settings.access())
    named = settings.model_id or (bundle.model_id if settings.model else None)
    model_id, images = choose_model(table, settings.scores, named)
    if settings.model and bundle.model_id != model_id:
        raise UserError(
            f"--model {settings.model} is {bundle.model_id}, not {model_id}; name that one's bundle"
        )
    scores = table.where(F.col("model_id") == model_id)
    roots = [row[0] for row in scores.select("archive").distinct().collect()]
    labels = read_labels(
        spark, settings.labels, settings.access(), roots=roots, words=settings.view_words
    )
    matched = match_labels(labels, scores, allow_unmatched=True)
    rows = matched.select(*COLUMNS, "subject_id").toPandas()
    # Spark joins in any order; a bootstrap repeats only over the same order of patients.
    rows = rows.sort_values("image_id", ignore_index=True)
    known = load_seen(settings.model, settings.access()) if bundle.model_id == model_id else None
    seen = None
    if known:
        rows = rows.assign(seen=known.patients(rows))
        themselves = int(known.images(rows).sum())
        seen = {"images": themselves, "of_their_patients": int(rows["seen"].sum()) - themselves}
    return LabelledScores(
        rows=rows,
        model_id=model_id,
        scores=settings.scores,
        labels=labels,
        labels_without_score=labels.images - len(rows),
        scores_without_label=images - len(rows),
        seen=seen,
    )

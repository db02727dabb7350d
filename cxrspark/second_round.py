"""The paper's second round: what a first model is sure of becomes training data."""

from __future__ import annotations

import pandas as pd
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.errors import UserError
from cxrspark.samples import Split
from cxrspark.schemas import MANIFEST, SCORES


def confident(
    spark: SparkSession, table: str, min_confidence: float, archive: DataFrame
) -> pd.DataFrame:
    """Rows of a scores table that a model was sure of, as labelled images.

    Args:
        spark: The session.
        table: Scores table.
        min_confidence: Frontal from this `p_frontal`, lateral up to one minus it.
        archive: Images that can be read: columns of `cxrspark.schemas.MANIFEST` at least.

    Returns:
        Columns of `MANIFEST`, label, patient_id and source, which is null.

    Raises:
        UserError: No such table, or no confident row in it.
    """
    p = F.col("p_frontal")
    view = F.when(p >= min_confidence, "frontal").when(p <= 1.0 - min_confidence, "lateral")
    try:
        scores = spark.read.schema(SCORES).parquet(table).select("image_id", view.alias("label"))
        sure = (
            scores.where("label is not null")
            .groupBy("image_id")
            .agg(F.min("label").alias("label"), F.max("label").alias("other"))
        )
        agreed = sure.where("label = other").select("image_id", "label")
        rows = archive.select(*MANIFEST.names).join(agreed, "image_id").toPandas()
    except AnalysisException as error:
        raise UserError(f"--add-scores {table}: no scores table there; name one") from error
    if rows.empty:
        raise UserError(
            f"--add-scores {table}: no image of the archive has a confidence of {min_confidence}; "
            "lower --min-confidence"
        )
    return rows.assign(patient_id=rows["subject_id"], source=None)


def add_to_training(parts: Split, added: pd.DataFrame) -> Split:
    """Add images to the training part that are labelled in neither, nor of a validation patient.

    Args:
        parts: The labelled images.
        added: From `confident`.
    """
    known = pd.concat([parts.training["image_id"], parts.validation["image_id"]])
    validated = parts.validation["patient_id"].dropna()
    new = added[~added["image_id"].isin(known) & ~added["patient_id"].isin(validated)]
    return Split(pd.concat([parts.training, new], ignore_index=True), parts.validation)

"""The paper's second round: what a first model is sure of becomes training data."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cxrspark.archive.patients import of_known_patients
from cxrspark.errors import UserError
from cxrspark.scoring.scores import choose_model
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import MANIFEST, SCORES
from cxrspark.training.samples import Split
from cxrspark.training.settings import TrainSettings


def confident(settings: TrainSettings, archive: DataFrame, labelled: pd.DataFrame) -> pd.DataFrame:
    """Images of the scores table `--add-scores` that its model was sure of, as labelled images.

    Frontal from a `p_frontal` of `--min-confidence`, lateral up to one minus it.

    Args:
        settings: The training's.
        archive: Images that can be read: columns of `cxrspark.tables.schemas.MANIFEST` at least.
        labelled: All that the labels say of patients: columns image_id, patient_id and source.

    Returns:
        Columns of `MANIFEST`, label, patient_id (the labels', else `subject_id`, else null) and
        source (the labels', else null).

    Raises:
        UserError: No such table, none of scores, several models in it and none named, or no
            confident row.
    """
    table, least = str(settings.add_scores), settings.min_confidence
    scores = read_table(archive.sparkSession, table, settings.format, SCORES)
    model_id, _ = choose_model(scores, table, settings.model_id)
    p = F.col("p_frontal")
    view = F.when(p >= least, "frontal").when(p <= 1.0 - least, "lateral")
    of_model = scores.where(F.col("model_id") == model_id)
    sure = of_model.select("image_id", view.alias("label")).where("label is not null")
    rows = archive.select(*MANIFEST.names).join(sure, "image_id").toPandas()
    if rows.empty:
        raise UserError(
            f"--add-scores {table}: no image of the archive has a confidence of {least}; "
            "lower --min-confidence"
        )
    known = labelled.set_index("image_id").reindex(rows["image_id"])
    patient = pd.Series(known["patient_id"].to_numpy(), rows.index, dtype=object)
    return rows.assign(
        patient_id=patient.where(patient.notna(), rows["subject_id"]),
        source=known["source"].to_numpy(dtype=object),
    )


def add_to_training(parts: Split, added: pd.DataFrame) -> Split:
    """Add images to the training part that are labelled in neither, nor of a validation patient.

    Args:
        parts: The labelled images.
        added: From `confident`.

    Raises:
        UserError: Patients of the validation images are known and those of the added are not.
    """
    labelled = pd.concat([parts.training["image_id"], parts.validation["image_id"]])
    new = added[~added["image_id"].isin(labelled)]
    new = new[~of_known_patients(new, parts.validation)]
    nameless = int(new["patient_id"].isna().sum())
    if nameless and parts.validation["patient_id"].notna().any():
        raise UserError(
            f"--add-scores: {nameless} of {len(new)} images are of unknown patients, so perhaps of "
            "those to validate on; name a --manifest that has their subject_id"
        )
    return Split(pd.concat([parts.training, new], ignore_index=True), parts.validation)

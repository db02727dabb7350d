"""The paper's second round: what a first model is sure of becomes training data for it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cxrspark.archive.patients import of_known_patients
from cxrspark.archive.storage import read_file
from cxrspark.errors import UserError
from cxrspark.model.bundle import Bundle, load_bundle
from cxrspark.scoring.scores import choose_model
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import MANIFEST, SCORES_TABLE
from cxrspark.training.samples import Split
from cxrspark.training.settings import TrainSettings
from cxrspark.training.state import Weights


def first_bundle(settings: TrainSettings) -> Bundle | None:
    """The bundle `--continue-from`, where there is one.

    Raises:
        UserError: It cannot be read, or its network takes another preparation of the pixels.
    """
    if settings.continue_from is None:
        return None
    bundle = load_bundle(settings.continue_from, settings.access())
    preparation = bundle.card["recipe"]["preparation"]
    if preparation != settings.preparation:
        raise UserError(
            f"--continue-from {settings.continue_from}: its network takes pixels {preparation}; "
            f"add --preparation {preparation}"
        )
    return bundle


def first_weights(settings: TrainSettings, bundle: Bundle) -> Weights:
    """The bundle's weights as they were trained, before its calibration was folded in.

    Raises:
        UserError: The bundle has no Keras model.
    """
    try:
        content = read_file(f"{settings.continue_from}/model.keras", settings.access())
    except OSError as error:
        raise UserError(f"--continue-from {settings.continue_from}: has no model.keras") from error
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        file.write_bytes(content)
        weights: Weights = keras.models.load_model(file).get_layer("paper").get_weights()
    slope, offset = (bundle.card["calibration"][name] for name in ("slope", "offset"))
    return [*weights[:-2], weights[-2] / slope, (weights[-1] - offset) / slope]


def confident(
    settings: TrainSettings, first: Bundle, archive: DataFrame, labelled: pd.DataFrame
) -> pd.DataFrame:
    """Images of the scores table `--add-scores` that the first model was sure of, as labelled.

    Frontal from a `p_frontal` of `--min-confidence`, lateral up to one minus it.

    Args:
        settings: The training's.
        first: The model whose scores count.
        archive: Images that can be read: columns of `cxrspark.tables.schemas.MANIFEST` at least.
        labelled: All that the labels say of patients: columns image_id, patient_id and source.

    Returns:
        Columns of `MANIFEST`, label, patient_id (the labels', else `subject_id`, else null) and
        source (the labels', else null).

    Raises:
        UserError: No such table, none of scores or none of this model's, or no confident row.
    """
    table, least = str(settings.add_scores), settings.min_confidence
    scores = read_table(archive.sparkSession, table, settings.format, SCORES_TABLE)
    choose_model(scores, table, first.model_id)
    p = F.col("p_frontal")
    view = F.when(p >= least, "frontal").when(p <= 1.0 - least, "lateral")
    of_model = scores.where(F.col("model_id") == first.model_id)
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

"""The fused views as tables of OMOP's imaging extension (MI-CDM).

Tables and columns: Park et al., J Imaging Inform Med 37, 899–908 (2024), and the DDL for OMOP 5.4
in ImageWG of OHDSI. Its ids are of 32 bits, which a hash would not fit: here they are of 63.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.audit.fused import BODY_PART, BOTH, PIXELS, save_new
from cxrspark.tables.table import in_columns

CHEST = "816094009"
"""SNOMED CT: chest (DICOM PS3.16, CID 4031)."""

NO_MATCHING_CONCEPT = 0
"""OMOP's own id for a concept that nobody has looked up yet."""

_NUMBER, _TEXT = T.LongType(), T.StringType()
_LOOKED_UP = {"person_source_value": _TEXT, "anatomic_site_code": _TEXT}

OCCURRENCE = T.StructType(
    [
        T.StructField(name, kind)
        for name, kind in {
            "image_occurrence_id": _NUMBER, "person_id": _NUMBER,
            "procedure_occurrence_id": _NUMBER, "visit_occurrence_id": _NUMBER,
            "anatomic_site_concept_id": _NUMBER, "wadors_uri": _TEXT, "local_path": _TEXT,
            "image_occurrence_date": T.DateType(), "image_study_uid": _TEXT,
            "image_series_uid": _TEXT, "modality_concept_id": _NUMBER, **_LOOKED_UP,
        }.items()
    ]
)  # fmt: skip
"""Columns of image_occurrence; the last two are for a look-up, and no columns of MI-CDM."""

FEATURE = T.StructType(
    [
        T.StructField(name, kind)
        for name, kind in {
            "image_feature_id": _NUMBER, "person_id": _NUMBER, "image_occurrence_id": _NUMBER,
            "image_feature_event_field_concept_id": _NUMBER, "image_feature_event_id": _NUMBER,
            "image_feature_concept_id": _NUMBER, "image_feature_type_concept_id": _NUMBER,
            "image_finding_concept_id": _NUMBER, "image_finding_id": _NUMBER,
            "anatomic_site_concept_id": _NUMBER, "alg_system": _TEXT,
            "alg_datetime": T.TimestampType(), **_LOOKED_UP, "image_feature_code": _TEXT,
        }.items()
    ]
)  # fmt: skip
"""Columns of image_feature; the last three likewise."""


def to_omop(views: DataFrame, scores: DataFrame) -> dict[str, DataFrame]:
    """Bring fused views into the two tables of MI-CDM.

    What only the site's own OMOP knows is null: person, procedure, visit, date, series. The study's
    UID is its id, which is one where the archive is of DICOM. Concepts are `NO_MATCHING_CONCEPT`,
    with their SNOMED CT codes beside them.

    Args:
        views: From `cxrspark.audit.fused.fuse`.
        scores: The rows that they are of; ``archive``, ``model_id`` and ``scored_at`` are used.

    Returns:
        ``image_occurrence``: a row of each image. ``image_feature``: its view, where it is known to
        be frontal or lateral; ``alg_system`` where the pixels say so.
    """
    of_scores = scores.select("image_id", "archive", "model_id", "scored_at")
    joined = views.join(of_scores, "image_id").withColumns(
        {
            "image_occurrence_id": _number("image_id"),
            "person_source_value": F.col("subject_id"),
            "anatomic_site_concept_id": F.lit(NO_MATCHING_CONCEPT).cast("bigint"),
            "anatomic_site_code": F.when(F.col("body_part") == BODY_PART, CHEST),
        }
    )
    seen = F.col("source").isin(BOTH, PIXELS)
    occurrence = joined.withColumns(
        {
            "local_path": F.concat_ws("/", "archive", "path"),
            "image_study_uid": F.col("study_id"),
            "modality_concept_id": F.lit(NO_MATCHING_CONCEPT).cast("bigint"),
        }
    )
    feature = joined.where(F.col("snomed").isNotNull()).withColumns(
        {
            "image_feature_id": _number("image_id", F.lit("view")),
            "image_feature_concept_id": F.lit(NO_MATCHING_CONCEPT).cast("bigint"),
            "image_feature_type_concept_id": F.lit(NO_MATCHING_CONCEPT).cast("bigint"),
            "image_feature_code": F.col("snomed"),
            "alg_system": F.when(seen, F.concat(F.lit("cxrspark "), F.col("model_id"))),
            "alg_datetime": F.when(seen, F.col("scored_at")),
        }
    )
    return {
        "image_occurrence": in_columns(occurrence, OCCURRENCE),
        "image_feature": in_columns(feature, FEATURE),
    }


def write_omop(tables: dict[str, DataFrame], folder: str) -> None:
    """Write each as Parquet below a folder.

    Raises:
        UserError: Something is there already.
    """
    for name, rows in tables.items():
        path = f"{folder.rstrip('/')}/{name}"
        save_new(rows.write.format("parquet"), path, f"--omop {folder}: {name}")


def _number(*of: str | Column) -> Column:
    """An id of 63 bits that a repeated export gives again."""
    return F.xxhash64("archive", *of).bitwiseAND(F.lit(2**63 - 1))

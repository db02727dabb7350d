"""One view for each image, of what its pixels show and what its header says, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, DataFrameWriter
from pyspark.sql import functions as F

from cxrspark.archive.view_table import Key
from cxrspark.audit.judge import beside_headers
from cxrspark.errors import UserError
from cxrspark.views import AP, FRONTAL, LOINC, OTHER, PA, SNOMED, VIEWS

BOTH, PIXELS, HEADER, HINT, NONE = "both", "pixels", "header", "hint", "none"
"""What a view is known by."""

BODY_PART = "CHEST"
"""DICOM's defined term (PS3.16, annex L), where the pixels are called frontal or lateral."""

COLUMNS = (
    "image_id", "study_id", "subject_id", "path", "view", "source", "reason", "p_frontal", "header",
    "view_position", "patient_orientation", "body_part", "snomed", "loinc",
)  # fmt: skip
"""A row of `fuse`; the last five are what a header could say, and are never written to a file."""

FORMATS = {".csv": "csv", ".json": "json"}
"""By the name of the table; Parquet otherwise."""


def fuse(scores: DataFrame, headers: DataFrame, key: Key) -> DataFrame:
    """Say of each scored image which view it is, by what, and why.

    Where pixels and header agree, it is known by both. The model's call, which it only makes where
    it is sure, goes before a header that says otherwise; an uncertain or unreadable image is what
    its header says, or else what PatientOrientation or SeriesDescription hint at.

    Args:
        scores: Columns of `cxrspark.tables.schemas.SCORES`, one row per image.
        headers: ``key``, ``header``, ``header_view``, ``hint``.
        key: What of the scores ``key`` names.

    Returns:
        Columns `COLUMNS`; ``view`` is null where nothing tells it.
    """
    joined = beside_headers(scores, headers, key)
    called, said = (_if_known(F.col(name)) for name in ("view", "header_view"))
    hint = _if_known(F.col("hint"))
    agree = called == said
    source = (
        F.when(agree, BOTH)
        .when(called.isNotNull(), PIXELS)
        .when(said.isNotNull(), HEADER)
        .when(hint.isNotNull(), HINT)
        .otherwise(NONE)
    )
    view = F.coalesce(called, said, hint)
    position = F.when(agree, F.upper("header")).otherwise(_projection(scores, called))
    position = F.when(position.isin(AP, PA, "LL", "RL"), position)
    return joined.select(
        *(F.col(name) for name in COLUMNS[:4]),
        view.alias("view"),
        source.alias("source"),
        _reason(called, said, hint).alias("reason"),
        "p_frontal",
        "header",
        position.alias("view_position"),
        F.when(view == FRONTAL, r"L\F").alias("patient_orientation"),
        F.when(called.isin(*VIEWS), BODY_PART).alias("body_part"),
        _coded(position, view, SNOMED).alias("snomed"),
        _coded(position, view, LOINC).alias("loinc"),
    )


def write_views(views: DataFrame, path: str) -> None:
    """Write them by Spark, as CSV or JSON where the name ends so, else as Parquet.

    Raises:
        UserError: Something is there already.
    """
    suffix = next((end for end in FORMATS if path.endswith(end)), "")
    writer = views.write.format(FORMATS.get(suffix, "parquet"))
    if suffix == ".csv":
        writer = writer.option("header", True)
    save_new(writer, path, f"--views {path}")


def save_new(writer: DataFrameWriter, path: str, called: str) -> None:
    """Write where nothing is.

    Args:
        writer: Of the rows.
        path: Where to.
        called: As a user knows it.

    Raises:
        UserError: Something is there already.
    """
    try:
        writer.save(path)
    except Exception as error:
        if "PATH_ALREADY_EXISTS" not in str(error):
            raise
        raise UserError(f"{called}: is there already; name another path") from error


def _if_known(column: Column) -> Column:
    return F.when(column.isin(*VIEWS, OTHER), column)


def _projection(scores: DataFrame, called: Column) -> Column:
    """AP or PA, of models that tell them apart."""
    if "projection" not in scores.columns:
        return F.lit(None).cast("string")
    return F.when(called == FRONTAL, F.col("projection"))


def _reason(called: Column, said: Column, hint: Column) -> Column:
    header = F.coalesce("header", F.lit("nothing"))
    other = F.concat(F.lit("the header says "), header)
    failed = F.when(F.col("error").isNotNull(), F.lit("unreadable; ")).otherwise("uncertain; ")
    return (
        F.when(called == said, F.lit("pixels and header agree"))
        .when(called.isNotNull() & said.isNotNull(), F.concat(F.lit("pixels contradict; "), other))
        .when(called.isNotNull(), F.concat(F.lit("by pixels; "), other))
        .when(said.isNotNull(), F.concat(failed, other))
        .when(hint.isNotNull(), F.concat(failed, F.lit("orientation or series hint at it")))
        .otherwise(F.concat(failed, other))
    )


def _coded(position: Column, view: Column, codes: Mapping[str, str]) -> Column:
    """The code of the position where it has one, else of the view."""
    by_word = F.create_map(*(F.lit(part) for item in codes.items() for part in item))
    return F.coalesce(by_word[position], by_word[view])

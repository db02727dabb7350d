"""Rows of the jobs' tables, of which a test gives only the columns that matter to it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from cxrspark.phantoms.archive import METADATA, TRUTH
from cxrspark.pixels.image import RECIPE
from cxrspark.tables.schemas import PIXELS, SCORES

_SAME = {"rows": 64, "columns": 64, "pixels_recipe": RECIPE, "archive": "/archive"}


def scores_of(
    spark: SparkSession, columns: str, rows: Iterable[tuple[Any, ...]], model_id: str = "m1"
) -> DataFrame:
    """A table of scores: by these columns, and null where nothing is said."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    same = _SAME | {"model_id": model_id, "run_id": "run", "scored_at": now}
    return spark.createDataFrame(_filled(SCORES.names, same, columns, rows), SCORES)


def pixels_of(spark: SparkSession, columns: str, rows: Iterable[tuple[Any, ...]]) -> DataFrame:
    """The same for a table of pixels."""
    return spark.createDataFrame(_filled(PIXELS.names, _SAME, columns, rows), PIXELS)


def _filled(
    names: list[str], same: dict[str, Any], columns: str, rows: Iterable[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    every, filled = dict.fromkeys(names) | same, []
    for values in rows:
        row = every | dict(zip(columns.split(), values, strict=True))
        row["path"] = row["path"] or f"f/{row['image_id']}.jpg"
        row["image_id"] = row["image_id"] or row["path"]
        filled.append(tuple(row.values()))
    return filled


def truth_of(root: Path, metadata: Path) -> pd.DataFrame:
    """What the images of a synthetic archive show: `path`, `view`, `kind`, `header`, by their ids.

    Args:
        root: An archive, of JPEGs or of DICOM files.
        metadata: The archive of JPEGs, which has the metadata.
    """
    truth = pd.read_csv(root / TRUTH, keep_default_na=False)
    truth.index = pd.Index(truth["path"].map(lambda path: Path(path).stem), name="image_id")
    header = pd.read_csv(metadata / METADATA, keep_default_na=False).set_index("dicom_id")
    return truth.assign(header=header["ViewPosition"])

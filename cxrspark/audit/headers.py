"""Headers: which view an archive's metadata, or its DICOM files, say each image shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.labels import EXAMPLES
from cxrspark.archive.view_table import Key, read_view_table
from cxrspark.errors import UserError
from cxrspark.pixels.image import Header
from cxrspark.views import OTHER, view_of

SCHEMA = T.StructType(
    [T.StructField(name, T.StringType()) for name in ("key", "header", "header_view", "body_part")]
)


@dataclass(frozen=True)
class Headers:
    """What one metadata file, or the DICOM headers of one pixels table, say.

    Attributes:
        rows: One row per image: ``key`` string, ``header`` string or null (the value as it is
            written, without blanks around it), ``header_view`` (``frontal``, ``lateral``,
            ``other``; null where ``header`` is) and ``body_part`` string or null.
        key: What of the scores ``key`` is matched to.
        file: Where it was read.
        view_column: The column that was taken.
    """

    rows: pd.DataFrame
    key: Key
    file: str
    view_column: str

    def to_spark(self, spark: SparkSession) -> DataFrame:
        """The rows as a DataFrame."""
        return spark.createDataFrame(
            self.rows.astype(object).where(self.rows.notna(), None), SCHEMA
        )


def read_headers(
    file: str,
    view_column: str | None = None,
    access: Access = DEFAULT_ACCESS,
    *,
    roots: Iterable[str] = (),
    words: Mapping[str, str] | None = None,
) -> Headers:
    """Read a metadata file into the driver's memory.

    Args:
        file: Local path or URL of CSV or Parquet: a public set's table
            (`cxrspark.archive.data_sets`), or any with ``path`` or ``image_id`` and a column that
            tells the view.
        view_column: That column; the set's, or ``view`` or ``ViewPosition``, where not given.
        access: How to reach a URL.
        roots: Roots of the archive, which paths may begin with.
        words: Views by words that a user adds to `cxrspark.views`.

    Returns:
        The header of every image in the file.

    Raises:
        UserError: No such file, not CSV, a column is missing, a row names no image, or rows of
            one image contradict each other.
    """
    table = read_view_table(file, "--metadata", access, roots=roots, view_column=view_column)
    said = table.rows.drop_duplicates(["key", "word"])
    _refuse_contradictions(said["key"], file)
    rows = _with_meaning(said["key"], said["word"], said["body_part"], words)
    return Headers(rows, table.key, file, table.view_column)


def dicom_headers(pixels: DataFrame, table: str) -> Headers:
    """Bring what the DICOM headers of a pixels table say into the driver's memory.

    Args:
        pixels: Columns of `cxrspark.tables.schemas.PIXELS`.
        table: Where they were read, for messages and the report.

    Returns:
        The ViewPosition, or else the PatientOrientation, of every image that is a DICOM file.

    Raises:
        UserError: None is.
    """
    said = F.coalesce("view_position", "patient_orientation").alias("header")
    is_dicom = F.coalesce(*Header._fields).isNotNull()
    key = F.col("image_id").alias("key")
    read = pixels.where(is_dicom).select(key, said, "body_part").toPandas()
    if read.empty:
        raise UserError(f"--pixels {table}: holds no DICOM header; add --metadata FILE")
    header, body_part = (read[name].astype("string") for name in ("header", "body_part"))
    rows = _with_meaning(read["key"], header, body_part, None)
    return Headers(rows, Key("image_id"), table, "view_position, else patient_orientation,")


def _with_meaning(
    key: pd.Series[str],
    header: pd.Series[str],
    body_part: pd.Series[str],
    words: Mapping[str, str] | None,
) -> pd.DataFrame:
    view = view_of(header, words).fillna(OTHER).where(header.notna())
    columns = {"key": key, "header": header, "header_view": view, "body_part": body_part}
    return pd.DataFrame(columns)


def _refuse_contradictions(key: pd.Series[str], file: str) -> None:
    twice = key[key.duplicated()].drop_duplicates()
    if not twice.empty:
        examples = ", ".join(twice.sort_values().head(EXAMPLES))
        raise UserError(
            f"--metadata {file}: {len(twice)} images have rows of several views, e.g. {examples}; "
            "keep one"
        )

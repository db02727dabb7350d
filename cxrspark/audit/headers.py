"""Headers: which view an archive's metadata, or its DICOM files, say each image shows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.csv_file import read_csv, text_column
from cxrspark.archive.labels import EXAMPLES, KEY_COLUMNS
from cxrspark.errors import UserError
from cxrspark.pixels.image import Header
from cxrspark.views import OTHER, view_of

VIEW_COLUMNS = ("ViewPosition", "view")

SCHEMA = T.StructType(
    [T.StructField(name, T.StringType()) for name in ("key", "header", "header_view")]
)


@dataclass(frozen=True)
class Headers:
    """What one metadata file, or the DICOM headers of one pixels table, say.

    Attributes:
        rows: One row per image: ``key`` string, ``header`` string or null (the value as it is
            written, without blanks around it) and ``header_view`` (``frontal``, ``lateral``,
            ``other``; null where ``header`` is).
        key_column: The column of the scores that ``key`` is matched to: ``image_id`` or ``path``.
        file: Where it was read.
        view_column: The column that was taken.
    """

    rows: pd.DataFrame
    key_column: str
    file: str
    view_column: str

    def to_spark(self, spark: SparkSession) -> DataFrame:
        """The rows as a DataFrame."""
        return spark.createDataFrame(
            self.rows.astype(object).where(self.rows.notna(), None), SCHEMA
        )


def read_headers(
    file: str, view_column: str | None = None, access: Access = DEFAULT_ACCESS
) -> Headers:
    """Read a metadata CSV, gzip or not, into the driver's memory.

    Args:
        file: Local path or URL of MIMIC's metadata csv, or of any CSV with ``dicom_id``, ``path``
            or ``image_id`` and a column that tells the view.
        view_column: That column; ``ViewPosition`` or else ``view`` where not given.
        access: How to reach a URL.

    Returns:
        The header of every image in the file.

    Raises:
        UserError: No such file, not CSV, a column is missing, a row names no image, or an image
            has several rows.
    """
    raw = read_csv(file, "--metadata", access)
    key_column, given = _key(raw, file)
    view_column = _view_column(raw, file, view_column)
    key = text_column(raw, given)
    if key_column == "path":  # manifests drop the same from the front of a path
        key = key.str.removeprefix("./").str.lstrip("/")
    _refuse_nameless_and_twice(key, file, given)
    rows = _with_meaning(key, text_column(raw, view_column))
    return Headers(rows, key_column, file, view_column)


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
    read = pixels.where(is_dicom).select(F.col("image_id").alias("key"), said).toPandas()
    if read.empty:
        raise UserError(f"--pixels {table}: holds no DICOM header; add --metadata FILE")
    rows = _with_meaning(read["key"], read["header"].astype("string"))
    return Headers(rows, "image_id", table, "view_position, else patient_orientation,")


def _with_meaning(key: pd.Series[str], header: pd.Series[str]) -> pd.DataFrame:
    view = view_of(header).fillna(OTHER).where(header.notna())
    return pd.DataFrame({"key": key, "header": header, "header_view": view})


def _key(raw: pd.DataFrame, file: str) -> tuple[str, str]:
    """The scores' column that names an image, and the metadata's."""
    if "dicom_id" in raw.columns:
        return "image_id", "dicom_id"
    for name in KEY_COLUMNS:
        if name in raw.columns:
            return name, name
    raise UserError(
        f"--metadata {file}: needs a column dicom_id, image_id or path; it has {_columns(raw)}"
    )


def _view_column(raw: pd.DataFrame, file: str, wanted: str | None) -> str:
    candidates = [wanted] if wanted else [name for name in VIEW_COLUMNS if name in raw.columns]
    if not candidates:
        columns = " or ".join(VIEW_COLUMNS)
        raise UserError(
            f"--metadata {file}: has no column {columns}; add --view-column with one of "
            f"{_columns(raw)}"
        )
    if candidates[0] not in raw.columns:
        raise UserError(
            f"--view-column {wanted}: --metadata {file} has no such column; it has {_columns(raw)}"
        )
    return candidates[0]


def _columns(raw: pd.DataFrame) -> str:
    return ", ".join(map(str, raw.columns[:12]))


def _refuse_nameless_and_twice(key: pd.Series[str], file: str, column: str) -> None:
    nameless = int(key.isna().sum())
    if nameless:
        raise UserError(
            f"--metadata {file}: {nameless} rows have no {column}; name it or drop them"
        )
    twice = key[key.duplicated()].drop_duplicates()
    if not twice.empty:
        examples = ", ".join(twice.sort_values().head(EXAMPLES))
        raise UserError(
            f"--metadata {file}: {len(twice)} images have several rows, e.g. {examples}; keep one"
        )

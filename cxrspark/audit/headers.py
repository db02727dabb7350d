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
from cxrspark.views import FRONTAL, LATERAL, OTHER, SAYS_NOTHING, view_of

SCHEMA = T.StructType(
    [
        T.StructField(name, T.StringType())
        for name in ("key", "header", "header_view", "body_part", "hint")
    ]
)


@dataclass(frozen=True)
class Headers:
    """What one metadata file, or the DICOM headers of one pixels table, say.

    Attributes:
        rows: One row per image: ``key`` string, ``header`` string or null (the value as it is
            written, without blanks around it), ``header_view`` (``frontal``, ``lateral``,
            ``other``; null where ``header`` is), ``body_part`` string or null, and ``hint`` (a
            view that PatientOrientation or SeriesDescription hint at, or null).
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
        The ViewPosition, or else the code of ViewCodeSequence, of every image that is a DICOM
        file. PatientOrientation is a hint: many devices write the same one on every image.

    Raises:
        UserError: None is.
    """
    columns = ["body_part", "view_position", "view_code", "patient_orientation"]
    columns.append("series_description")
    is_dicom = F.coalesce(*Header._fields).isNotNull()
    named = [F.col(name) for name in columns if name in pixels.columns]
    read = pixels.where(is_dicom).select(F.col("image_id").alias("key"), *named).toPandas()
    if read.empty:
        raise UserError(f"--pixels {table}: holds no DICOM header; add --metadata FILE")
    said = read.reindex(columns=["key", *columns]).astype("string")
    said = said.mask(said.apply(lambda words: words.str.upper().isin(SAYS_NOTHING)))
    header = said["view_position"].fillna(said["view_code"])
    rows = _with_meaning(said["key"], header, said["body_part"], None)
    hint = view_of(said["patient_orientation"]).fillna(_in_words(said["series_description"]))
    return Headers(rows.assign(hint=hint), Key("image_id"), table, "view_position, else view_code,")


def _in_words(description: pd.Series[str]) -> pd.Series[str]:
    """The view that a word of a description means; missing where words mean both."""
    words = description.str.upper().str.replace(r"[^A-Z]+", " ", regex=True).str.strip()
    frontal = words.str.contains(r"\b(?:AP|PA|FRONTAL)\b").fillna(False).astype(bool)
    lateral = words.str.contains(r"\b(?:LAT|LATERAL)\b").fillna(False).astype(bool)
    meant = pd.Series(pd.NA, index=words.index, dtype="string")
    return meant.mask(frontal & ~lateral, FRONTAL).mask(lateral & ~frontal, LATERAL)


def _with_meaning(
    key: pd.Series[str],
    header: pd.Series[str],
    body_part: pd.Series[str],
    words: Mapping[str, str] | None,
) -> pd.DataFrame:
    view = view_of(header, words).fillna(OTHER).where(header.notna())
    columns = {"key": key, "header": header, "header_view": view, "body_part": body_part}
    hint = pd.Series(pd.NA, index=key.index, dtype="string")
    return pd.DataFrame(columns | {"hint": hint})


def _refuse_contradictions(key: pd.Series[str], file: str) -> None:
    twice = key[key.duplicated()].drop_duplicates()
    if not twice.empty:
        examples = ", ".join(twice.sort_values().head(EXAMPLES))
        raise UserError(
            f"--metadata {file}: {len(twice)} images have rows of several views, e.g. {examples}; "
            "keep one"
        )

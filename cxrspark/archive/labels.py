"""Labels: what a person, or an archive's metadata, says the view of an image is."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.csv_file import read_csv, text_column
from cxrspark.errors import UserError
from cxrspark.views import NO_VIEW, OTHER, VIEWS, view_of

KEY_COLUMNS = ("path", "image_id")
MIMIC_COLUMNS = ("dicom_id", "subject_id", "ViewPosition")

SCHEMA = T.StructType(
    [T.StructField(name, T.StringType()) for name in ("key", "view", "patient_id", "source")]
)
EXAMPLES = 3


@dataclass(frozen=True)
class Labels:
    """Labels as read from one file, not yet matched to images.

    Attributes:
        rows: One row per labelled image: ``key`` string, ``view`` string (``frontal`` or
            ``lateral``), ``patient_id`` string or null, ``source`` string or null.
        key_column: The column of the images that ``key`` is matched to: ``path`` (relative to the
            archive's root) or ``image_id``.
        file: Where the labels were read.
        images: Number of rows.
        left_out: How many rows of the file are no label of a frontal or lateral chest image, by
            what the file says there (``other``, ``no view``, a rare MIMIC ViewPosition).
    """

    rows: DataFrame
    key_column: str
    file: str
    images: int
    left_out: dict[str, int] = field(default_factory=dict)


def read_labels(spark: SparkSession, file: str, access: Access = DEFAULT_ACCESS) -> Labels:
    """Read labels from a CSV file, gzip or not, by way of the driver's memory.

    Two kinds of file are understood. The project's own has a column ``path`` or ``image_id``
    (``path`` counts where there are both), a column ``view`` with ``frontal``, ``lateral`` or
    ``other``, and may have ``patient_id`` and ``source``; further columns are ignored. MIMIC's
    metadata csv has ``dicom_id``, ``subject_id`` and ``ViewPosition``: AP and PA are frontal,
    LATERAL and LL lateral. Rows of another view or of none are left out and counted. The same
    label given twice counts once.

    Args:
        spark: The caller's session.
        file: Local path or URL.
        access: How to reach a URL.

    Returns:
        The labels of frontal and lateral images, one row per image.

    Raises:
        UserError: No such file, not CSV, a column is missing, a row names no image, a view has
            an unknown name, one image has both views, or no label is left.
    """
    raw = read_csv(file, "labels", access)
    key_column, is_mimic = _kind(raw, file)
    rows = _mimic_rows(raw) if is_mimic else _own_rows(raw, key_column)
    _refuse_nameless(rows, file)
    if not is_mimic:
        _refuse_unknown_views(rows, file)
    is_label = rows["view"].isin(VIEWS)
    left_out = {str(view): int(n) for view, n in rows["view"][~is_label].value_counts().items()}
    if not is_label.any():
        raise UserError(f"{file} holds no label frontal or lateral{_listed(left_out)}")
    once = rows[is_label].drop_duplicates(["key", "view"])
    _refuse_both_views(once, file)
    values = once.astype(object).where(once.notna(), None)
    table = spark.createDataFrame(values, SCHEMA)
    return Labels(table, key_column, file, len(once), left_out)


def match_labels(labels: Labels, images: DataFrame, *, allow_unmatched: bool = False) -> DataFrame:
    """Join labels to the images they belong to.

    Args:
        labels: From :func:`read_labels`.
        images: A manifest, stored pixels table or scores table: it has ``image_id`` and
            ``path``, and perhaps ``subject_id``. Its keys are read several times, so match the
            manifest before the pixels are computed, not the computed pixels.
        allow_unmatched: Leave out labels without an image as long as any has one, as is right
            for a file that labels a larger archive than ``images`` covers.

    Returns:
        The labelled rows of ``images`` with all their columns, and ``label`` string (``frontal``
        or ``lateral``), ``patient_id`` string (the label's, else ``subject_id``, else null) and
        ``source`` string or null.

    Raises:
        UserError: Labels match no image; the line tells how many and names some.
    """
    _refuse_unmatched(labels, images, allow_unmatched)
    subject = F.col("subject_id") if "subject_id" in images.columns else F.lit(None)
    wanted = labels.rows.select(
        F.col("key").alias(labels.key_column),
        F.col("view").alias("label"),
        F.col("patient_id").alias("label_patient"),
        "source",
    )
    joined = images.join(wanted, on=labels.key_column, how="inner")
    patient = F.coalesce("label_patient", subject.cast("string"))
    return joined.select(*images.columns, "label", patient.alias("patient_id"), "source")


def describe_left_out(labels: Labels) -> str:
    """Tell in half a line what :func:`read_labels` left out; empty where it left nothing out."""
    return _listed(labels.left_out)


def _listed(left_out: dict[str, int]) -> str:
    if not left_out:
        return ""
    most_first = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return "; left out: " + ", ".join(f"{count} {view}" for view, count in most_first)


def _kind(raw: pd.DataFrame, file: str) -> tuple[str, bool]:
    """The images' column that the labels name, and whether the file is MIMIC's."""
    if set(MIMIC_COLUMNS) <= set(raw.columns):
        return "image_id", True
    keys = [name for name in KEY_COLUMNS if name in raw.columns]
    if keys and "view" in raw.columns:
        return keys[0], False
    raise UserError(
        f"labels {file}: needs the columns path (or image_id) and view, or MIMIC's "
        f"{', '.join(MIMIC_COLUMNS)}; it has {', '.join(map(str, raw.columns[:8]))}"
    )


def _own_rows(raw: pd.DataFrame, key_column: str) -> pd.DataFrame:
    view = text_column(raw, "view")
    known = view_of(view).fillna(view.str.lower().where(lambda word: word == OTHER))
    # Manifests drop the same from the front of a path.
    key = text_column(raw, key_column).str.removeprefix("./").str.lstrip("/")
    return pd.DataFrame(
        {
            "key": key,
            "view": known.fillna(view).fillna(NO_VIEW),
            "patient_id": text_column(raw, "patient_id"),
            "source": text_column(raw, "source"),
        }
    )


def _mimic_rows(raw: pd.DataFrame) -> pd.DataFrame:
    position = text_column(raw, "ViewPosition")
    return pd.DataFrame(
        {
            "key": text_column(raw, "dicom_id"),
            "view": view_of(position).fillna(position).fillna(NO_VIEW),
            "patient_id": text_column(raw, "subject_id"),
            "source": text_column(raw, "source"),
        }
    )


def _refuse_nameless(rows: pd.DataFrame, file: str) -> None:
    nameless = int(rows["key"].isna().sum())
    if nameless:
        raise UserError(f"labels {file}: {nameless} rows name no image; name it or drop them")


def _refuse_unknown_views(rows: pd.DataFrame, file: str) -> None:
    unknown = rows[~rows["view"].isin([*VIEWS, OTHER, NO_VIEW])]
    if unknown.empty:
        return
    views = unknown.groupby("view")["key"].agg(["size", "min"])
    named = [f"'{view}' ({n}, e.g. {key})" for view, n, key in views.head(5).itertuples()]
    more = f" and {len(views) - 5} more" if len(views) > 5 else ""
    raise UserError(
        f"labels {file}: has views other than frontal, lateral, other: {', '.join(named)}{more}"
    )


def _refuse_both_views(once: pd.DataFrame, file: str) -> None:
    both = once["key"][once["key"].duplicated()]
    if not both.empty:
        examples = ", ".join(both.sort_values().head(EXAMPLES))
        raise UserError(f"labels {file}: {len(both)} images are frontal and lateral: {examples}")


def _refuse_unmatched(labels: Labels, images: DataFrame, allow_unmatched: bool) -> None:
    column = labels.key_column
    known = images.select(F.col(column).alias("key"))
    unmatched = labels.rows.join(known, on="key", how="left_anti")
    missing = unmatched.count()
    if missing == 0 or (allow_unmatched and missing < labels.images):
        return
    examples = [r["key"] for r in unmatched.select("key").orderBy("key").limit(EXAMPLES).collect()]
    there = [r[column] for r in images.select(column).orderBy(column).limit(1).collect()]
    beside = f"; the images' {column}s look like {there[0]}" if there else "; there are no images"
    raise UserError(
        f"{missing} of {labels.images} labels of {labels.file} match no image by {column}, "
        f"e.g. {', '.join(examples)}{beside}"
    )

"""Labels: what a person, or an archive's metadata, says the view of an image is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.view_table import Key, read_view_table
from cxrspark.errors import UserError
from cxrspark.views import AP, NO_VIEW, OTHER, PA, VIEWS, projection_of, view_of

SCHEMA = T.StructType(
    [
        T.StructField(name, T.StringType())
        for name in ("key", "view", "patient_id", "source", "projection", "kind")
    ]
)
MORE = ("label_projection", "label_kind")
"""Columns of matched labels: the projection and the kind that they say."""

EXAMPLES = 3


@dataclass(frozen=True)
class Labels:
    """Labels as read from one file, not yet matched to images.

    Attributes:
        rows: One row per labelled image: ``key`` string, ``view`` string (``frontal`` or
            ``lateral``, or ``other`` where asked for), ``patient_id``, ``source``, ``projection``
            (``AP`` or ``PA``) and ``kind`` (of an image that is neither) strings or null.
        key: What of the images ``key`` is matched to.
        file: Where the labels were read.
        images: Number of rows.
        left_out: How many rows of the file are no label of a frontal or lateral chest image, by
            what the file says there (``other``, ``no view``, a rare ViewPosition).
    """

    rows: DataFrame
    key: Key
    file: str
    images: int
    left_out: dict[str, int] = field(default_factory=dict)


def read_labels(
    spark: SparkSession,
    file: str,
    access: Access = DEFAULT_ACCESS,
    *,
    roots: Iterable[str] = (),
    words: Mapping[str, str] | None = None,
    others: bool = False,
) -> Labels:
    """Read labels from a CSV or Parquet file by way of the driver's memory.

    The project's own file has a column ``path`` or ``image_id`` (``path`` counts where there are
    both), a column ``view`` with ``frontal``, ``lateral`` or ``other``, and may have
    ``patient_id``, ``source``, ``projection`` and ``kind``; further columns are ignored. The
    tables of public sets (`cxrspark.archive.data_sets`) are taken as they are. Rows of another
    view or of none are left out and counted. The same label given twice counts once.

    Args:
        spark: The caller's session.
        file: Local path or URL.
        access: How to reach a URL.
        roots: Roots of the archive, which paths may begin with.
        words: Views by words that a user adds to `cxrspark.views`.
        others: Keep images labelled ``other`` too.

    Returns:
        The labels of frontal and lateral images, one row per image.

    Raises:
        UserError: No such file, not CSV, a column is missing, a row names no image, a view has
            an unknown name, or a projection, one image has both views, or no label is left.
    """
    table = read_view_table(file, "labels", access, roots=roots)
    said = table.rows["word"]
    known = view_of(said, words).fillna(said.str.lower().where(lambda word: word == OTHER))
    given = table.rows["projection"]
    projection = projection_of(given).fillna(given).fillna(projection_of(said))
    rows = table.rows.assign(view=known.fillna(said).fillna(NO_VIEW), projection=projection)
    if table.is_own:
        _refuse_unknown_views(rows, file)
        _refuse_unknown_projections(rows, file)
    is_label = rows["view"].isin([*VIEWS, OTHER] if others else VIEWS)
    left_out = {str(view): int(n) for view, n in rows["view"][~is_label].value_counts().items()}
    if not is_label.any():
        raise UserError(f"{file} holds no label frontal or lateral{_listed(left_out)}")
    once = rows[is_label].drop_duplicates(["key", "view"])[SCHEMA.names]
    _refuse_both_views(once, file)
    values = once.astype(object).where(once.notna(), None)
    labels = spark.createDataFrame(values, SCHEMA)
    return Labels(labels, table.key, file, len(once), left_out)


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
        ``source`` and `MORE`, strings or null.

    Raises:
        UserError: Labels match no image; the line tells how many and names some.
    """
    _refuse_unmatched(labels, images, allow_unmatched)
    subject = F.col("subject_id") if "subject_id" in images.columns else F.lit(None)
    wanted = labels.rows.select(
        F.col("key"),
        F.col("view").alias("label"),
        F.col("patient_id").alias("label_patient"),
        "source",
        F.col("projection").alias("label_projection"),
        F.col("kind").alias("label_kind"),
    )
    joined = images.withColumn("key", labels.key.of_images()).join(wanted, "key")
    patient = F.coalesce("label_patient", subject.cast("string"))
    return joined.select(*images.columns, "label", patient.alias("patient_id"), "source", *MORE)


def describe_left_out(labels: Labels) -> str:
    """Tell in half a line what :func:`read_labels` left out; empty where it left nothing out."""
    return _listed(labels.left_out)


def _listed(left_out: dict[str, int]) -> str:
    if not left_out:
        return ""
    most_first = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return "; left out: " + ", ".join(f"{count} {view}" for view, count in most_first)


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


def _refuse_unknown_projections(rows: pd.DataFrame, file: str) -> None:
    said = rows["projection"].dropna()
    unknown = said[~said.isin([AP, PA])]
    if len(unknown):
        named = ", ".join(f"'{word}' ({n})" for word, n in unknown.value_counts().head(5).items())
        raise UserError(f"labels {file}: has projections other than AP and PA: {named}")


def _refuse_both_views(once: pd.DataFrame, file: str) -> None:
    both = once["key"][once["key"].duplicated()]
    if not both.empty:
        examples = ", ".join(both.sort_values().head(EXAMPLES))
        raise UserError(f"labels {file}: {len(both)} images are frontal and lateral: {examples}")


def _refuse_unmatched(labels: Labels, images: DataFrame, allow_unmatched: bool) -> None:
    known = images.select(labels.key.of_images().alias("key"))
    unmatched = labels.rows.join(known, on="key", how="left_anti")
    missing = unmatched.count()
    if missing == 0 or (allow_unmatched and missing < labels.images):
        return
    examples = [r["key"] for r in unmatched.select("key").orderBy("key").limit(EXAMPLES).collect()]
    there = [r["key"] for r in known.orderBy("key").limit(1).collect()]
    beside = (
        f"; the images' {labels.key}s look like {there[0]}" if there else "; there are no images"
    )
    raise UserError(
        f"{missing} of {labels.images} labels of {labels.file} match no image by {labels.key}, "
        f"e.g. {', '.join(examples)}{beside}"
    )

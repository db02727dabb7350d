"""Scores against headers: who agrees, who does not, and what the model knows that is missing."""

from __future__ import annotations

from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from cxrspark.archive.view_table import Key
from cxrspark.evaluation.figures import OUTCOMES
from cxrspark.evaluation.intervals import wilson
from cxrspark.views import NO_VIEW, UNCERTAIN, VIEWS

NOT_LISTED = "not in the metadata"
GROUPS = {"frontal": "all frontal", "lateral": "all lateral"}
ALL = "all"
BINS = 20

IDS = ("image_id", "study_id", "subject_id", "path")
ANSWERS = ("p_chest", "turn", "inverted", "mirrored", "projection", "p_ap")
TILE = (
    *IDS, "rows", "columns", "header", "header_view", "body_part", "outcome", "p_frontal", *ANSWERS,
    "error",
)  # fmt: skip
AGREEMENT = (
    "header", "header_view", "images", *OUTCOMES, "agree", "disagree",
    "agreement", "low", "high", "effective_images",
)  # fmt: skip


def compare(scores: DataFrame, headers: DataFrame, key: Key) -> DataFrame:
    """Put beside each scored image what its header says.

    Args:
        scores: Columns of `cxrspark.tables.schemas.SCORES`, one row per image.
        headers: ``key``, ``header``, ``header_view``, ``body_part``, from
            `cxrspark.audit.headers`.
        key: What of the scores ``key`` names.

    Returns:
        One row per row of ``scores``: the columns `TILE`. ``header`` is the metadata's value,
        `NO_VIEW` where it is empty or `NOT_LISTED`; ``header_view`` is ``frontal``, ``lateral``,
        ``other`` or null; ``outcome`` is what the model called the image, or ``error``.
    """
    joined = beside_headers(scores, headers, key)
    given = F.coalesce("header", F.lit(NO_VIEW))
    header = F.when(F.col("listed").isNull(), NOT_LISTED).otherwise(given)
    failed = F.col("error").isNotNull() | F.col("p_frontal").isNull()
    return joined.withColumns(
        {"header": header, "outcome": F.when(failed, "error").otherwise(F.col("view"))}
    ).select(*TILE)


def beside_headers(scores: DataFrame, headers: DataFrame, key: Key) -> DataFrame:
    """Every scored image with its header; ``listed`` is null where there is none."""
    # They came from the driver's memory; sent to the scores, they spare a shuffle of all rows.
    listed = F.broadcast(headers.withColumn("listed", F.lit(True)))
    return scores.withColumn("key", key.of_images()).join(listed, "key", "left")


def agreement(compared: DataFrame) -> pd.DataFrame:
    """Count, for each header value, what the model called its images, and how often they agree.

    Agreement is the share of right ones among images called frontal or lateral, of headers that
    mean frontal or lateral; its 95 % interval is Wilson's on the effective number of images
    (`cxrspark.evaluation.intervals.effective_number`), where an image of unknown patient is a
    patient.

    Args:
        compared: From `compare`.

    Returns:
        Columns `AGREEMENT`: a row per header value (frontal ones first, larger ones first), and
        the rows `GROUPS` and `ALL` with the header values they comprise counted together.
        ``agree`` to ``effective_images`` are null where the header means neither view.
    """
    by_patient = _grouped(compared).groupBy("header", "header_view", "patient")
    called = F.col("frontal") + F.col("lateral")
    table = (
        by_patient.agg(F.count("*").alias("images"), *_outcomes())
        .groupBy("header", "header_view")
        .agg(
            *(F.sum(name).alias(name) for name in ("images", *OUTCOMES)),
            F.sum(called * called).alias("squares"),
        )
    ).toPandas()
    has_view = table["header_view"].isin([*VIEWS, ALL])
    agree = table["frontal"].where(table["header_view"] == "frontal", table["lateral"])
    table["agree"] = agree.where(has_view).astype("Int64")
    both = table[table["header"].isin(GROUPS.values())]
    table.loc[table["header"] == ALL, "agree"] = int(both["agree"].sum())
    table["disagree"] = (table["frontal"] + table["lateral"] - table["agree"]).astype("Int64")
    return _with_intervals(_ordered(table))


def confusion(agreed: pd.DataFrame) -> pd.DataFrame:
    """From `agreement`: ``header``, ``header_view``, ``outcome``, ``images``, a row per cell."""
    values = agreed[~agreed["header"].isin([*GROUPS.values(), ALL])]
    cells = values.drop(columns="images").melt(
        ["header", "header_view"], list(OUTCOMES), var_name="outcome", value_name="images"
    )
    return cells.sort_values("header", kind="stable", ignore_index=True)


def suspected_header_errors(compared: DataFrame) -> DataFrame:
    """Images that the model calls frontal and the header lateral, or the other way round.

    Returns:
        Columns `TILE` and ``p_header``, the model's probability of what the header says; the
        smallest first.
    """
    contradicted = F.col("header_view").isin(*VIEWS) & F.col("outcome").isin(*VIEWS)
    contradicted &= F.col("header_view") != F.col("outcome")
    p = F.col("p_frontal").cast("double")
    p_header = F.when(F.col("header_view") == "frontal", p).otherwise(1 - p)
    suspected = compared.where(contradicted).withColumn("p_header", p_header)
    return suspected.orderBy("p_header", "image_id")


def filled_views(compared: DataFrame) -> DataFrame:
    """Images whose header has no view, with the model's in its place; by image id."""
    view = F.when(F.col("outcome") != "error", F.col("outcome"))
    without = compared.where(F.col("header") == NO_VIEW).orderBy("image_id")
    return without.select(*IDS, view.alias("view"), "p_frontal", "error")


def studies(compared: DataFrame) -> DataFrame:
    """Count the images of each study by what the model called them.

    Studies without a chest that could be read are left out: of other body parts, reports, plans.

    Returns:
        ``subject_id``, ``study_id``, ``images`` and a column for each of `OUTCOMES`.
    """
    known = compared.where(F.col("study_id").isNotNull())
    counted = known.groupBy("subject_id", "study_id").agg(
        F.count("*").alias("images"), *_outcomes()
    )
    return counted.where(F.col("images") > F.col("other") + F.col("error"))


def studies_without(counted: DataFrame, view: str) -> DataFrame:
    """Rows of `studies` with no image called ``view``, by subject and study."""
    return counted.where(F.col(view) == 0).orderBy("subject_id", "study_id")


def histogram(compared: DataFrame) -> DataFrame:
    """Count scored images by header, call and probability.

    Returns:
        ``header_view`` (``frontal``, ``lateral``; ``none`` for all others), ``outcome``, ``bin``
        from 0 to `BINS` - 1 (the last one holds p_frontal 1 too) and ``images``; there is no row
        of 0 images.
    """
    header_view = F.when(F.col("header_view").isin(*VIEWS), F.col("header_view")).otherwise("none")
    number = F.least(F.floor(F.col("p_frontal").cast("double") * BINS), F.lit(BINS - 1))
    scored = compared.where(F.col("outcome") != "error")
    by = header_view.alias("header_view"), F.col("outcome"), number.alias("bin")
    return scored.groupBy(*by).agg(F.count("*").alias("images"))


def least_certain(compared: DataFrame, images: int) -> DataFrame:
    """The chests whose p_frontal is nearest to 0.5, nearest first; none that is sure to 99 %."""
    distance = F.abs(F.col("p_frontal") - 0.5)
    called = F.col("outcome").isin(*VIEWS, UNCERTAIN)
    return compared.where(called & (distance < 0.49)).orderBy(distance, "image_id").limit(images)


def errors(compared: DataFrame, examples: int) -> DataFrame:
    """The first images, by path, of each kind of error.

    Returns:
        Columns `TILE`, ``kind`` (the message up to its first colon) and ``of_kind``, the number
        of images with such an error.
    """
    kind = F.substring_index(F.coalesce("error", F.lit("no score")), ":", 1)
    failed = compared.where(F.col("outcome") == "error").withColumn("kind", kind)
    of_kind = Window.partitionBy("kind")
    numbered = failed.withColumns(
        {
            "of_kind": F.count("*").over(of_kind),
            "number": F.row_number().over(of_kind.orderBy("path")),
        }
    )
    shown = numbered.where(F.col("number") <= examples)
    return shown.orderBy(F.desc("of_kind"), "kind", "number").select(*TILE, "kind", "of_kind")


def _outcomes() -> list[Column]:
    return [F.count_if(F.col("outcome") == name).alias(name) for name in OUTCOMES]


def _grouped(compared: DataFrame) -> DataFrame:
    """Each image under its header value, and under the groups that this value belongs to."""
    header, view = F.col("header"), F.col("header_view")
    patient = F.coalesce("subject_id", "image_id").alias("patient")
    own = compared.select(header, view, patient, "outcome")
    with_view = compared.where(view.isin(*VIEWS))
    group = F.when(view == "frontal", GROUPS["frontal"]).otherwise(GROUPS["lateral"])
    groups = with_view.select(group.alias("header"), view, patient, "outcome")
    everything = with_view.select(
        F.lit(ALL).alias("header"), F.lit(ALL).alias("header_view"), patient, "outcome"
    )
    return reduce(DataFrame.unionByName, [own, groups, everything])


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Frontal headers, lateral ones, others, none; groups after their values, all at the end."""
    rank = {"frontal": 0, "lateral": 1, "other": 2}
    place = table["header_view"].map(rank).fillna(3)
    place = place.mask(table["header"] == NOT_LISTED, 4).mask(table["header"] == ALL, 5)
    is_group = table["header"].isin(GROUPS.values())
    order = pd.DataFrame({"place": place, "group": is_group, "images": -table["images"]})
    order["header"] = table["header"]
    return table.loc[order.sort_values(list(order.columns)).index].reset_index(drop=True)


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    figures: dict[str, list[float | None]] = {name: [] for name in AGREEMENT[-4:]}
    for agree, disagree, squares in table[["agree", "disagree", "squares"]].itertuples(index=False):
        called = 0 if pd.isna(agree) else int(agree) + int(disagree)
        row: tuple[float | None, ...] = (None, None, None, None)
        if called:
            effective = called**2 / float(squares)
            row = (int(agree) / called, *wilson(int(agree) / called, effective), effective)
        for name, value in zip(figures, row, strict=True):
            figures[name].append(value)
    return table.assign(**{n: pd.Series(v, dtype="Float64") for n, v in figures.items()})[
        list(AGREEMENT)
    ]

"""Pixels to scores: a pandas UDF with a broadcast copy of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.model.answers import OUTPUTS, TURNS, Thresholds
from cxrspark.model.bundle import Bundle, Networks
from cxrspark.scoring.tally import Tally
from cxrspark.scoring.worker import forget_zips
from cxrspark.sessions import InClosure, to_executors
from cxrspark.tables.schemas import SCORES
from cxrspark.views import AP, FRONTAL, LATERAL, OTHER, PA, UNCERTAIN

if TYPE_CHECKING:
    from pyspark import Broadcast


def score(
    pixels: DataFrame,
    bundle: Bundle,
    *,
    archive: str,
    run_id: str,
    networks: Broadcast[Networks] | InClosure[Networks] | None = None,
    tally: Tally | None = None,
) -> DataFrame:
    """Call every image frontal, lateral, other or uncertain, and say how it lies.

    Args:
        pixels: Columns of `cxrspark.tables.schemas.PIXELS`, of the bundle's recipe: ask
            `refuse_other_recipe` about kept ones.
        bundle: The model.
        archive: Root, written to each row.
        run_id: Written to each row.
        networks: The bundle's, where they were sent to the executors before; else they are now.
        tally: Counts images and errors as tasks end.

    Returns:
        Columns of `cxrspark.tables.schemas.SCORES`, a row for each row of `pixels`; rows without
        pixels keep their error and have neither view nor probability.
    """
    scored = with_scores(
        pixels, bundle, archive=archive, run_id=run_id, networks=networks, tally=tally
    )
    return scored.select(*SCORES.names)


def with_scores(
    pixels: DataFrame,
    bundle: Bundle,
    *,
    archive: str,
    run_id: str,
    networks: Broadcast[Networks] | InClosure[Networks] | None = None,
    tally: Tally | None = None,
) -> DataFrame:
    """As `score`, with the columns of `pixels` as well."""
    networks = networks or to_executors(pixels.sparkSession, bundle.networks)
    udf = F.pandas_udf(_scoring(networks, tally), _OUTPUTS)  # type: ignore[attr-defined]
    constants = {
        "model_id": F.lit(bundle.model_id),
        "archive": F.lit(archive),
        "run_id": F.lit(run_id),
        "scored_at": F.current_timestamp(),
    }
    scored = pixels.withColumn("said", udf("pixels")).withColumn(
        "p_frontal", F.col("said.p_frontal")
    )
    answers = _answers(bundle.thresholds, view_of("p_frontal", bundle))
    return scored.withColumns({**answers, **constants})


def view_of(p_frontal: str, bundle: Bundle) -> Column:
    """View by the bundle's thresholds; null where the column is null."""
    p = F.col(p_frontal)
    view = F.when(p < bundle.lateral_below, LATERAL).when(p > bundle.frontal_above, FRONTAL)
    return view.when(p.isNotNull(), UNCERTAIN)


def _answers(thresholds: Thresholds | None, view: Column) -> dict[str, Column]:
    """The columns of the other answers, and the view with `other` in it."""
    if thresholds is None:
        unknown = {name: F.lit(None).cast(SCORES[name].dataType) for name in ANSWERS}
        return {"view": view, **unknown}
    said = {name: F.col(f"said.{name}") for name in OUTPUTS}
    view = F.when(said["p_chest"] < thresholds.chest_below, OTHER).otherwise(view)
    chest, frontal = view != OTHER, view == FRONTAL
    turn = F.coalesce(
        *(F.when(said[f"p_turn_{t}"] >= thresholds.turn_sure, F.lit(t)) for t in TURNS)
    )

    def sides(name: str, ends: tuple[float, float], below: object, above: object) -> Column:
        return F.when(said[name] < ends[0], F.lit(below)).when(said[name] > ends[1], F.lit(above))

    return {
        "view": view,
        "p_chest": said["p_chest"],
        "turn": F.when(chest, turn),
        "inverted": F.when(chest, sides("p_inverted", thresholds.inverted, False, True)),
        "mirrored": F.when(frontal, sides("p_mirrored", thresholds.mirrored, False, True)),
        "projection": F.when(frontal, sides("p_ap", thresholds.ap, PA, AP)),
        "p_ap": F.when(frontal, said["p_ap"]),
    }


def refuse_other_recipe(pixels: DataFrame, bundle: Bundle) -> None:
    """Check that kept pixels are what the model was trained on.

    Raises:
        UserError: They were made by another recipe.
    """
    other = pixels.where(F.col("pixels_recipe") != bundle.pixels_recipe)
    if row := other.select("pixels_recipe").first():
        wanted = f"the model needs {bundle.pixels_recipe}"
        raise UserError(f"pixels table: holds {row[0]}, {wanted}; name another --pixels TABLE")


def choose_model(scores: DataFrame, path: str, model_id: str | None) -> tuple[str, int]:
    """Whose scores to take: the named model's, or the only one's.

    Args:
        scores: Columns of `cxrspark.tables.schemas.SCORES`.
        path: Where they were read, for the message.
        model_id: What the user named.

    Returns:
        The model and how many images it has scored.

    Raises:
        UserError: The table is empty, has no scores of that model, or several and none is named.
    """
    counted = scores.groupBy("model_id").agg(F.count("*").alias("images")).collect()
    images = {row["model_id"]: int(row["images"]) for row in sorted(counted)}
    names = ", ".join(f"{name} ({count:,} images)" for name, count in images.items())
    if not images:
        raise UserError(f"scores {path}: holds no scores yet; run score_archive first")
    if model_id is None and len(images) > 1:
        raise UserError(f"scores {path}: several models; add --model-id with one of {names}")
    chosen = model_id or next(iter(images))
    if chosen not in images:
        raise UserError(f"model {chosen}: {path} has no scores of it, only of {names}")
    return chosen, images[chosen]


def _scoring(
    networks: Broadcast[Networks] | InClosure[Networks], tally: Tally | None
) -> Callable[[Iterator[pd.Series]], Iterator[pd.DataFrame]]:
    def said(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        from cxrspark.model.inference import said_of  # loads LiteRT, on executors only

        for pixels in batches:
            yield said_of(pixels, networks.value)  # NaN is null in the table
            if tally:
                tally.count(len(pixels), int(pixels.isna().sum()))
        forget_zips()

    return said


ANSWERS = ("p_chest", "turn", "inverted", "mirrored", "projection", "p_ap")
"""Columns of `cxrspark.tables.schemas.SCORES` that the bundle's second network fills."""

_OUTPUTS = T.StructType([T.StructField(name, T.FloatType()) for name in ("p_frontal", *OUTPUTS)])

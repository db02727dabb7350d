"""Pixels to scores: a pandas UDF with a broadcast copy of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from pyspark import Broadcast
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.model.bundle import Bundle
from cxrspark.pixels.image import SIDE
from cxrspark.scoring.tally import Tally
from cxrspark.scoring.worker import forget_zips
from cxrspark.tables.schemas import SCORES
from cxrspark.views import FRONTAL, LATERAL, UNCERTAIN


def score(
    pixels: DataFrame,
    bundle: Bundle,
    *,
    archive: str,
    run_id: str,
    flatbuffer: Broadcast[bytes] | None = None,
    tally: Tally | None = None,
) -> DataFrame:
    """Call every image frontal, lateral or uncertain.

    Args:
        pixels: Columns of `cxrspark.tables.schemas.PIXELS`, of the bundle's recipe: ask
            `refuse_other_recipe` about kept ones.
        bundle: The model.
        archive: Root, written to each row.
        run_id: Written to each row.
        flatbuffer: The bundle's, where it was broadcast before; else it is now.
        tally: Counts images and errors as tasks end.

    Returns:
        Columns of `cxrspark.tables.schemas.SCORES`, a row for each row of `pixels`; rows without
        pixels keep their error and have neither view nor probability.
    """
    scored = with_scores(
        pixels, bundle, archive=archive, run_id=run_id, flatbuffer=flatbuffer, tally=tally
    )
    return scored.select(*SCORES.names)


def with_scores(
    pixels: DataFrame,
    bundle: Bundle,
    *,
    archive: str,
    run_id: str,
    flatbuffer: Broadcast[bytes] | None = None,
    tally: Tally | None = None,
) -> DataFrame:
    """As `score`, with the columns of `pixels` as well."""
    flatbuffer = flatbuffer or pixels.sparkSession.sparkContext.broadcast(bundle.flatbuffer)
    udf = F.pandas_udf(_scoring(flatbuffer, tally), T.FloatType())  # type: ignore[attr-defined]
    constants = {
        "model_id": F.lit(bundle.model_id),
        "archive": F.lit(archive),
        "run_id": F.lit(run_id),
        "scored_at": F.current_timestamp(),
    }
    scored = pixels.withColumn("p_frontal", udf("pixels"))
    return scored.withColumns({"view": view_of("p_frontal", bundle), **constants})


def view_of(p_frontal: str, bundle: Bundle) -> Column:
    """View by the bundle's thresholds; null where the column is null."""
    p = F.col(p_frontal)
    view = F.when(p < bundle.lateral_below, LATERAL).when(p > bundle.frontal_above, FRONTAL)
    return view.when(p.isNotNull(), UNCERTAIN)


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
    flatbuffer: Broadcast[bytes], tally: Tally | None
) -> Callable[[Iterator[pd.Series]], Iterator[pd.Series]]:
    def p_frontal(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        from cxrspark.model.inference import scorer  # loads LiteRT, on executors only

        model = scorer(flatbuffer.value)
        for pixels in batches:
            given = pixels.notna().to_numpy()
            images = np.frombuffer(b"".join(pixels[given]), np.uint8).reshape(-1, SIDE, SIDE)
            scores = np.full(len(pixels), None, dtype=object)
            scores[given] = model.p_frontal(images)
            if tally:
                tally.count(len(pixels), len(pixels) - len(images))
            yield pd.Series(scores)
        forget_zips()

    return p_frontal

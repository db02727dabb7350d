"""What the model says beside frontal and lateral, and what headers say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from cxrspark.views import AP, OTHER, PA, VIEWS

SHOWN = 56
"""Images of each list that the report shows."""

CHEST_WORDS = "CHEST|THORAX|LUNG|RIB"
"""What a BodyPartExamined that means a chest has in it, in capitals."""


@dataclass(frozen=True)
class Answers:
    """Lists of images, each with the columns `TILE` of `cxrspark.audit.judge`.

    Attributes:
        known: Whether the model gives these answers at all.
        not_chests: Called other, surest first, with `header_says_chest`.
        chests_after_all: Whose header names another body part, and that the model calls frontal
            or lateral.
        turned: Not upright, or inverted, or mirrored, by image id.
        projections: ``header`` (AP, PA), ``projection`` (the model's, or null) and ``images``.
        suspected_projections: Whose header says AP and the model PA, or the other way round.
    """

    known: bool
    not_chests: pd.DataFrame
    chests_after_all: pd.DataFrame
    turned: pd.DataFrame
    projections: pd.DataFrame
    suspected_projections: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """What is written beside the report, by name."""
        return {
            "not_a_chest": self.not_chests,
            "chest_after_all": self.chests_after_all,
            "turned_inverted_mirrored": self.turned,
            "projections": self.projections,
            "suspected_projection_errors": self.suspected_projections,
        }

    def shown(self) -> pd.DataFrame:
        """The images whose pictures the report shows."""
        lists = (
            self.not_chests, self.chests_after_all, self.turned, self.suspected_projections,
        )  # fmt: skip
        return pd.concat([images[["image_id", "path"]].head(SHOWN) for images in lists])


def answers_of(compared: DataFrame) -> Answers:
    """Bring the lists to the driver.

    Args:
        compared: From `cxrspark.audit.judge.compare`.
    """
    outcome, body_part = F.col("outcome"), F.upper("body_part")
    chest_word = body_part.rlike(CHEST_WORDS)
    says_chest = F.coalesce(chest_word, F.col("header_view").isin(*VIEWS), F.lit(False))
    others = compared.where(outcome == OTHER).withColumn("header_says_chest", says_chest)
    after_all = outcome.isin(*VIEWS) & ~chest_word
    header, said = F.upper("header"), F.col("projection")
    with_projection = compared.where(header.isin(AP, PA) & (outcome == "frontal"))
    against = header.isin(AP, PA) & (header != said)
    sure = F.greatest(F.col("p_ap"), 1 - F.col("p_ap"))
    counted = with_projection.groupBy(header.alias("header"), said).agg(
        F.count("*").alias("images")
    )
    return Answers(
        known=compared.where(F.col("p_chest").isNotNull()).first() is not None,
        not_chests=others.orderBy("p_chest", "image_id").toPandas(),
        chests_after_all=compared.where(after_all).orderBy("image_id").toPandas(),
        turned=compared.where(_laid_wrong()).orderBy("image_id").toPandas(),
        projections=counted.orderBy("header", "projection").toPandas(),
        suspected_projections=compared.where(against).orderBy(-sure, "image_id").toPandas(),
    )


def _laid_wrong() -> Column:
    wrong = (F.col("turn") != 0, F.col("inverted"), F.col("mirrored"))
    return reduce(Column.__or__, (F.coalesce(each, F.lit(False)) for each in wrong))

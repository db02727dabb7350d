"""Mend a table in which images have several rows."""

from __future__ import annotations

from uuid import uuid4

from pydantic import Field
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.settings import JobSettings
from cxrspark.tables.open import open_table
from cxrspark.tables.schemas import PIXELS_TABLE, SCORES_TABLE
from cxrspark.tables.table import Commit, Format


class MendSettings(JobSettings):
    """Keep one row of each image and model in a table that two writers have doubled."""

    table: str = Field(description="scores or pixels table", min_length=1)
    format: Format = Field("parquet", description="format of the table")


def mend_table(spark: SparkSession, settings: MendSettings) -> int:
    """Keep one row of each key: one without an error if there is one, then the earliest.

    Args:
        spark: The session.
        settings: Which table.

    Returns:
        How many rows were taken out.

    Raises:
        UserError: It is neither a scores nor a pixels table, or a run writes to it.
    """
    run_id = uuid4().hex[:12]
    try:
        table = open_table(spark, settings.table, settings.format, SCORES_TABLE, run_id)
    except UserError as error:
        if "has other columns" not in str(error):
            raise
        table = open_table(spark, settings.table, settings.format, PIXELS_TABLE, run_id)
    try:
        return table.mend(Commit(run_id, 0, settings.model_dump_json()))
    finally:
        table.close()

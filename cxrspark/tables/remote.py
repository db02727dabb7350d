"""Looking at a table through Spark Connect, where there is no file system to look at."""

from __future__ import annotations

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.tables.table import Format

EMPTY = "UNABLE_TO_INFER_SCHEMA"
"""Spark's word for a folder without data."""


def found_remotely(spark: SparkSession, path: str) -> tuple[Format, T.StructType] | None:
    """Format and columns of the table there; None where the folder is empty.

    Raises:
        UserError: There is no such folder, or Delta Lake is needed and the server lacks it.
    """
    try:
        if _has_delta_log(spark, path):
            return "delta", spark.read.format("delta").load(path).schema
        return "parquet", spark.read.parquet(path).schema
    except AnalysisException as error:
        kind = error.getCondition() if hasattr(error, "getCondition") else error.getErrorClass()
        if kind and kind.startswith(EMPTY):
            return None
        if kind and kind.startswith("DATA_SOURCE_NOT_FOUND"):
            raise UserError(
                f"table {path}: is a delta table, and the server lacks Delta Lake; start it with "
                "--packages or --jars"
            ) from error
        raise UserError(f"table {path}: cannot be read; name one that a run wrote") from error


def _has_delta_log(spark: SparkSession, path: str) -> bool:
    try:
        return bool(spark.read.text(f"{path.rstrip('/')}/_delta_log/*.json").columns)
    except AnalysisException:
        return False

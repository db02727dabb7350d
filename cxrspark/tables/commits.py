"""Tables that grow by commits: a reader sees all of a commit or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

Format = Literal["parquet", "delta"]


@dataclass(frozen=True)
class Commit:
    """Names a commit, so that a repeated one is not written twice and each can be traced."""

    run_id: str
    number: int
    settings: str
    """JSON of the run's settings."""


@dataclass(frozen=True)
class Table:
    """A Parquet or Delta table with fixed columns, and one writer at a time."""

    spark: SparkSession
    path: str
    format: Format
    schema: T.StructType

    def read(self) -> DataFrame:
        """All rows committed so far."""
        reader = self.spark.read.format(self.format)
        if self.format == "parquet":  # an empty folder has no columns of its own
            reader = reader.schema(self.schema)
        return reader.load(self.path)

    def append(self, rows: DataFrame, commit: Commit) -> None:
        """Add rows in one commit.

        The rows are gathered into one file (a commit is small enough for that), so that also a
        Parquet commit becomes visible at once, by the rename of its file. Delta commits carry
        the run as transaction (`txnAppId`, `txnVersion`) and the settings as user metadata.
        """
        first = self.schema.names[0]
        file = rows.select(*self.schema.names).repartition(1).sortWithinPartitions(first)
        writer = file.write.format(self.format).mode("append")
        if self.format == "delta":
            writer = writer.options(
                txnAppId=commit.run_id, txnVersion=commit.number, userMetadata=commit.settings
            )
        writer.save(self.path)

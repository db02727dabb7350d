"""Tables that grow by commits: a reader sees all of a commit or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.tables.schemas import Spec

Format = Literal["parquet", "delta"]

ROW_GROUP = 2**24
"""Bytes of a Parquet row group: what one task reads at least, and what can be passed over."""


@dataclass(frozen=True)
class Commit:
    """Names a commit, so that a repeated one is not written twice and each can be traced."""

    run_id: str
    number: int
    settings: str
    """JSON of the run's settings."""


class Table(Protocol):
    """A table with a key, which one run at a time writes to.

    What is to be written is staged first, by tasks that may take long and be repeated, and then
    becomes visible at once; so commits can be staged side by side, and are published one by one.
    """

    spec: Spec
    name: str
    """Path or name, as the user gave it."""

    def read(self) -> DataFrame:
        """All rows committed so far, by the columns of `spec`; what an old row lacks is null."""

    def scratch(self, name: str) -> str:
        """A folder that Spark can write to, for as long as the table is open."""

    def discard(self, name: str) -> None:
        """Delete a folder of `scratch`."""

    def append(self, staged: DataFrame, commit: Commit) -> None:
        """Add rows, at once, but for those whose key the table has got meanwhile.

        Args:
            staged: Rows that cost nothing to compute again, such as those of a file.
            commit: Its name.

        Raises:
            UserError: Another run has taken over the table.
        """

    def replace(self, staged: DataFrame, commit: Commit) -> None:
        """Put rows in place of those that have the same key; see `append`."""

    def mend(self, commit: Commit) -> int:
        """Keep one row of each key, a sound one rather than an error; how many others went."""

    def close(self) -> None:
        """Let other runs write."""


def stage(rows: DataFrame, folder: str) -> DataFrame:
    """Compute rows into one file that is sorted by its first column.

    Args:
        rows: A commit's, so few that one task can gather them.
        folder: From `Table.scratch`.

    Returns:
        The same rows, read from there.
    """
    file = rows.repartition(1).sortWithinPartitions(rows.columns[0])
    write_once(file, folder)
    return rows.sparkSession.read.schema(rows.schema).parquet(folder)


def write_once(rows: DataFrame, folder: str) -> None:
    """Write Parquet, a file a partition whatever the session says, in small row groups."""
    options = {"maxRecordsPerFile": 0, "parquet.block.size": ROW_GROUP}
    rows.write.options(**options).mode("overwrite").parquet(folder)


def in_columns(rows: DataFrame, schema: T.StructType) -> DataFrame:
    """Bring rows to a schema; columns that they lack are null."""
    return rows.select(
        *(
            F.col(field.name)
            if field.name in rows.columns
            else F.lit(None).cast(field.dataType).alias(field.name)
            for field in schema
        )
    )


def once(rows: DataFrame, spec: Spec) -> DataFrame:
    """One row of each key: a sound one rather than an error, the earliest where that is known."""
    from pyspark.sql import Window

    earliest = [name for name in ("scored_at", "ended_at") if name in rows.columns]
    sound_first = [F.col("error").isNotNull()] if "error" in rows.columns else []
    same = Window.partitionBy(*spec.key).orderBy(*sound_first, *earliest, *spec.key)
    numbered = rows.withColumn("_turn", F.row_number().over(same))
    return numbered.where("_turn = 1").drop("_turn")


def doubled_keys(rows: DataFrame, spec: Spec) -> DataFrame:
    """Keys that several rows have, and how many: columns of the key, `count`."""
    return rows.groupBy(*spec.key).count().where("count > 1")

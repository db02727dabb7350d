"""Tables that grow by commits: a reader sees all of a commit or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.tables.schemas import Spec

Format = Literal["parquet", "delta", "iceberg"]

ROW_GROUP = 2**24
"""Bytes of a Parquet row group: what one task reads at least, and what can be passed over."""


@dataclass(frozen=True)
class Commit:
    """Names a commit, so that a repeated one is not written twice and each can be traced."""

    run_id: str
    number: int
    settings: str
    """JSON of the run's settings."""


class Aside(Protocol):
    """What is kept beside a table for as long as it is open."""

    def keep(self, rows: DataFrame, name: str, *, append: bool = False) -> DataFrame:
        """Compute rows, write them under a name, and read them from there.

        Args:
            rows: Their partitions and their order are kept.
            name: Of what they are.
            append: Whether they are added to what has that name.
        """

    def discard(self, name: str) -> None:
        """Delete what has that name."""


class Table(Protocol):
    """A table with a key: a folder, which one run at a time writes to, or a table of a catalog.

    What is to be written is staged first, by tasks that may take long and be repeated, and then
    becomes visible at once; so commits can be staged side by side, and are published one by one.
    """

    spec: Spec
    name: str
    """Path or name, as the user gave it."""
    aside: Aside
    """Where the run keeps what is no part of the table yet."""

    def read(self) -> DataFrame:
        """All rows committed so far, by the columns of `spec`; what an old row lacks is null."""

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


def stage(rows: DataFrame, aside: Aside, name: str) -> DataFrame:
    """Compute a commit's rows, which one task can gather, into one file sorted by its first column.

    Args:
        rows: A commit's.
        aside: Where to.
        name: Under which they are kept there.

    Returns:
        The same rows, read from there.
    """
    return aside.keep(rows.repartition(1).sortWithinPartitions(rows.columns[0]), name)


def write_once(rows: DataFrame, folder: str, *, append: bool = False) -> None:
    """Write Parquet, a file a partition whatever the session says, in small row groups.

    What differs from row to row is written without a dictionary, which would be tried in vain.
    """
    unique = {f"parquet.enable.dictionary#{name}": False for name in ("image_id", "path")}
    options = {"maxRecordsPerFile": 0, "parquet.block.size": ROW_GROUP, **unique}
    rows.write.options(**options).mode("append" if append else "overwrite").parquet(folder)


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

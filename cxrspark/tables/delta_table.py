"""A Delta table: a commit is a MERGE, so that rows of two runs cannot double an image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.tables.files import Files
from cxrspark.tables.lease import Lease, work_path
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Commit, doubled_keys, in_columns, once

METADATA = "spark.databricks.delta.commitInfo.userMetadata"


class DeltaTable:
    """See `cxrspark.tables.table.Table`; the run's settings are each commit's user metadata."""

    def __init__(self, spark: SparkSession, path: str, spec: Spec, run_id: str):
        """Take the table for a run.

        Raises:
            UserError: Another run writes to it.
        """
        self.spec, self.name = spec, path
        self._spark = spark
        self._files = Files(spark, path)
        self._sql_name = f"delta.`{self._files.qualified()}`"
        self._work = Files(spark, work_path(self._files.qualified()))
        self._run_id = run_id
        self._empty = False
        self._lease = Lease(self._work, path, run_id)
        for dead in self._lease.take():
            self._work.delete(dead)

    def make(self) -> None:
        """Make it, empty, where there is none."""
        self._files.delete("_delta_log")  # without a commit, of a run that was killed
        columns = ", ".join(map(_column, self.spec.schema))
        said = self.spec.comment
        self._spark.sql(f"CREATE TABLE {self._sql_name} ({columns}) USING delta COMMENT '{said}'")
        self._empty = True

    def add_columns(self, there: list[str]) -> None:
        """Add the columns that the version that made it did not know."""
        lacking = [_column(field) for field in self.spec.schema if field.name not in there]
        if lacking:
            self._spark.sql(f"ALTER TABLE {self._sql_name} ADD COLUMNS ({', '.join(lacking)})")

    def read(self) -> DataFrame:
        """See `Table.read`."""
        rows = in_columns(self._spark.read.format("delta").load(self.name), self.spec.schema)
        return rows.limit(0) if self._empty else rows  # nor is its log read for nothing

    def scratch(self, name: str) -> str:
        """See `Table.scratch`."""
        return self._work.qualified(f"{self._run_id}/{name}")

    def discard(self, name: str) -> None:
        """See `Table.discard`."""
        self._work.delete(f"{self._run_id}/{name}")

    def append(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.append`."""
        if self.spec.key != ("run_id",):
            self._merge(staged, commit, "")
            return
        self._lease.check()
        with self._told(commit):  # rows that no other run can have
            rows = in_columns(staged, self.spec.schema)
            rows.write.format("delta").mode("append").save(self.name)

    def replace(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.replace`; a reader sees the old row or the new one."""
        update = ", ".join(f"t.`{name}` = s.`{name}`" for name in self.spec.schema.names)
        self._merge(staged, commit, f"WHEN MATCHED THEN UPDATE SET {update}")

    def mend(self, commit: Commit) -> int:
        """See `Table.mend`."""
        counted = doubled_keys(self.read(), self.spec).agg(F.sum("count"), F.count("*")).first()
        if not counted or not counted[1]:
            return 0
        self._lease.check()
        with self._told(commit):
            rows = once(self.read(), self.spec)
            rows.write.format("delta").mode("overwrite").save(self.name)
        return int(counted[0] - counted[1])

    def close(self) -> None:
        """See `Table.close`."""
        self._lease.give_back()

    def _merge(self, staged: DataFrame, commit: Commit, when_matched: str) -> None:
        """Add the rows whose key is new.

        The range of the rows' ids lets Delta pass over all files that cannot hold one of them.
        """
        first = self.spec.key[0]
        rows = in_columns(staged, self.spec.schema).coalesce(1).sortWithinPartitions(first)
        ids = rows.agg(F.min(first).alias("low"), F.max(first).alias("high")).first()
        if ids is None or ids["low"] is None:
            return
        low, high = _literal(ids["low"]), _literal(ids["high"])
        view = f"staged_{commit.run_id}_{commit.number}"
        rows.createOrReplaceTempView(view)
        names = ", ".join(f"`{name}`" for name in self.spec.schema.names)
        values = ", ".join(f"s.`{name}`" for name in self.spec.schema.names)
        same = " AND ".join(f"t.`{name}` = s.`{name}`" for name in self.spec.key)
        self._lease.check()
        self._empty = False
        try:
            with self._told(commit):
                self._spark.sql(
                    f"MERGE INTO {self._sql_name} t USING {view} s "
                    f"ON {same} AND t.`{first}` BETWEEN {low} AND {high} {when_matched} "
                    f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
                )
        finally:
            self._spark.catalog.dropTempView(view)

    @contextmanager
    def _told(self, commit: Commit) -> Iterator[None]:
        """Have Delta write the run's settings beside the commit."""
        self._spark.conf.set(METADATA, commit.settings)
        try:
            yield
        finally:
            self._spark.conf.unset(METADATA)


def _literal(text: str) -> str:
    """A string in SQL: Delta's MERGE takes no parameters, and ids may hold quotes or `${…}`."""
    plain = not set(text) & set("'\\$")
    return f"'{text}'" if plain else f"CAST(X'{text.encode().hex()}' AS STRING)"


def _column(field: T.StructField) -> str:
    return f"`{field.name}` {field.dataType.simpleString()} COMMENT '{field.metadata['comment']}'"

"""A table of a format that can MERGE, by which rows of two runs cannot double an image."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.sessions import changed
from cxrspark.tables.aside import Folder, Tables, in_sql
from cxrspark.tables.files import Files
from cxrspark.tables.lease import Lease, work_path
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Aside, Commit, Format, doubled_keys, in_columns, once

METADATA = "spark.databricks.delta.commitInfo.userMetadata"

CONFLICT = re.compile(
    r"Concurrent\w*Exception|DELTA_CONCURRENT|(Metadata|Protocol)Changed|(METADATA|PROTOCOL)_CHANGED|"
    r"conflicting (new |deleted |delete )*files|CommitFailed|concurrently modified"
)
"""In what Delta Lake and Iceberg say where another writer was faster."""

NEVER = "WHEN MATCHED AND 1 != 1 THEN UPDATE SET t.`image_id` = s.`image_id`"
"""Without it Iceberg only appends, and looks for no conflict (apache/iceberg#12653)."""

TRIES = 6
"""Of a commit; the pause before the next doubles from one second."""


class MergedTable:
    """See `cxrspark.tables.table.Table`; Delta keeps the run's settings as a commit's metadata."""

    def __init__(
        self,
        spark: SparkSession,
        name: str,
        sql_name: str,
        table_format: Format,
        spec: Spec,
        aside: Aside,
    ):
        """Prepare the table.

        Args:
            spark: The session.
            name: As the user gave it.
            sql_name: As SQL names it.
            table_format: `delta` or `iceberg`.
            spec: What it is.
            aside: Where the run keeps what is no part of it yet.
        """
        self.spec, self.name, self.aside = spec, name, aside
        self._spark, self._sql_name, self.format = spark, sql_name, table_format
        self._empty = False

    def make(self) -> None:
        """Make it, empty, where there is none."""
        columns = ", ".join(map(_column, self.spec.schema))
        self._spark.sql(
            f"CREATE TABLE IF NOT EXISTS {self._sql_name} ({columns}) USING {self.format} "
            f"COMMENT '{self.spec.comment}'"
        )

    def add_columns(self, there: list[str]) -> None:
        """Add the columns that the version that made it did not know."""
        lacking = [_column(field) for field in self.spec.schema if field.name not in there]
        if lacking:
            self._spark.sql(f"ALTER TABLE {self._sql_name} ADD COLUMNS ({', '.join(lacking)})")

    def read(self) -> DataFrame:
        """See `Table.read`."""
        rows = in_columns(self._spark.table(self._sql_name), self.spec.schema)
        return rows.limit(0) if self._empty else rows  # nor is its log read for nothing

    def append(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.append`."""
        if self.spec.key != ("run_id",):
            self._merge(staged, commit, NEVER if self.format == "iceberg" else "")
            return
        self._check()
        with self._told(commit):  # rows that no other run can have
            in_columns(staged, self.spec.schema).writeTo(self._sql_name).append()

    def replace(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.replace`; a reader sees the old row or the new one."""
        update = ", ".join(f"t.`{name}` = s.`{name}`" for name in self.spec.schema.names)
        self._merge(staged, commit, f"WHEN MATCHED THEN UPDATE SET {update}")

    def mend(self, commit: Commit) -> int:
        """See `Table.mend`."""
        counted = doubled_keys(self.read(), self.spec).agg(F.sum("count"), F.count("*")).first()
        if not counted or not counted[1]:
            return 0
        self._check()
        with self._told(commit):
            once(self.read(), self.spec).writeTo(self._sql_name).overwrite(F.lit(True))
        return int(counted[0] - counted[1])

    def close(self) -> None:
        """See `Table.close`."""

    def _check(self) -> None:
        """See that the run may still write."""

    def _merge(self, staged: DataFrame, commit: Commit, when_matched: str) -> None:
        """Add the rows whose key is new.

        The range of the rows' ids lets it pass over all files that cannot hold one of them.
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
        merge = (
            f"MERGE INTO {self._sql_name} t USING {view} s "
            f"ON {same} AND t.`{first}` BETWEEN {low} AND {high} {when_matched} "
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})"
        )
        self._check()
        self._empty = False
        try:
            with self._told(commit):
                self._until_alone(merge)
        finally:
            self._spark.catalog.dropTempView(view)

    def _until_alone(self, merge: str) -> None:
        """Merge, again where another writer was faster: its rows are there then."""
        for tried in range(TRIES):
            try:
                self._spark.sql(merge)
                return
            except Exception as error:
                if tried == TRIES - 1 or not CONFLICT.search(str(error)):
                    raise
                time.sleep(2**tried)

    @contextmanager
    def _told(self, commit: Commit) -> Iterator[None]:
        """Have Delta write the run's settings beside the commit."""
        if self.format != "delta":
            yield
            return
        with changed(self._spark, METADATA, commit.settings):
            yield


class DeltaTable(MergedTable):
    """A folder with a Delta table, which one run at a time writes to."""

    def __init__(self, spark: SparkSession, path: str, spec: Spec, run_id: str):
        """Take the table for a run.

        Raises:
            UserError: Another run writes to it.
        """
        self._files = Files(spark, path)
        work = Files(spark, work_path(self._files.qualified()))
        sql_name = f"delta.`{self._files.qualified()}`"
        super().__init__(spark, path, sql_name, "delta", spec, Folder(work, run_id))
        self._lease = Lease(work, path, run_id)
        for dead in self._lease.take():
            work.delete(dead)

    def make(self) -> None:
        """Make it, empty, where there is none."""
        self._files.delete("_delta_log")  # without a commit, of a run that was killed
        super().make()
        self._empty = True

    def close(self) -> None:
        """See `Table.close`."""
        self._lease.give_back()

    def _check(self) -> None:
        self._lease.check()


class NamedTable(MergedTable):
    """A table of a catalog: of several runs that write to it, the first to add an image wins.

    It is mended when no run is at work.
    """

    def __init__(
        self, spark: SparkSession, name: str, table_format: Format, spec: Spec, run_id: str
    ):
        """Prepare the table for a run."""
        self._kept = Tables(spark, name, table_format, run_id)
        super().__init__(spark, name, in_sql(name), table_format, spec, self._kept)

    def close(self) -> None:
        """See `Table.close`."""
        self._kept.close()


def _literal(text: str) -> str:
    """A string in SQL: MERGE takes no parameters, and ids may hold quotes or `${…}`."""
    plain = not set(text) & set("'\\$")
    return f"'{text}'" if plain else f"CAST(X'{text.encode().hex()}' AS STRING)"


def _column(field: T.StructField) -> str:
    return f"`{field.name}` {field.dataType.simpleString()} COMMENT '{field.metadata['comment']}'"

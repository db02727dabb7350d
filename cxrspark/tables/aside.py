"""Where a run keeps what is no part of its table yet: beside it, as the table is itself."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession

from cxrspark.tables.files import Files
from cxrspark.tables.table import write_once

OLD = timedelta(days=30)
"""No run takes so long."""


class Folder:
    """Folders of Parquet in a run's own one; see `cxrspark.tables.table.Aside`."""

    def __init__(self, files: Files, run_id: str):
        """Prepare it.

        Args:
            files: Of the folder in which each run has one.
            run_id: Its name.
        """
        self._files, self._run_id = files, run_id

    def path(self, name: str) -> str:
        """Folder of that name, with its scheme."""
        return self._files.qualified(f"{self._run_id}/{name}")

    def keep(self, rows: DataFrame, name: str, *, append: bool = False) -> DataFrame:
        """See `Aside.keep`."""
        write_once(rows, self.path(name), append=append)
        return rows.sparkSession.read.schema(rows.schema).parquet(self.path(name))

    def discard(self, name: str) -> None:
        """See `Aside.discard`."""
        self._files.delete(f"{self._run_id}/{name}")


class Tables:
    """Tables of a catalog, named after the table and the run; see `cxrspark.tables.table.Aside`."""

    def __init__(self, spark: SparkSession, table: str, table_format: str, run_id: str):
        """Prepare it.

        Args:
            spark: The session.
            table: Name of the table.
            table_format: Its format, and theirs.
            run_id: Of the run.
        """
        self._spark, self._format, self._table_name = spark, table_format, table
        self._today = datetime.now(UTC).date()
        self._start = f"{table}_work_{self._today:%Y%m%d}_{run_id}_"
        self._kept: set[str] = set()
        self._cleared = False

    def keep(self, rows: DataFrame, name: str, *, append: bool = False) -> DataFrame:
        """See `Aside.keep`; the first clears away what dead runs have left."""
        if not self._cleared:
            self._cleared = True
            self._drop_old()
        self._kept.add(name)
        mode = "append" if append else "error"
        rows.write.format(self._format).mode(mode).saveAsTable(self._table(name))
        return self._spark.table(self._table(name))

    def discard(self, name: str) -> None:
        """See `Aside.discard`."""
        self._drop(self._table(name))
        self._kept.discard(name)

    def close(self) -> None:
        """Delete all that is left, as far as that can be done."""
        for name in list(self._kept):
            with suppress(PySparkException):
                self.discard(name)

    def _drop_old(self) -> None:
        """Drop what runs have left that began more than `OLD` ago."""
        schema, _, table = self._table_name.rpartition(".")
        begin = f"{table}_work_"
        oldest = f"{self._today - OLD:%Y%m%d}"
        shown: list[Row] = []
        with suppress(PySparkException):
            shown = self._spark.sql(f"SHOW TABLES IN {in_sql(schema)} LIKE '{begin}*'").collect()
        for name in (row["tableName"] for row in shown):
            made = re.fullmatch(r"(\d{8})_[0-9a-f]{12}_\w+", name.removeprefix(begin))
            if made and made[1] < oldest:
                with suppress(PySparkException):
                    self._drop(in_sql(f"{schema}.{name}"))

    def _drop(self, table: str) -> None:
        purge = "PURGE" if self._format == "iceberg" else ""  # else it keeps the files for ever
        self._spark.sql(f"DROP TABLE IF EXISTS {table} {purge}")

    def _table(self, name: str) -> str:
        return in_sql(self._start + name.replace("-", "_"))


def in_sql(name: str) -> str:
    """A table's name with each of its parts in quotes."""
    return ".".join(f"`{part}`" for part in name.split("."))

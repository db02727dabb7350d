"""Where a run keeps what is no part of its table yet: beside it, as the table is itself."""

from __future__ import annotations

from contextlib import suppress

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from cxrspark.tables.files import Files
from cxrspark.tables.table import write_once


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
        self._spark, self._format = spark, table_format
        self._start = f"{table}_work_{run_id}_"
        self._kept: set[str] = set()

    def keep(self, rows: DataFrame, name: str, *, append: bool = False) -> DataFrame:
        """See `Aside.keep`."""
        self._kept.add(name)
        mode = "append" if append else "error"
        rows.write.format(self._format).mode(mode).saveAsTable(self._table(name))
        return self._spark.table(self._table(name))

    def discard(self, name: str) -> None:
        """See `Aside.discard`."""
        purge = "PURGE" if self._format == "iceberg" else ""  # else it keeps the files for ever
        self._spark.sql(f"DROP TABLE IF EXISTS {self._table(name)} {purge}")
        self._kept.discard(name)

    def close(self) -> None:
        """Delete all that is left, as far as that can be done."""
        for name in list(self._kept):
            with suppress(PySparkException):
                self.discard(name)

    def _table(self, name: str) -> str:
        return in_sql(self._start + name.replace("-", "_"))


def in_sql(name: str) -> str:
    """A table's name with each of its parts in quotes."""
    return ".".join(f"`{part}`" for part in name.split("."))

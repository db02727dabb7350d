"""A folder of Parquet files, each a commit: staged beside the folder, and renamed into it."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.errors import UserError
from cxrspark.tables.aside import Folder
from cxrspark.tables.files import Files
from cxrspark.tables.lease import Lease, work_path
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Aside, Commit, doubled_keys, in_columns, once, write_once

SWAP = "swap"
"""File of a run's folder: which files take the place of which; once it is there, they will."""


class ParquetTable:
    """See `cxrspark.tables.table.Table`.

    A commit is one file, and appears by its rename. Rows are replaced by writing the files that
    hold them anew: a reader may see an image of these files twice for a moment, never not at all.
    """

    def __init__(self, spark: SparkSession, path: str, spec: Spec, run_id: str):
        """Take the table for a run, and finish what a dead one was replacing.

        Raises:
            UserError: Another run writes to it.
        """
        self.spec, self.name = spec, path
        self._spark = spark
        self._files = Files(spark, path)
        self._work = Files(spark, work_path(self._files.qualified()))
        self._run_id = run_id
        self.aside: Aside = Folder(self._work, run_id)
        self._lease = Lease(self._work, path, run_id)
        for dead in self._lease.take():
            self._swap(dead)
            self._work.delete(dead)

    def read(self) -> DataFrame:
        """See `Table.read`."""
        # By a schema, for an empty folder has no columns of its own, and an old file not all.
        return self._spark.read.schema(self.spec.schema).parquet(self.name)

    def append(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.append`; that no other run adds the same rows is left to the lease."""
        rows = in_columns(staged, self.spec.schema).coalesce(1)
        self._swap_in(rows.sortWithinPartitions(self.spec.key[0]), [], commit)

    def replace(self, staged: DataFrame, commit: Commit) -> None:
        """See `Table.replace`."""
        key = list(self.spec.key)
        keys = staged.select(*key)
        named = self.read().select(*key, F.col("_metadata.file_name").alias("_file"))
        touched = named.join(keys, key, "left_semi").select("_file").distinct()
        old = sorted(row["_file"] for row in touched.collect())
        if not old:
            return self.append(staged, commit)
        paths = [self._files.qualified(name) for name in old]
        there = self._spark.read.schema(self.spec.schema).parquet(*paths)
        kept = there.join(keys, key, "left_anti").select(*self.spec.schema.names)
        rows = kept.unionByName(in_columns(staged, self.spec.schema))
        rows = rows.repartitionByRange(len(old), key[0]).sortWithinPartitions(key[0])
        return self._swap_in(rows, old, commit)

    def mend(self, commit: Commit) -> int:
        """See `Table.mend`."""
        doubled = doubled_keys(self.read(), self.spec)
        counted = doubled.agg(F.sum("count"), F.count("*")).first()
        if not counted or not counted[1]:
            return 0
        rows = self.read().join(doubled.drop("count"), list(self.spec.key), "left_semi")
        self.replace(self.aside.keep(once(rows, self.spec), "mended"), commit)
        return int(counted[0] - counted[1])

    def close(self) -> None:
        """See `Table.close`."""
        self._lease.give_back()

    def _swap_in(self, rows: DataFrame, old: list[str], commit: Commit) -> None:
        """Write rows to files beside the table's, then let them take the place of old ones."""
        folder = f"{self._run_id}/new-{commit.number}"
        write_once(rows, self._work.qualified(folder))
        parts = sorted(name for name in self._work.names(folder) if name.startswith("part-"))
        new = {
            f"{folder}/{part}": f"part-{commit.run_id}-{commit.number:05}-{number}.parquet"
            for number, part in enumerate(parts)
        }
        self._lease.check()
        if old:
            self._work.write(f"{folder}/{SWAP}", {"new": new, "old": old})
            self._work.rename(f"{folder}/{SWAP}", f"{self._run_id}/{SWAP}")
            self._swap(self._run_id)
        else:
            self._move(new)
        self._work.delete(folder)

    def _swap(self, folder: str) -> None:
        """Do what a run decided to swap, or the rest of it; nothing where it had not decided."""
        swap: dict[str, Any] | None = self._work.read(f"{folder}/{SWAP}")
        if swap is None:
            return
        self._move({new: name for new, name in swap["new"].items() if self._work.exists(new)})
        for name in swap["old"]:
            self._files.delete(name)
        self._work.delete(f"{folder}/{SWAP}")

    def _move(self, new: dict[str, str]) -> None:
        for staged, name in new.items():
            if not self._files.rename(self._work.qualified(staged), name):
                self._lease.check()
                raise UserError(
                    f"table {self.name}: {staged} is not where it was written; the folder must be "
                    "one and the same for the driver and all workers"
                )

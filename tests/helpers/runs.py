"""Runs of the jobs' code in this process, on the tests' session."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from cxrspark.jobs import session
from cxrspark.jobs.cli import run_job
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.scoring.summary import Summary
from cxrspark.settings import JobSettings
from cxrspark.tables.aside import Folder
from cxrspark.tables.files import Files

COLUMNS = ["image_id", "path", "view", "p_frontal", "turn", "rows", "columns", "error", "model_id"]


def run(spark: SparkSession, archive: Path, table: Path, **options: Any) -> Summary:
    return score_archive(spark, ScoreSettings(archive=str(archive), scores=str(table), **options))


def beside(spark: SparkSession, folder: Path) -> Folder:
    """Where a run keeps what is no part of its table yet: a folder `run` in this one."""
    return Folder(Files(spark, str(folder)), "run")


def load(table: Path, table_format: str) -> pd.DataFrame:
    """Read a table without Spark."""
    if table_format == "delta":
        return DeltaTable(table).to_pandas()
    return pd.read_parquet(table)


def rows_of(table: Path, table_format: str = "parquet") -> pd.DataFrame:
    """Rows that a reader of the table sees now."""
    if table_format == "delta":
        parts = [DeltaTable(table).to_pandas(columns=COLUMNS)]
    else:
        parts = [pd.read_parquet(file, columns=COLUMNS) for file in table.glob("*.parquet")]
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    return pd.concat(parts).sort_values("image_id", ignore_index=True)


def copy_of(archive: Path, target: Path) -> Path:
    """Two images in another folder, called by their paths."""
    target.mkdir()
    sound = [row for row in (archive / "IMAGE_FILENAMES").read_text().split() if ".jpg" in row]
    for number, path in enumerate(file for file in sound if (archive / file).is_file()):
        (target / f"{number}.jpg").write_bytes((archive / path).read_bytes())
        if number == 1:
            break
    return target


def job(
    name: str, settings: type[JobSettings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """The job `cxrspark.jobs.NAME`, from its arguments to its exit code.

    It may not stop the session, nor end the tests where they are interrupted.
    """
    monkeypatch.setattr(SparkSession, "stop", lambda session: None)
    monkeypatch.setattr(session, "end_on_interrupt", lambda: None)
    module = import_module(f"cxrspark.jobs.{name}")
    return lambda *argv: run_job(settings, module.run, [str(arg) for arg in argv])

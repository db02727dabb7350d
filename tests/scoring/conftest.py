"""What the tests of a cluster share: the package, and what a local run makes of the phantoms."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from helpers.runs import rows_of
from helpers.standalone import PACKAGE, ROOT


@pytest.fixture(scope="module")
def package() -> Path:
    """The archive of `make package`, made anew where the code is newer."""
    made = subprocess.run(
        ["make", "package", f"PYTHON={sys.executable}"], cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return PACKAGE


@pytest.fixture(scope="module")
def scored_locally(
    spark: SparkSession, phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    table = tmp_path_factory.mktemp("local") / "scores"
    score_archive(spark, ScoreSettings(archive=str(phantoms), scores=str(table)))
    return rows_of(table)

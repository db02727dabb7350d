"""The packaged job on YARN, in client and in cluster mode, and with an executor that is killed.

`make test-yarn` runs it; it takes Hadoop's servers from Maven, and some minutes.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from pyspark.sql import SparkSession

from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from helpers.standalone import ROOT
from helpers.yarn import Yarn, yarn

pytestmark = pytest.mark.skipif(
    "CXRSPARK_YARN" not in os.environ, reason="make test-yarn runs it: it takes some minutes"
)

COLUMNS = ["image_id", "path", "view", "p_frontal", "turn", "error", "model_id"]


@pytest.fixture(scope="module")
def cluster(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yarn]:
    make = ["make", "package", f"PYTHON={sys.executable}"]
    subprocess.run(make, cwd=ROOT, check=True, capture_output=True)
    with yarn(tmp_path_factory.mktemp("yarn"), spark) as started:
        yield started


@pytest.fixture(scope="module")
def scored_locally(
    spark: SparkSession, phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    table = tmp_path_factory.mktemp("local") / "scores"
    score_archive(spark, ScoreSettings(archive=str(phantoms), scores=str(table)))
    return rows_of(table)


def rows_of(table: Path) -> pd.DataFrame:
    return pd.read_parquet(table, columns=COLUMNS).sort_values("image_id", ignore_index=True)


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_both_modes_score_as_the_local_run_does(
    cluster: Yarn, phantoms: Path, tmp_path: Path, scored_locally: pd.DataFrame, mode: str
) -> None:
    table = tmp_path / "scores"
    arguments = ["--archive", phantoms, "--scores", table]
    job = cluster.submit(*arguments, options=["--deploy-mode", mode])
    assert job.wait(timeout=600) == 0, cluster.log()
    pd.testing.assert_frame_equal(rows_of(table), scored_locally)
    assert f"{len(scored_locally)} scored now" in cluster.log()


def test_an_executor_that_is_killed_costs_no_image(
    cluster: Yarn, phantoms: Path, tmp_path: Path, scored_locally: pd.DataFrame
) -> None:
    """While executors come and go by dynamic allocation."""
    table = tmp_path / "scores"
    dynamic = {
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.maxExecutors": "2",
    }
    options = [word for name, value in dynamic.items() for word in ("--conf", f"{name}={value}")]
    arguments = ["--archive", phantoms, "--scores", table, "--commit-images", "10"]
    job = cluster.submit(*arguments, options=options)
    while not list(table.glob("*.parquet")):
        assert job.poll() is None, cluster.log()
        time.sleep(0.1)
    next(executors(cluster)).kill()
    assert job.wait(timeout=600) == 0, cluster.log()
    pd.testing.assert_frame_equal(rows_of(table), scored_locally)


def executors(cluster: Yarn) -> Iterator[psutil.Process]:
    """The JVMs of the job that run tasks."""
    for node in cluster.nodes:
        for process in node.children(recursive=True):
            words = " ".join(process.cmdline())
            if process.name() == "java" and "YarnCoarseGrainedExecutor" in words:
                yield process

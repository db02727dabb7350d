"""The packaged job on YARN, in client and in cluster mode, and with an executor that is killed.

`make test-yarn` runs it; it takes Hadoop's servers from Maven, and some minutes.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
from pyspark.sql import SparkSession

from helpers.runs import rows_of
from helpers.yarn import Yarn, yarn

pytestmark = pytest.mark.skipif(
    "CXRSPARK_YARN" not in os.environ, reason="make test-yarn runs it: it takes some minutes"
)


@pytest.fixture(scope="module")
def cluster(
    package: Path, spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Yarn]:
    with yarn(tmp_path_factory.mktemp("yarn"), spark) as started:
        yield started


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

"""The packaged job on a standalone cluster whose Python has nothing installed."""

import signal
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest
from pyspark.sql import SparkSession

from cxrspark.tables.delta_package import has_delta

from benchmarks.common.jobs import python_workers
from helpers.runs import rows_of
from helpers.standalone import Cluster, cluster, end

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def two_workers(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for both tests: the last of them kills a worker of it."""
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def test_the_package_has_what_an_executor_needs_and_nothing_of_the_driver_s_training(
    package: Path,
) -> None:
    with tarfile.open(package) as archive:
        names = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert names >= {"cxrspark", "jobs", "conf", "numpy", "PIL", "pyarrow", "obstore", "pydicom"}
    assert not names & {"pyspark", "py4j", "tensorflow", "keras", "petastorm", "matplotlib"}


def test_two_workers_without_any_package_score_as_the_local_run_does(
    spark: SparkSession,
    two_workers: Cluster,
    phantoms: Path,
    tmp_path: Path,
    scored_locally: pd.DataFrame,
) -> None:
    table = tmp_path / "scores"
    table_format = "delta" if has_delta(spark.sparkContext._jvm) else "parquet"
    options = ["--archive", str(phantoms), "--scores", str(table), "--format", table_format]
    job = two_workers.submit(options, cores=2)
    assert job.wait(timeout=300) == 0, two_workers.log()
    pd.testing.assert_frame_equal(rows_of(table, table_format), scored_locally)
    unpacked = {
        path.parts[-7] for path in two_workers.folder.glob("worker-*/*/*/packages/*/scoring/run.py")
    }
    assert unpacked == {"worker-0", "worker-1"}


def test_a_job_survives_a_python_worker_and_a_spark_worker_killed_in_mid_run(
    two_workers: Cluster, phantoms: Path, tmp_path: Path, scored_locally: pd.DataFrame
) -> None:
    table = tmp_path / "scores"
    options = ["--archive", str(phantoms), "--scores", str(table), "--commit-images", "8"]
    job = two_workers.submit(options, cores=2)
    try:
        wait_for(lambda: bool(len(rows_of(table))), job, two_workers)
        wait_for(lambda: kill_a_python(two_workers.workers[0]), job, two_workers)
        killed = two_workers.workers[1]
        killed.send_signal(signal.SIGKILL)
        before = rows_of(table)
        assert job.wait(timeout=300) == 0, two_workers.log()
    finally:
        end(job)
    rows = rows_of(table)
    pd.testing.assert_frame_equal(rows, scored_locally)
    assert 0 < len(before) < len(rows)


def wait_for(condition: Callable[[], bool], job: psutil.Popen, running: Cluster) -> None:
    while not condition():
        assert job.poll() is None, running.log()
        time.sleep(0.05)


def kill_a_python(worker: psutil.Process) -> bool:
    """SIGKILL to a Python worker on this Spark worker, if it has one now."""
    for process in python_workers(worker):
        with suppress(psutil.NoSuchProcess):
            process.kill()
            return True
    return False

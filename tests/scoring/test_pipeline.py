"""Commits that overlap, and end together where one fails."""

import threading
import time

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.scoring.pipeline import overlap


def test_so_many_are_at_work_at_once_and_each_is_done(spark: SparkSession) -> None:
    lock, at_work, most, done = threading.Lock(), 0, 0, []

    def do(item: int) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.05)
        with lock:
            at_work -= 1
            done.append(item)

    overlap(spark, range(10), do, at_once=3)
    assert most == 3
    assert sorted(done) == list(range(10))


def test_what_fails_ends_the_jobs_of_the_others(spark: SparkSession) -> None:
    started = threading.Event()
    slow = F.udf(lambda n: time.sleep(60), "int")

    def do(item: int) -> None:
        if item == 0:
            started.set()
            spark.range(1).select(slow("id")).collect()
        if item == 1:
            started.wait()
            time.sleep(1)
            raise ValueError("first")
        assert item < 2, "no further item begins"

    start = time.monotonic()
    with pytest.raises(ValueError, match="first"):
        overlap(spark, range(5), do, at_once=2)
    assert time.monotonic() - start < 50

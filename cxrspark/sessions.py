"""Classic sessions and those of Spark Connect: what one has and the other has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark import Broadcast

Value = TypeVar("Value")


def is_connect(spark: SparkSession) -> bool:
    """Whether the session is a client of a server: without context, broadcast, accumulator, JVM."""
    return type(spark).__module__.startswith("pyspark.sql.connect.")


def cores(spark: SparkSession) -> int:
    """Tasks that run at once, as Spark counts them now."""
    return _servers_cores(spark) if is_connect(spark) else spark.sparkContext.defaultParallelism


@lru_cache(maxsize=1)
def _servers_cores(spark: SparkSession) -> int:
    """The server cuts a range into as many parts as it has cores; asked once, as it is a job."""
    number = F.spark_partition_id().alias("number")
    return int(spark.range(2**16).select(number).agg(F.max("number")).collect()[0][0]) + 1


@contextmanager
def changed(spark: SparkSession, name: str, value: str | int) -> Iterator[None]:
    """Have another value of a setting for a while, where the session lets it be set.

    Only of settings that all works without: a serverless session has a list of those it allows.
    """
    before = spark.conf.get(name, None)
    try:
        spark.conf.set(name, value)
    except PySparkException:
        if not is_connect(spark):
            raise
        yield
        return
    try:
        yield
    finally:
        if before is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, before)


@dataclass(frozen=True)
class InClosure(Generic[Value]):
    """A value that travels with the function that uses it; for small ones."""

    value: Value

    def destroy(self) -> None:
        """Do as a broadcast does: there is nothing to free."""


def to_executors(spark: SparkSession, value: Value) -> Broadcast[Value] | InClosure[Value]:
    """A value for a function on the executors, which asks for `value`: broadcast where that can be.

    Args:
        spark: The session.
        value: At most a megabyte: through Spark Connect it is sent with each plan.
    """
    return InClosure(value) if is_connect(spark) else spark.sparkContext.broadcast(value)

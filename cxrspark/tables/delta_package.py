"""Delta Lake for the session of a job."""

from __future__ import annotations

from typing import Any

import pyspark
from py4j.java_gateway import JavaClass
from py4j.protocol import Py4JJavaError
from pyspark import SparkContext

from cxrspark.errors import UserError

DELTA_PACKAGES = {
    "3.5": "io.delta:delta-spark_2.12:3.3.2",
    "4.0": "io.delta:delta-spark_2.13:4.0.1",
    "4.1": "io.delta:delta-spark_4.1_2.13:4.4.0",
    "4.2": "io.delta:delta-spark_4.2_2.13:4.4.0",
}
"""Delta Lake for each Spark, as Maven and `spark-submit --packages` name it."""

EXTENSIONS, CATALOG = "spark.sql.extensions", "spark.sql.catalog.spark_catalog"

IN_SPARK = (
    "com.fasterxml.jackson.core", "com.github.luben", "commons-logging", "org.apache.hadoop",
    "org.apache.logging.log4j", "org.apache.parquet", "org.slf4j", "org.xerial.snappy",
)  # fmt: skip
"""Groups of packages that Delta Lake names and Spark brings along: 70 MB, and other versions."""

SPARK = ".".join(pyspark.__version__.split(".")[:2])
DELTA_PACKAGE = DELTA_PACKAGES.get(SPARK)
"""The one for this Spark; none where Delta Lake is not made for it yet."""


def has_delta(jvm: Any) -> bool:
    """Whether the JVM of a session finds Delta Lake's classes."""
    return isinstance(jvm.io.delta.tables.DeltaTable, JavaClass)


def refuse_too_new() -> None:
    """Check that Delta Lake is made for this Spark.

    Raises:
        UserError: It is not, as yet.
    """
    if DELTA_PACKAGE is None:
        raise UserError(
            f"--format delta: there is no Delta Lake for Spark {SPARK} yet, only for "
            f"{', '.join(DELTA_PACKAGES)}; install one of these, or write --format parquet"
        )


def delta_settings() -> dict[str, str]:
    """Settings of a session that reads and writes Delta tables.

    Where the platform or `--jars` did not bring Delta Lake, Spark resolves its package from Maven,
    as `--packages` would have; but here a failure can be told in a line.

    Raises:
        UserError: The package cannot be resolved.
    """
    starter: Any = SparkContext
    starter._ensure_initialized()  # the JVM, which spark-submit has started; no context as yet
    jvm = starter._jvm
    given = jvm.org.apache.spark.SparkConf()
    extensions = {*given.get(EXTENSIONS, "").split(",")} - {""}
    settings = {
        EXTENSIONS: ",".join(sorted(extensions | {"io.delta.sql.DeltaSparkSessionExtension"})),
        CATALOG: given.get(CATALOG, "org.apache.spark.sql.delta.catalog.DeltaCatalog"),
    }
    if has_delta(jvm):
        return settings
    refuse_too_new()
    resolver = jvm.org.apache.spark.util.DependencyUtils  # what SQL's ADD JAR ivy://… calls
    try:
        without = ",".join(f"{group}:*" for group in IN_SPARK)
        package = jvm.java.net.URI(f"ivy://{DELTA_PACKAGE}?exclude={without}")
        found = resolver.resolveMavenDependencies(package)
    except Py4JJavaError as error:
        said = str(error.java_exception.getMessage()).splitlines()[0]
        raise UserError(
            f"--format delta: {DELTA_PACKAGE} cannot be resolved from Maven ({said}); name its "
            "jars by spark-submit --jars, or write --format parquet"
        ) from error
    jars = [str(found.apply(number)) for number in range(found.size())]
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    for jar in jars:
        loader.addURL(jvm.java.io.File(jar).toURI().toURL())
    named = given.get("spark.jars", "")
    return settings | {"spark.jars": ",".join([*filter(None, [named]), *jars])}

"""Versions that work, and a line about those that do not."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

from cxrspark.errors import UserError

PYTHONS = ("3.11", "3.12", "3.13")
SPARKS = ("3.5", "4.0", "4.1", "4.2", "4.3")
JAVAS = ("17", "21")

LEAST_ARROW = {"3.5": 14, "4.0": 14, "4.1": 15, "4.2": 18, "4.3": 18}
"""The least pyarrow of each Spark, which PySpark itself checks when it is first used."""


def refuse_versions() -> None:
    """Check Python, Spark and Arrow, before any of them is loaded.

    Raises:
        UserError: One of a version that does not work.
    """
    python = _minor(".".join(map(str, sys.version_info[:2])))
    if python not in PYTHONS:
        raise UserError(f"Python {python} does not work; use {_any_of(PYTHONS)}")
    spark = spark_version()
    if spark is None:
        return
    if _minor(spark) not in SPARKS:
        raise UserError(f"Spark {spark} does not work; use {_any_of(SPARKS)}")
    arrow, least = installed("pyarrow"), LEAST_ARROW[_minor(spark)]
    if arrow and int(arrow.split(".")[0]) < least:
        raise UserError(f"pyarrow {arrow} does not work with Spark {spark}; use {least} or newer")


def spark_version() -> str | None:
    """PySpark's, as installed or as a cluster brings it; None where there is none."""
    if not (found := installed("pyspark") or installed("pyspark-client")):
        try:
            from pyspark import __version__
        except ImportError:
            return None
        found = __version__
    return found


def installed(package: str) -> str | None:
    """Version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _minor(full: str) -> str:
    return ".".join(full.split(".")[:2])


def _any_of(versions: tuple[str, ...]) -> str:
    return f"{', '.join(versions[:-1])} or {versions[-1]}"

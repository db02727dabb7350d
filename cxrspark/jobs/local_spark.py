"""Spark on a laptop or one server: its settings, and an archive of its classes to start sooner."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from cxrspark.errors import UserError

LOCAL_CONF = Path(__file__).parent / "local_conf"
"""Settings of Spark and of its log."""

NO_CONF = LOCAL_CONF / "none"
"""No folder: an archive allows none on the class path."""

ARCHIVE = "cxrspark-classes.jsa"
"""File beside Spark's own, which Java passes by where it is another Java or its jars are others."""


def use_local_settings() -> None:
    """Take `LOCAL_CONF`, and the archive of classes where there is one, if nobody chose otherwise.

    To be called before Java starts.
    """
    chosen = os.environ.get("SPARK_CONF_DIR")
    if {"PYSPARK_GATEWAY_PORT", "SPARK_HOME"} & {*os.environ}:
        return
    if chosen and Path(chosen).resolve() != LOCAL_CONF.resolve():
        return
    os.environ["SPARK_CONF_DIR"] = str(LOCAL_CONF)
    if "PYSPARK_SUBMIT_ARGS" in os.environ or find_spec("pyspark") is None:
        return
    archive = class_archive()
    if archive.exists() and "'" not in f"{archive}{LOCAL_CONF}":
        os.environ.update(by_archive("SharedArchiveFile", archive))


def by_archive(option: str, archive: Path) -> dict[str, str]:
    """What to add to the environment, that Java reads the archive or writes it as it ends.

    An archive allows no folder on the class path, so `LOCAL_CONF` is given by other means.

    Args:
        option: Java's.
        archive: The file.
    """
    java = (
        f"-XX:{option}='{archive}' -Xlog:disable "
        f"-Dlog4j2.configurationFile='{LOCAL_CONF / 'log4j2.properties'}'"
    )
    properties = f'--properties-file "{LOCAL_CONF / "spark-defaults.conf"}"'
    return {
        "SPARK_CONF_DIR": str(NO_CONF),
        "PYSPARK_SUBMIT_ARGS": f'{properties} --conf "spark.driver.defaultJavaOptions={java}" '
        "pyspark-shell",
    }


def class_archive() -> Path:
    """Where the archive lies, or would.

    Raises:
        UserError: No Spark is installed here.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise UserError("there is no pyspark here: pip install 'cxrspark[spark]'")
    return Path(found.origin).with_name(ARCHIVE)

"""Training has an environment of its own, as its libraries want older versions than all else."""

from __future__ import annotations

import os
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cxrspark.errors import UserError
from cxrspark.jobs.local_spark import LOCAL_CONF, NO_CONF

TRAINING_PYTHON = Path(__file__).parents[2] / ".venv-train" / "bin" / "python"
"""Where `make train-setup` creates it, in a clone of the repository."""

OF_SPARK = ("PYSPARK_", "SPARK_ENV_LOADED", "SPARK_HOME", "SPARK_SCALA", "PYTHONPATH")
"""Beginnings of variables by which one Spark would be found in place of another."""


def training_is_here() -> bool:
    """Whether this Python can train."""
    return all(find_spec(name) for name in ("tensorflow", "petastorm"))


def to_training_environment(command: list[str], what: str = "training") -> None:
    """Go on in training's environment, unless this is it; then this process does not come back.

    A Spark that spark-submit has started is of the wrong version: its settings are handed on to
    another one.

    Args:
        command: The job's name and options.
        what: It is, for the message.

    Raises:
        UserError: It cannot be found.
    """
    if training_is_here():
        return
    if not TRAINING_PYTHON.exists():
        raise UserError(
            f"{what} needs TensorFlow and Petastorm, which this environment lacks: run `make "
            "train-setup` in a clone of cxrspark, or start it where `pip install cxrspark[train]` "
            "went into a Python 3.11"
        )
    settings = _submitted() if "PYSPARK_GATEWAY_PORT" in os.environ else []
    environment = {k: v for k, v in os.environ.items() if not k.startswith(OF_SPARK)}
    if environment.get("SPARK_CONF_DIR") == str(NO_CONF):  # whose settings PYSPARK_SUBMIT_ARGS had
        environment["SPARK_CONF_DIR"] = str(LOCAL_CONF)
    environment["PYSPARK_PYTHON"] = str(TRAINING_PYTHON)
    options = [word for name, value in settings for word in ("--conf", f"{name}={value}")]
    environment["PYSPARK_SUBMIT_ARGS"] = shlex.join([*options, "pyspark-shell"])
    arguments = [str(TRAINING_PYTHON), "-m", "cxrspark.jobs.command", *command]
    sys.stdout.flush()
    os.execve(TRAINING_PYTHON, arguments, environment)


def _submitted() -> list[tuple[str, str]]:
    """Settings of the Spark that spark-submit started."""
    from pyspark import SparkContext

    starter: Any = SparkContext
    starter._ensure_initialized()
    return [(pair._1(), pair._2()) for pair in starter._jvm.org.apache.spark.SparkConf().getAll()]

"""What Spark's event log tells of a run's tasks."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PYTHON_NODES = ("MapInArrow", "PythonMapInArrow")
"""Names, in Spark's plans and scopes, of the step that reads and shrinks images."""


@dataclass(frozen=True)
class Task:
    """One finished task."""

    start: float
    """Seconds since the epoch."""
    seconds: float
    """On its core."""
    reads_images: bool


def event_log_settings(folder: Path) -> dict[str, str]:
    """Session settings that write an event log to an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.absolute().as_uri(),
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.compress": "false",
    }


def tasks(folder: Path) -> Iterator[Task]:
    """Tasks of the log in the folder, once its session has been stopped."""
    (log,) = folder.iterdir()
    reading: set[int] = set()
    with log.open() as lines:
        for line in lines:
            event = json.loads(line)
            if event["Event"] == "SparkListenerStageSubmitted":
                scopes = (rdd.get("Scope") or "" for rdd in event["Stage Info"]["RDD Info"])
                if any(f'"{node}"' in scope for scope in scopes for node in PYTHON_NODES):
                    reading.add(event["Stage Info"]["Stage ID"])
            elif event["Event"] == "SparkListenerTaskEnd":
                info = event["Task Info"]
                yield Task(
                    start=info["Launch Time"] / 1000,
                    seconds=(info["Finish Time"] - info["Launch Time"]) / 1000,
                    reads_images=event["Stage ID"] in reading,
                )

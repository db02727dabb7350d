"""Seconds that tasks take, for the model of larger clusters: `make bench-scale` runs it first.

Scores MIMIC-sized JPEGs in local[2] with an event log, times the decoding of an uncompressed 16-bit
DICOM file of the same size, and writes docs/figures/task_times.json.
"""

import argparse
import os
import random
import shutil
import statistics
import sys
import time
from pathlib import Path

from pydicom.uid import ExplicitVRLittleEndian
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Header
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.common.archives import BUILD, linked
from benchmarks.common.event_log import event_log_settings, tasks
from benchmarks.common.measuring import FIGURES, decode_milliseconds, write_figures

EVENTS = BUILD / "task-times-events"
CORES = 2


def score(spark: SparkSession, folder: Path, files: list[Path]) -> tuple[float, float]:
    """Score into a new table; when it began and ended."""
    table, manifest = BUILD / "scores-task-times", BUILD / "task-times.txt"
    for old in (table, Path(f"{table}_runs")):
        shutil.rmtree(old, ignore_errors=True)
    manifest.write_text("\n".join(str(file.relative_to(folder)) for file in files))
    start = time.time()
    settings = ScoreSettings(archive=str(folder), manifest=str(manifest), scores=str(table))
    score_archive(spark, settings)
    return start, time.time()


def write_dicom(file: Path) -> None:
    """A phantom of MIMIC's size as MIMIC-CXR keeps it: 16 bits, uncompressed."""
    stored = Stored(ExplicitVRLittleEndian, "MONOCHROME1", 16)
    picture = render(phantom_study(3, 3056).frontal)
    file.write_bytes(encode_dicom(detect(picture, stored, 1), stored, Header(modality="DX")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=FIGURES)
    options = parser.parse_args()
    folder = linked(options.images)
    files = sorted(folder.rglob("*.jpg"))
    random.Random(0).shuffle(files)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{CORES}]").config(map=session_settings())
    spark = builder.config(map=event_log_settings(EVENTS)).getOrCreate()
    score(spark, folder, files[:200])  # workers are up, code is compiled
    spans = [score(spark, folder, files) for _ in range(options.rounds)]
    spark.stop()
    read = [task for task in tasks(EVENTS) if task.reads_images and task.start >= spans[0][0]]
    each = len(files) * options.rounds / len(read)
    outside = [
        end - start - sum(t.seconds for t in read if start <= t.start <= end) / CORES
        for start, end in spans
    ]
    dicom = BUILD / "task-times.dcm"
    write_dicom(dicom)
    result = {
        "images_per_task": each,
        "jpeg_core_seconds": [round(task.seconds / each, 5) for task in read],
        "jpeg_decode_seconds": round(decode_milliseconds(files[:200]) / 1000, 5),
        "dicom_decode_seconds": round(decode_milliseconds([dicom] * 20) / 1000, 5),
        "seconds_outside_tasks": round(statistics.median(outside), 3),
    }
    write_figures(options.out / "task_times.json", result)
    print(result)


if __name__ == "__main__":
    main()

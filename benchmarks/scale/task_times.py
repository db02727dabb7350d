"""Seconds that tasks take, for the model of larger clusters: `make bench-scale` runs it first.

Scores MIMIC-sized JPEGs in local[2] with an event log, times the decoding of an uncompressed 16-bit
DICOM file of the same size, and writes docs/figures/task_times.json.
"""

import random
import statistics

from pydicom.uid import ExplicitVRLittleEndian

from cxrspark.phantoms.dicom import Stored
from cxrspark.phantoms.study import phantom_study, render

from benchmarks.common.archives import BUILD, as_dicom, listed, mimic_sized
from benchmarks.common.event_log import event_log_settings, tasks
from benchmarks.common.jobs import CORES, score, session
from benchmarks.common.measuring import FIGURES, decode_milliseconds, parser, write_figures

EVENTS = BUILD / "task-times-events"


def main() -> None:
    options = parser(__doc__, images=1200, rounds=3, out=FIGURES).parse_args()
    archive, manifest = mimic_sized(options.images)
    paths = manifest.read_text().split()
    random.Random(0).shuffle(paths)
    spark = session(event_log_settings(EVENTS))
    score(spark, archive, listed(archive, paths[:200]))  # workers are up, code is compiled
    manifest = listed(archive, paths)
    spans = [score(spark, archive, manifest) for _ in range(options.rounds)]
    spark.stop()
    read = [task for task in tasks(EVENTS) if task.reads_images and task.start >= spans[0][0]]
    each = len(paths) * options.rounds / len(read)
    outside = [
        end - start - sum(t.seconds for t in read if start <= t.start <= end) / CORES
        for start, end in spans
    ]
    # As MIMIC-CXR keeps it: 16 bits, uncompressed.
    dicom, stored = BUILD / "task-times.dcm", Stored(ExplicitVRLittleEndian, "MONOCHROME1", 16)
    dicom.write_bytes(as_dicom(render(phantom_study(3, 3056).frontal), stored))
    jpegs = [archive / path for path in paths[:200]]
    result = {
        "images_per_task": each,
        "jpeg_core_seconds": [round(task.seconds / each, 5) for task in read],
        "jpeg_decode_seconds": round(decode_milliseconds(jpegs) / 1000, 5),
        "dicom_decode_seconds": round(decode_milliseconds([dicom] * 20) / 1000, 5),
        "seconds_outside_tasks": round(statistics.median(outside), 3),
    }
    write_figures(options.out / "task_times.json", result)
    print(result)


if __name__ == "__main__":
    main()

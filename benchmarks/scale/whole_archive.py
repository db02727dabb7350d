"""A manifest of 377,110 images in MIMIC's layout, from start to checked table, in local[2].

Run with `make bench-whole`. The images are small, so that hours become minutes: what is measured is
all that Spark adds. It is set against the decoding of MIMIC-sized images, measured here as well:

* overhead: seconds in which the cores ran no task that reads images (manifest, planning, commits,
  checks), against the seconds that two cores would decode;
* cost per image: the run's own seconds, with the decoding of a MIMIC-sized image in place of that
  of the small one, at 1, 10 and 100 % of the archive.

Writes docs/figures/whole_archive.json and whole_archive.svg.
"""

import json
from pathlib import Path

import psutil

from benchmarks.common.archives import (
    BUILD,
    MIMIC,
    link,
    listed,
    mimic_paths,
    mimic_sized,
    phantoms,
)
from benchmarks.common.event_log import event_log_settings, tasks
from benchmarks.common.jobs import CORES, Watch, jvm_megabytes, score, session, worker_megabytes
from benchmarks.common.measuring import (
    FIGURES,
    decode_milliseconds,
    parser,
    use_svg,
    write_figures,
)

ROWS = 128
SHARES = (0.01, 0.1, 1.0)
ARCHIVE, EVENTS = BUILD / "whole-archive", BUILD / "whole-archive-events"


def main() -> None:
    options = parser(__doc__, images=MIMIC, out=FIGURES).parse_args()
    archive, manifest = mimic_sized(min(options.images, 1200))
    mimic = decode_milliseconds([archive / path for path in manifest.read_text().split()[:200]])
    files, paths = phantoms("small", 64, ROWS), list(mimic_paths(options.images))
    for number, path in enumerate(paths):
        link(files[number % len(files)], ARCHIVE / path)
    small = decode_milliseconds(files * 5)
    spark = session(event_log_settings(EVENTS))
    runtime = spark.sparkContext._jvm.java.lang.Runtime.getRuntime()
    measures = {
        "heap": lambda: (runtime.totalMemory() - runtime.freeMemory()) / 1e6,
        "jvm": jvm_megabytes,
        "driver": lambda: psutil.Process().memory_info().rss / 1e6,
        "worker": worker_megabytes,
    }
    score(spark, ARCHIVE, listed(ARCHIVE, paths[:2000]))  # workers are up, code is compiled
    spans: dict[int, tuple[float, float]] = {}
    for share in SHARES:
        images = max(1, round(share * options.images))
        with Watch(1, **measures) as watch:
            start, end = spans[images] = score(spark, ARCHIVE, listed(ARCHIVE, paths[:images]))
        print(f"{images:>9,} images in {end - start:7.1f} s", flush=True)
    spark.stop()
    read = [task for task in tasks(EVENTS) if task.reads_images]
    runs = []
    for images, (start, end) in spans.items():
        busy = sum(task.seconds for task in read if start <= task.start <= end)
        decoding = images * mimic / 1000 / CORES
        full = end - start + images * (mimic - small) / 1000 / CORES
        runs.append(
            {
                "images": images,
                "seconds": round(end - start, 2),
                "seconds_outside_tasks": round(end - start - busy / CORES, 2),
                "decoding_seconds": round(decoding, 1),
                "overhead": round((end - start - busy / CORES) / decoding, 4),
                "ms_per_image": round(1000 * (end - start) / images, 3),
                "core_ms_per_mimic_image": round(1000 * full * CORES / images, 3),
            }
        )
    result = {
        "decode_ms": {"3056x2544": round(mimic, 3), f"longer side {ROWS}": round(small, 3)},
        "runs": runs,
        "peak_megabytes": {name: round(max(watch.samples[name])) for name in measures},
        "samples": {
            name: [round(value, 1) for value in values[:: max(1, len(values) // 200)]]
            for name, values in watch.samples.items()
        },
    }
    write_figures(options.out / "whole_archive.json", result)
    plot(result, options.out / "whole_archive.svg")
    print(json.dumps({key: result[key] for key in ("runs", "peak_megabytes")}, indent=2))


def plot(result: dict, file: Path) -> None:
    """Memory over the whole run, one line a process."""
    use_svg()
    import matplotlib.pyplot as plt

    names = {
        "jvm": "Spark's JVM, resident",
        "heap": "  of it heap in use",
        "driver": "driver's Python, resident",
        "worker": "largest Python worker, resident",
    }
    samples = result["samples"]
    minutes = [seconds / 60 for seconds in samples["seconds"]]
    figure, axes = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
    for name, label in names.items():
        axes.plot(minutes, samples[name], label=label, linewidth=1 if name == "heap" else 1.6)
    axes.set_xlabel(f"minutes; {result['runs'][-1]['images']:,} small images, {CORES} cores")
    axes.set_ylabel("MB")
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=2, fontsize="small")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()

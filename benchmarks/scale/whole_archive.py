"""A manifest of 377,110 images in MIMIC's layout, from start to checked table, in local[2].

Run with `make bench-whole`. The images are small, so that hours become minutes: what is measured is
all that Spark adds. It is set against the decoding of MIMIC-sized images, measured here as well:

* overhead: seconds in which the cores ran no task that reads images (manifest, planning, commits,
  checks), against the seconds that two cores would decode;
* cost per image: the run's own seconds, with the decoding of a MIMIC-sized image in place of that
  of the small one, at 1, 10 and 100 % of the archive.

Writes docs/figures/whole_archive.json and whole_archive.svg.
"""

import argparse
import json
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import psutil
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.common.archives import BUILD, linked
from benchmarks.common.event_log import event_log_settings, tasks
from benchmarks.common.measuring import FIGURES, decode_milliseconds, use_svg, write_figures
from benchmarks.scale.rescore import IMAGES, image_names
from benchmarks.scale.worker_memory import worker_megabytes

CORES = 2
ROWS = 128
SHARES = (0.01, 0.1, 1.0)
EVENTS = BUILD / "whole-archive-events"


def archive(images: int) -> tuple[Path, list[str], list[Path]]:
    """Links in MIMIC's layout to a few small phantoms: root, paths, and the phantoms."""
    small, root = BUILD / "whole-archive-phantoms", BUILD / "whole-archive"
    if not (small / "truth.csv").exists():
        write_archive(ArchiveSettings(out=small, studies=40, rows=ROWS, seed=3))
    phantoms = sorted(small.rglob("*.jpg"))
    paths = list(islice(image_names(), images))
    for number, path in enumerate(paths):
        link = root / path
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(phantoms[number % len(phantoms)], link)
    return root, paths, phantoms


@dataclass
class Watch:
    """Memory of the driver and its workers, a sample a second."""

    spark: SparkSession
    samples: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        driver = psutil.Process()
        jvm = next(p for p in driver.children(recursive=True) if p.name() == "java")
        runtime = self.spark.sparkContext._jvm.java.lang.Runtime.getRuntime()
        start = time.monotonic()
        while not self._stop.wait(1):
            self.samples.append(
                {
                    "seconds": round(time.monotonic() - start, 1),
                    "heap": round((runtime.totalMemory() - runtime.freeMemory()) / 1e6),
                    "jvm": round(jvm.memory_info().rss / 1e6),
                    "driver": round(driver.memory_info().rss / 1e6),
                    "worker": round(worker_megabytes()),
                }
            )


def score(spark: SparkSession, root: Path, paths: list[str]) -> tuple[float, float]:
    """Score the listed images into a new table; when it began and ended."""
    manifest, table = BUILD / "whole-archive.txt", BUILD / "scores-whole-archive"
    manifest.write_text("\n".join(paths))
    for folder in (table, Path(f"{table}_runs")):
        shutil.rmtree(folder, ignore_errors=True)
    start = time.time()
    score_archive(
        spark, ScoreSettings(archive=str(root), manifest=str(manifest), scores=str(table))
    )
    return start, time.time()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES, help="of the 377,110")
    parser.add_argument("--out", type=Path, default=FIGURES)
    options = parser.parse_args()
    mimic = decode_milliseconds(sorted(linked(1200).rglob("*.jpg"))[:200])
    root, paths, phantoms = archive(options.images)
    small = decode_milliseconds(phantoms * 5)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master(f"local[{CORES}]").config(map=session_settings())
    spark = builder.config(map=event_log_settings(EVENTS)).getOrCreate()
    score(spark, root, paths[:2000])  # workers are up, code is compiled
    spans: dict[int, tuple[float, float]] = {}
    for share in SHARES:
        images = round(share * options.images)
        with Watch(spark) as watch:
            spans[images] = score(spark, root, paths[:images])
        start, end = spans[images]
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
        "peak_megabytes": {
            name: max(sample[name] for sample in watch.samples)
            for name in ("heap", "jvm", "driver", "worker")
        },
        "samples": watch.samples[:: max(1, len(watch.samples) // 200)],
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
    minutes = [sample["seconds"] / 60 for sample in result["samples"]]
    figure, axes = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
    for name, label in names.items():
        values = [sample[name] for sample in result["samples"]]
        axes.plot(minutes, values, label=label, linewidth=1 if name == "heap" else 1.6)
    axes.set_xlabel(f"minutes; {result['runs'][-1]['images']:,} small images, {CORES} cores")
    axes.set_ylabel("MB")
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside upper center", ncols=2, fontsize="small")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()

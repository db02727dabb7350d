"""Time and core hours for the whole of MIMIC-CXR on 4 to 1,000 cores, from measured task times.

Run with `make bench-scale`. The model is in cluster_model.py; its parameters and what came out are
written to docs/figures/scale.json, the plot to scale.svg. docs/scale.md says what they mean.
"""

import json
import statistics
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from benchmarks.common.archives import MIMIC
from benchmarks.common.measuring import FIGURES, parser, use_svg, write_figures
from benchmarks.scale.cluster_model import Archive, Cluster, Outcome, image_seconds, simulate

CORES = (4, 8, 16, 32, 64, 128, 256, 512, 1000)
SEEDS = 5
BYTES = {"JPEG, 570 GB": 570e9 / MIMIC, "DICOM, 4.7 TB": 4.7e12 / MIMIC}


def archives(times: dict) -> dict[str, Archive]:
    """Both forms of MIMIC-CXR; a DICOM file's task time is the JPEG's with its own decoding."""
    jpeg = statistics.mean(times["jpeg_core_seconds"])
    dicom = jpeg - times["jpeg_decode_seconds"] + times["dicom_decode_seconds"]
    return {
        name: Archive(MIMIC, size, seconds)
        for (name, size), seconds in zip(BYTES.items(), (jpeg, dicom), strict=True)
    }


def limit(archive: Archive, cluster: Cluster, seconds: float) -> str:
    """What takes the larger part of the time: the limit an image has, or all that is not tasks."""
    each = image_seconds(archive, cluster)
    reason = max(each, key=each.__getitem__)
    ideal = archive.images * each[reason] / cluster.cores
    return reason if ideal > seconds / 2 else "start, commits, last tasks"


def busy(outcomes: list[Outcome], cluster: Cluster, start: float) -> float:
    """Share of the cores that is in tasks, from a moment on."""
    shares = (o.busy / (cluster.cores * (o.seconds - start)) for o in outcomes)
    return round(statistics.median(shares), 3)


def row(name: str, archive: Archive, cluster: Cluster) -> dict:
    outcomes = [simulate(archive, cluster, seed) for seed in range(SEEDS)]
    seconds = statistics.median(outcome.seconds for outcome in outcomes)
    return {
        "archive": name,
        "cores": cluster.cores,
        "minutes": round(seconds / 60, 2),
        "core_hours": round(cluster.cores * seconds / 3600, 2),
        "busy": busy(outcomes, cluster, 0.0),
        "busy_after_start": busy(outcomes, cluster, cluster.start),
        "repeated_tasks": statistics.median(outcome.repeated for outcome in outcomes),
        "limit": limit(archive, cluster, seconds),
    }


def main() -> None:
    options = parser(__doc__, out=FIGURES).parse_args()
    times = json.loads((options.out / "task_times.json").read_text())
    measured = np.log(times["jpeg_core_seconds"])
    cluster = replace(Cluster(CORES[0]), spread=round(float(measured.std(ddof=1)), 4))
    rows = [
        row(name, archive, replace(cluster, cores=cores))
        for name, archive in archives(times).items()
        for cores in CORES
    ]
    parameters = {key: value for key, value in asdict(cluster).items() if key != "cores"}
    seconds = {name: round(a.core_seconds, 5) for name, a in archives(times).items()}
    result = {"core_seconds_an_image": seconds, "parameters": parameters, "rows": rows}
    write_figures(options.out / "scale.json", result)
    plot(rows, options.out / "scale.svg")
    head = f"{'archive':<15}{'cores':>6}{'minutes':>9}{'core hours':>12}"
    print(f"{head}{'busy':>7}{'after start':>13}  limit")
    for r in rows:
        print(
            f"{r['archive']:<15}{r['cores']:>6}{r['minutes']:>9.1f}{r['core_hours']:>12.2f}"
            f"{r['busy']:>7.0%}{r['busy_after_start']:>13.0%}  {r['limit']}"
        )


def plot(rows: list[dict], file: Path) -> None:
    """Time and core hours over cores."""
    use_svg()
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.2), layout="constrained")
    for name, colour in zip(BYTES, ("#0a7e8c", "#b5651d"), strict=True):
        of = [r for r in rows if r["archive"] == name]
        cores = [r["cores"] for r in of]
        minutes = [r["minutes"] for r in of]
        left.plot(cores, minutes, "o-", color=colour, markersize=4, label=name)
        left.plot(cores, [minutes[0] * cores[0] / c for c in cores], ":", color=colour, linewidth=1)
        hours = [r["core_hours"] for r in of]
        right.plot(cores, hours, "o-", color=colour, markersize=4, label=name)
    left.set_yscale("log")
    left.yaxis.set_major_formatter("{x:g}")
    right.set_ylim(bottom=0)
    for axes, what in ((left, "minutes (dotted: linear)"), (right, "core hours")):
        axes.set_xscale("log")
        axes.set_xticks(CORES[::2], [f"{c:,}" for c in CORES[::2]])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("cores")
        axes.set_ylabel(what)
    left.legend(fontsize="small")
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()

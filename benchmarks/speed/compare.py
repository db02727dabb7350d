"""Images per second of cxrspark beside what a user would pick instead, on the same images.

Run with `make bench`. The contestants alternate, each in a new process that warms up first, so
that a slow minute of the machine hits all; medians over the rounds. Writes compare.json and
compare.svg to docs/figures.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.archives import BUILD, linked
from benchmarks.common.measuring import FIGURES, use_svg, write_figures

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "build" / "peers" / "bin" / "python"


@dataclass(frozen=True)
class Contestant:
    """What the plot calls it, and how it is started."""

    label: str
    python: str
    module: str


CONTESTANTS = {
    "loop": Contestant("bare loop: read and shrink only", sys.executable, "contestants"),
    "cxrspark": Contestant("cxrspark", sys.executable, "contestants"),
    "ray-ours": Contestant("Ray Data with cxrspark's functions", str(PEERS), "peers"),
    "ray": Contestant("Ray Data, read_images", str(PEERS), "peers"),
    "daft": Contestant("Daft, decode_image", str(PEERS), "peers"),
    "usual": Contestant("Spark, binaryFile + Keras", sys.executable, "contestants"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--out", type=Path, default=FIGURES)
    options = parser.parse_args()
    folder = linked(options.images)
    size = sum(file.stat().st_size for file in folder.rglob("*.jpg")) / options.images / 1e6
    rates: dict[str, list[float]] = {name: [] for name in options.only}
    versions: dict[str, dict[str, str]] = {}
    for number in range(options.rounds):
        for name in options.only:
            found = measure(name, folder)
            rates[name].append(found["images"] / found["seconds"])
            versions[name] = found["versions"]
            print(f"round {number + 1}  {name:<9} {rates[name][-1]:6.1f} images/s", flush=True)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    result = {
        "images": options.images,
        "megabytes": round(size, 3),
        "rates": {name: [round(r, 2) for r in values] for name, values in rates.items()},
        "medians": {name: round(median, 2) for name, median in medians.items()},
        "ratios": {
            f"cxrspark / {name}": round(medians["cxrspark"] / median, 3)
            for name, median in medians.items()
            if "cxrspark" in medians and name != "cxrspark"
        },
        "versions": versions,
    }
    write_figures(options.out / "compare.json", result)
    plot(result, options.out / "compare.svg")
    print(json.dumps({key: result[key] for key in ("medians", "ratios")}, indent=2))


def measure(name: str, folder: Path) -> dict:
    """One run in a process of its own."""
    contestant = CONTESTANTS[name]
    command = [contestant.python, "-m", f"benchmarks.speed.{contestant.module}", name, str(folder)]
    done = subprocess.run(
        [*command, str(BUILD / f"compare-{name}")],
        cwd=ROOT,
        env={**os.environ, "PYSPARK_PYTHON": contestant.python},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{name} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def plot(result: dict, file: Path) -> None:
    """One bar a contestant with the spread of its rounds."""
    use_svg()
    import matplotlib.pyplot as plt

    medians = result["medians"]
    names = sorted(medians, key=medians.__getitem__)
    spread = [
        [medians[n] - min(result["rates"][n]) for n in names],
        [max(result["rates"][n]) - medians[n] for n in names],
    ]
    figure, axes = plt.subplots(figsize=(7.2, 0.45 * len(names) + 1.1), layout="constrained")
    colours = ["#0a7e8c" if name == "cxrspark" else "#b8c4cc" for name in names]
    labels = [CONTESTANTS[name].label for name in names]
    bars = axes.barh(labels, [medians[n] for n in names], xerr=spread, color=colours)
    axes.bar_label(bars, [f"{medians[n]:.0f}" for n in names], label_type="center")
    axes.set_xlabel(
        f"images/s on two cores, {result['images']:,} JPEGs of {result['megabytes']:.1f} MB"
    )
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()

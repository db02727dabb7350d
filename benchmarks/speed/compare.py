"""Images per second of cxrspark beside what a user would pick instead, on the same images.

Run with `make bench`. The contestants alternate, each in a new process that warms up first, so
that a slow minute of the machine hits all; medians over the rounds. Writes compare.json and
compare.svg to docs/figures.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cxrspark.pixels.native import SWITCH

from benchmarks.common.archives import BUILD, ROOT, mimic_sized
from benchmarks.common.measuring import (
    FIGURES,
    in_turn,
    medians,
    parser,
    use_svg,
    write_figures,
)

PEERS = ROOT / "build" / "peers" / "bin" / "python"


@dataclass(frozen=True)
class Contestant:
    """What the plot calls it, and how it is started."""

    label: str
    python: str
    module: str


CONTESTANTS = {
    "loop": Contestant("bare loop: read and shrink only", sys.executable, "contestants"),
    "pillow": Contestant("bare loop by Pillow's draft", sys.executable, "contestants"),
    "cxrspark": Contestant("cxrspark", sys.executable, "contestants"),
    "ray-ours": Contestant("Ray Data with cxrspark's functions", str(PEERS), "peers"),
    "ray": Contestant("Ray Data, read_images", str(PEERS), "peers"),
    "daft": Contestant("Daft, decode_image", str(PEERS), "peers"),
    "usual": Contestant("Spark, binaryFile + Keras", sys.executable, "contestants"),
}


def main() -> None:
    arguments = parser(__doc__, images=3600, rounds=3, out=FIGURES)
    arguments.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    options = arguments.parse_args()
    archive, manifest = mimic_sized(options.images)
    size = sum((archive / path).stat().st_size for path in manifest.read_text().split())
    versions: dict[str, dict[str, str]] = {}

    def measure(name: str) -> float:
        found = run(name, archive)
        versions[name] = found["versions"]
        return found["images"] / found["seconds"]

    rates = in_turn(options.rounds, {name: partial(measure, name) for name in options.only})
    middle = medians(rates)
    result = {
        "images": options.images,
        "megabytes": round(size / options.images / 1e6, 3),
        "rates": {name: [round(r, 2) for r in values] for name, values in rates.items()},
        "medians": {name: round(median, 2) for name, median in middle.items()},
        "ratios": {
            f"cxrspark / {name}": round(middle["cxrspark"] / median, 3)
            for name, median in middle.items()
            if "cxrspark" in middle and name != "cxrspark"
        },
        "versions": versions,
    }
    write_figures(options.out / "compare.json", result)
    plot(result, options.out / "compare.svg")
    print(json.dumps({key: result[key] for key in ("medians", "ratios")}, indent=2))


def run(name: str, folder: Path) -> dict:
    """One run in a process of its own."""
    contestant = CONTESTANTS[name]
    command = [contestant.python, "-m", f"benchmarks.speed.{contestant.module}", name, str(folder)]
    done = subprocess.run(
        [*command, str(BUILD / f"compare-{name}")],
        cwd=ROOT,
        env={**os.environ, "PYSPARK_PYTHON": contestant.python, SWITCH: str(int(name != "pillow"))},
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

    middle, rates = result["medians"], result["rates"]
    names = sorted(middle, key=middle.__getitem__)
    spread = [
        [middle[name] - min(rates[name]) for name in names],
        [max(rates[name]) - middle[name] for name in names],
    ]
    figure, axes = plt.subplots(figsize=(7.2, 0.45 * len(names) + 1.1), layout="constrained")
    colours = ["#0a7e8c" if name == "cxrspark" else "#b8c4cc" for name in names]
    labels = [CONTESTANTS[name].label for name in names]
    bars = axes.barh(labels, [middle[name] for name in names], xerr=spread, color=colours)
    axes.bar_label(bars, [f"{middle[name]:.0f}" for name in names], label_type="center")
    axes.set_xlabel(
        f"images/s on two cores, {result['images']:,} JPEGs of {result['megabytes']:.1f} MB"
    )
    figure.savefig(file, metadata={"Date": None})


if __name__ == "__main__":
    main()

"""What the benchmarks share: options, the machine, medians of runs, and where figures go."""

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from cxrspark.pixels.shrink_to_64 import shrink

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


def parser(doc: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """Options of a benchmark, such as `images`, each with its default and of its type."""
    options = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for name, default in defaults.items():
        options.add_argument(f"--{name}", type=type(default), default=default, help=" ")
    return options


def in_turn(rounds: int, work: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure in turn, round by round, so that a slow minute of the machine hits all."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for number in range(rounds):
        for name, measure in work.items():
            found[name].append(measure())
            print(f"round {number + 1}  {name:<16} {found[name][-1]:8.2f}", flush=True)
    return found


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    """Of each."""
    return {name: statistics.median(values) for name, values in found.items()}


def ratios(times: list[float], others: list[float]) -> list[str]:
    """Of each round: how much longer than the other it took."""
    return [f"{one / other:.2f}" for one, other in zip(times, others, strict=True)]


def cpu_milliseconds(work: Callable[[], object], rounds: int = 7) -> float:
    """Median CPU time of a call: other processes of the machine do not count."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken)


def decode_milliseconds(files: list[Path]) -> float:
    """CPU time to read and shrink an image, median over the files."""
    return statistics.median(
        cpu_milliseconds(lambda file=file: shrink(file.read_bytes()), 1) for file in files
    )


def machine() -> str:
    """Cores, processor, memory and Python of this machine."""
    model, info = platform.machine(), Path("/proc/cpuinfo")
    if info.exists():
        lines = (line.partition(":") for line in info.read_text().splitlines())
        model = next(
            (name.strip() for key, _, name in lines if key.startswith("model name")), model
        )
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {gigabytes:.0f} GB, Python {sys.version.split()[0]}"


def write_figures(file: Path, result: dict[str, Any]) -> None:
    """Write a result as JSON, with date and machine."""
    file.parent.mkdir(parents=True, exist_ok=True)
    where = {"date": datetime.date.today().isoformat(), "machine": machine()}
    file.write_text(json.dumps(where | result, indent=1) + "\n")


def use_svg() -> None:
    """Plots that come out the same from the same figures."""
    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cxrspark", "axes.spines.top": False})
    mpl.rcParams.update({"axes.spines.right": False, "legend.frameon": False})

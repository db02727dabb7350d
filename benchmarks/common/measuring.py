"""What the benchmarks share: the machine, the decoder's time, and where figures go."""

import datetime
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl

from cxrspark.pixels.shrink import shrink

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


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


def decode_milliseconds(files: list[Path]) -> float:
    """CPU time to read and shrink an image, median over the files."""
    times = []
    for file in files:
        start = time.process_time()
        shrink(file.read_bytes())
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


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

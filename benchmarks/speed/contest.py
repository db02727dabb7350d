"""How each contestant of `compare.py` is run, whatever its environment."""

import json
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

WARM_UP = 200
"""Images scored before the clock starts: processes are up, models loaded, code compiled."""

Contestant = Callable[[Path, list[Path], Path], None]
"""Folder of the images, the images, the Parquet table to write."""


def run(contestant: Contestant, versions: dict[str, str]) -> None:
    """Score the images that the command line names and print what it took, as JSON.

    Called as `FILE NAME FOLDER WORK`: the contestant's name, the images, a folder to write to.
    """
    folder, work = Path(sys.argv[2]), Path(sys.argv[3])
    files = sorted(folder.rglob("*.jpg"))
    random.Random(0).shuffle(files)
    warm = work / "warm"
    shutil.rmtree(work, ignore_errors=True)
    for file in files[:WARM_UP]:
        copy = warm / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.hardlink_to(file)
    contestant(warm, sorted(warm.rglob("*.jpg")), work / "warm-scores")
    start = time.perf_counter()
    contestant(folder, files, work / "scores")
    seconds = time.perf_counter() - start
    rows = sum(pq.read_metadata(part).num_rows for part in (work / "scores").rglob("*.parquet"))
    if rows != len(files):
        sys.exit(f"{sys.argv[1]}: wrote {rows} rows for {len(files)} images")
    print(json.dumps({"images": rows, "seconds": seconds, "versions": versions}))

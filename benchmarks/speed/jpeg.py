"""CPU time of a JPEG at 1/8 by the native scan and by Pillow's draft, in turns; make bench-jpeg.

With folders on the command line no time is taken: the pixels of each JPEG in them are compared,
from 8 rows and columns on, and those are counted that the scan leaves to Pillow.
"""

import statistics
import sys
import time
import warnings
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from cxrspark.phantoms.files import jpeg
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.native import scan, why_not
from cxrspark.pixels.picture_file import EIGHTH

from benchmarks.common.measuring import machine

STUDIES, ROWS, TURNS = 4, 3056, 10


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        image.draft("L", (1, 1))
        return np.asarray(image.convert("L"))


def by_scan(data: bytes) -> np.ndarray | None:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return scan(data, image.height, image.width) if min(image.size) >= EIGHTH else None


def measure() -> None:
    studies = [phantom_study(seed, ROWS) for seed in range(STUDIES)]
    views = [view for study in studies for view in (study.frontal, study.lateral)]
    files = [jpeg(Image.fromarray(render(view))) for view in views]
    times: dict[str, list[float]] = {"Pillow's draft": [], "native scan": []}
    for data in files * TURNS:
        pixels = []
        for way, decode in zip(times, (by_pillow, by_scan), strict=True):
            start = time.process_time()
            pixels.append(decode(data))
            times[way].append(1000 * (time.process_time() - start))
        assert pixels[1] is not None
        assert np.array_equal(*pixels)
    print(machine())
    megabytes = sum(map(len, files)) / len(files) / 1e6
    print(f"{len(files)} JPEGs of {ROWS} rows, {megabytes:.2f} MB each")
    for way, taken in times.items():
        print(f"{way:<16} {statistics.median(taken):6.2f} ms")
    slow, fast = (statistics.median(taken) for taken in times.values())
    print(f"ratio            {slow / fast:6.2f}")


def compare(folders: list[Path]) -> None:
    warnings.simplefilter("ignore")
    counts: Counter[str] = Counter()
    for file in (file for folder in folders for file in sorted(folder.rglob("*"))):
        data = file.read_bytes() if file.is_file() else b""
        if data[:3] != b"\xff\xd8\xff":
            continue
        try:
            ours = by_scan(data)
        except Exception:
            counts["not opened by Pillow"] += 1
            continue
        if ours is None:
            counts["left to Pillow"] += 1
            print(f"left to Pillow: {file}")
        else:
            equal = np.array_equal(ours, by_pillow(data))
            counts["equal" if equal else "DIFFERENT"] += 1
            if not equal:
                print(f"different: {file}")
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    if counts["DIFFERENT"]:
        sys.exit(1)


if __name__ == "__main__":
    if reason := why_not():
        sys.exit(reason)
    if sys.argv[1:]:
        compare([Path(folder) for folder in sys.argv[1:]])
    else:
        measure()

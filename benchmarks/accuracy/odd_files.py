"""A folder of odd files: what Pillow or pydicom show of it, and what a run says of each.

    python -m benchmarks.accuracy.odd_files FOLDER

FOLDER holds the test files of pydicom, Pillow and libjpeg-turbo, as their repositories have them
(src/pydicom/data, Tests/images, testimages). Prints every file that a viewer shows and no row
scores, with what was said of it, and how many of which format were scored or left out.
"""

import logging
import sys
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pydicom
from PIL import Image

from cxrspark.jobs.command import main as cxrspark


def shown(file: Path) -> str | None:
    """Format, mode and size as Pillow or pydicom show it; None where neither does."""
    try:
        with Image.open(file) as image:
            image.load()
            return f"{image.format} {image.mode} {image.height}x{image.width}"
    except Exception:  # both raise many types
        pass
    try:
        dicom = pydicom.dcmread(file, force=True)
        pixels = dicom.pixel_array
        size = "x".join(map(str, pixels.shape))
        return f"DICOM {dicom.PhotometricInterpretation} {pixels.dtype} {size}"
    except Exception:
        return None


def main(folder: Path) -> None:
    """Score it, look at it, print."""
    warnings.simplefilter("ignore")
    logging.disable()
    with TemporaryDirectory() as work:
        table = f"{work}/scores"
        assert cxrspark(["score", "--archive", str(folder), "--scores", table]) == 0
        rows = pd.read_parquet(table).set_index("path")
    assert rows.index.is_unique
    counts: Counter[tuple[str, str]] = Counter()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, seen = str(file.relative_to(folder)), shown(file)
        said = "left out" if name not in rows.index else rows.loc[name, "error"] or "scored"
        counts[(seen or "not shown").split()[0] if seen else "not shown", said.split(":")[0]] += 1
        if seen and said not in ("scored", "left out"):
            print(f"{seen:<40} {said:<60} {name}")
    print(pd.Series(counts).unstack(fill_value=0).to_string())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Write an archive of synthetic chest X-rays."""

from __future__ import annotations

import sys
import time
from collections import Counter

from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.scoring.progress import duration

SETTINGS = ArchiveSettings


def run(settings: ArchiveSettings) -> None:
    """Write it, with a line of progress, and print the counts."""
    start = last = time.monotonic()
    on_terminal = sys.stderr.isatty()

    def show(done: int, images: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < images and now - last < (0.5 if on_terminal else 10):
            return
        last = now
        rate = done / (now - start)
        line = f"{done:,} of {images:,} images · {rate:.1f} images/s"
        line += f" · {duration((images - done) / rate)} left"
        print(line.ljust(70), end="\r" if on_terminal and done < images else "\n", file=sys.stderr)

    images = write_archive(settings, show)
    seconds = time.monotonic() - start
    size = sum(image.size for image in images) / 1e6
    print(f"{len(images):,} images, {size:,.1f} MB in {duration(seconds)}")
    labels = Counter(image.label or "no view" for image in images)
    kinds = Counter(image.kind for image in images)
    for name, count in (*sorted(labels.items()), *sorted(kinds.items())):
        print(f"  {name:<14} {count:>9,}")
    print(f"archive {settings.out}")
    if settings.dicom:
        print(f"dicom   {settings.dicom}, the same images")

"""Write an archive of synthetic chest X-rays: python jobs/make_phantoms.py --help."""

import sys
import time

from cxrspark.jobs.cli import run_job
from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.scoring.progress import duration


def run(settings: ArchiveSettings) -> None:
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

    summary = write_archive(settings, show)
    seconds = time.monotonic() - start
    print(f"{summary.images:,} images, {summary.size / 1e6:,.1f} MB in {duration(seconds)}")
    for label, images in sorted(summary.labels.items()):
        print(f"  {label or 'no view':<14} {images:>9,}")
    for kind, images in sorted(summary.kinds.items()):
        print(f"  {kind:<14} {images:>9,}")
    print(f"archive {settings.out}")
    if settings.dicom:
        print(f"dicom   {settings.dicom}, the same images")


if __name__ == "__main__":
    sys.exit(run_job(ArchiveSettings, run))

"""What an image takes of a core, JPEG and DICOM, and what MIMIC-CXR's 377,110 come to.

Run with `make bench-sizing`: the table of docs/clusters.md. The job runs in local[2] over 1,200
names of 60 images of 3056×2544, as JPEG and as uncompressed 12-bit DICOM; the faster of two runs.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from cxrspark.phantoms.dicom import Stored

from benchmarks.common.archives import BUILD, MIMIC, as_dicom, link, listed, mimic_sized
from benchmarks.common.jobs import CORES, images_per_second, session
from benchmarks.common.measuring import parser


def dicom_archive(root: Path, manifest: Path) -> tuple[Path, Path]:
    """The same images under the same names, as DICOM."""
    archive, files = BUILD / f"{root.name}-dicom", BUILD / f"{root.name}-dicom-files"
    paths = []
    for path in manifest.read_text().split():
        jpeg = root / path
        file = files / f"{jpeg.stat().st_ino}.dcm"
        if not file.exists():
            files.mkdir(parents=True, exist_ok=True)
            file.write_bytes(as_dicom(np.asarray(Image.open(jpeg).convert("L")), Stored()))
        paths.append(path.replace(".jpg", ".dcm"))
        link(file, archive / paths[-1])
    return archive, listed(archive, paths)


def main() -> None:
    options = parser(__doc__, images=1200, drawn=60, rounds=2).parse_args()
    jpegs = mimic_sized(options.images, options.drawn)
    archives = {"JPEG": jpegs, "DICOM": dicom_archive(*jpegs)}
    spark = session()
    print(f"{'':<6} MB an image  images/s a core  core-hours of {MIMIC:,}  MB/s a core")
    for kind, (archive, manifest) in archives.items():
        images_per_second(spark, archive, manifest)  # to fill the file cache and to warm up
        rates = [images_per_second(spark, archive, manifest) for _ in range(options.rounds)]
        rate = max(rates) / CORES
        sizes = [(archive / path).stat().st_size for path in manifest.read_text().split()]
        megabytes = sum(sizes) / len(sizes) / 1e6
        hours = MIMIC / rate / 3600
        print(f"{kind:<6} {megabytes:11.2f} {rate:16.1f} {hours:22.1f} {megabytes * rate:12.0f}")
    spark.stop()


if __name__ == "__main__":
    main()

"""What an image takes of a core, JPEG and DICOM, and what MIMIC-CXR's 377,110 come to.

Run with `make bench-sizing`: the table of docs/clusters.md. The job runs in local[2] over 1,200
names of 60 images of 3056×2544, as JPEG and as uncompressed 12-bit DICOM; the faster of two runs.
"""

import os
import shutil
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid
from pyspark.sql import SparkSession

from cxrspark.jobs.session import session_settings
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from benchmarks.common.archives import BUILD, repeated

IMAGES = 377_110
DRAWN, NAMES = 60, 20
CORES = 2
TABLE = BUILD / "scores-sizing"


def as_dicom(jpeg: bytes) -> bytes:
    grey = np.asarray(Image.open(BytesIO(jpeg)).convert("L")).astype(np.uint16)
    noise = np.random.default_rng(0).integers(0, 16, grey.shape, np.uint16)
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    film.SOPClassUID = DigitalXRayImageStorageForPresentation
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID
    film.Rows, film.Columns = grey.shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PhotometricInterpretation = "MONOCHROME2"
    film.PixelData = (grey * 16 + noise).tobytes()
    file = BytesIO()
    film.save_as(file, enforce_file_format=True)
    return file.getvalue()


def dicom_archive(root: Path, manifest: Path) -> tuple[Path, Path]:
    """The same images under the same names, as DICOM."""
    archive = BUILD / f"{root.name}-dicom"
    first: dict[int, Path] = {}
    for path in manifest.read_text().split():
        target = archive / f"{path.removesuffix('.jpg')}.dcm"
        inode = (root / path).stat().st_ino
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            if inode in first:
                os.link(first[inode], target)
            else:
                target.write_bytes(as_dicom((root / path).read_bytes()))
        first.setdefault(inode, target)
    listed = BUILD / f"manifest-{archive.name}.txt"
    listed.write_text(manifest.read_text().replace(".jpg", ".dcm"))
    return archive, listed


def job(spark: SparkSession, archive: Path, manifest: Path) -> float:
    """Images/s of one run from manifest to checked table."""
    for folder in (TABLE, Path(f"{TABLE}_runs")):
        shutil.rmtree(folder, ignore_errors=True)
    settings = ScoreSettings(archive=str(archive), manifest=str(manifest), scores=str(TABLE))
    summary = score_archive(spark, settings)
    if summary.errors:
        raise RuntimeError(f"{summary.errors} in {archive}")
    return summary.images / summary.seconds


def main() -> None:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    jpegs = repeated(DRAWN, NAMES)
    archives = {"JPEG": jpegs, "DICOM": dicom_archive(*jpegs)}
    builder = SparkSession.builder.master(f"local[{CORES}]").config(map=session_settings())
    spark = builder.getOrCreate()
    print(f"{'':<6} MB an image  images/s a core  core-hours of {IMAGES:,}  MB/s a core")
    for kind, (archive, manifest) in archives.items():
        job(spark, archive, manifest)  # to fill the file cache and to warm up
        rate = max(job(spark, archive, manifest) for _ in range(2)) / CORES
        sizes = [(archive / path).stat().st_size for path in manifest.read_text().split()]
        megabytes = sum(sizes) / len(sizes) / 1e6
        hours = IMAGES / rate / 3600
        print(f"{kind:<6} {megabytes:11.2f} {rate:16.1f} {hours:22.1f} {megabytes * rate:12.0f}")
    spark.stop()


if __name__ == "__main__":
    main()

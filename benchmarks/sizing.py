"""Core-seconds and bytes of an image, and what they come to for MIMIC-CXR's 377,110.

Run with `make bench-sizing`: the table of docs/clusters.md. JPEGs and uncompressed 12-bit DICOMs
of 3056×2544 are read from memory and shrunk by one process; `SPARK` is the share of a bare loop's
rate that the job reaches (`make bench-compare`).
"""

import time
from io import BytesIO

import numpy as np
from archives import mimic_sized
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from cxrspark.pixels import shrink

IMAGES = 377_110
SPARK = 0.82
DRAWN = 60


def as_dicom(jpeg: bytes) -> bytes:
    grey = np.asarray(Image.open(BytesIO(jpeg)).convert("L")).astype(np.uint16)
    noise = np.random.default_rng(0).integers(0, 16, grey.shape, np.uint16)
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.SOPClassUID = film.file_meta.MediaStorageSOPClassUID = (
        DigitalXRayImageStorageForPresentation
    )
    film.SOPInstanceUID = film.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    film.Rows, film.Columns = grey.shape
    film.SamplesPerPixel, film.PixelRepresentation = 1, 0
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PhotometricInterpretation = "MONOCHROME2"
    film.PixelData = (grey * 16 + noise).tobytes()
    file = BytesIO()
    film.save_as(file, enforce_file_format=True)
    return file.getvalue()


def main() -> None:
    root, manifest = mimic_sized(DRAWN)
    jpegs = [(root / path).read_bytes() for path in manifest.read_text().split()]
    print(f"{'':<6} MB an image  core-seconds an image  core-hours of {IMAGES:,}  MB/s a core")
    for kind, files in {"JPEG": jpegs, "DICOM": [as_dicom(jpeg) for jpeg in jpegs[:20]]}.items():
        shrink(files[0])
        start = time.process_time()
        for file in files:
            shrink(file)
        seconds = (time.process_time() - start) / len(files) / SPARK
        megabytes = sum(map(len, files)) / len(files) / 1e6
        hours = IMAGES * seconds / 3600
        print(
            f"{kind:<6} {megabytes:11.2f} {seconds:22.3f} {hours:22.1f} {megabytes / seconds:13.0f}"
        )


if __name__ == "__main__":
    main()

"""DICOM bytes to 8-bit grey, by the steps that MIMIC-CXR's published JPEGs were made with."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from cxrspark.pixels import PixelsError, check_size, equalise, one_line


def read_dicom(data: bytes) -> tuple[Image.Image, int, int]:
    """Decode one greyscale frame.

    Args:
        data: A DICOM file with preamble.

    Returns:
        8-bit grey image (air black), rows, columns.

    Raises:
        PixelsError: No or undecodable pixel data, more than one frame, colour, or constant.
        RuntimeError: pydicom is not installed.
    """
    try:
        from pydicom import dcmread
    except ImportError as error:  # a fact about this executor, not about the image
        raise RuntimeError("reading DICOM needs pip install cxrspark[dicom] there") from error
    try:
        header = dcmread(BytesIO(data))
        if "PixelData" not in header:
            raise PixelsError("DICOM without pixel data")
        rows, columns = int(header.Rows), int(header.Columns)
        check_size(rows, columns)
        if int(header.get("NumberOfFrames") or 1) != 1:
            raise PixelsError(f"DICOM with {header.NumberOfFrames} frames, not a radiograph")
        if header.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
            raise PixelsError(f"DICOM in colour: {header.PhotometricInterpretation}")
        stored = header.pixel_array
        slope = float(header.get("RescaleSlope") or 1)
        inverted = header.PhotometricInterpretation == "MONOCHROME1"
        grey = equalise(np.asarray(stored), invert=inverted != (slope < 0))
        return Image.fromarray(grey), rows, columns
    except (PixelsError, MemoryError):
        raise
    except Exception as error:  # pydicom and its plugins raise many types on damaged files
        raise PixelsError(f"DICOM undecodable: {one_line(error)}") from error

"""DICOM files of one phantom, sound or with elements changed."""

from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite

from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Header

PICTURE = render(phantom_study(11, 320).lateral)
HEADER = Header("LL", r"A\F", "DX", "CHEST", None)


def plain(words: np.ndarray | None = None, bits: int = 12, **changes: object) -> bytes:
    """An uncompressed file, with elements set (or, where None, left out)."""
    words = detect(PICTURE, Stored(bits=bits), 1) if words is None else words
    dataset = dcmread(BytesIO(encode_dicom(words, Stored(bits=bits), HEADER)))
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        elif keyword.startswith("PixelPadding"):
            dataset.add_new(keyword, "US", value)
        else:
            setattr(dataset, keyword, value)
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dcmwrite(file, dataset)
    return file.getvalue()

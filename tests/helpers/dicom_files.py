"""DICOM files of one phantom, sound or with elements changed."""

from io import BytesIO

import numpy as np
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Header

PICTURE = render(phantom_study(11, 320).lateral)
HEADER = Header("LL", r"A\F", "DX", "CHEST", image_uid="2.25.1")


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


def compressed(
    words: np.ndarray, syntax: UID, stream: bytes, bits: int = 12, **changes: object
) -> bytes:
    """A file of a stream made elsewhere; its header says what `words` and `bits` are."""
    dataset = dcmread(BytesIO(plain(words[..., 0] if words.ndim == 3 else words, bits)))
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return written(dataset)


def claiming(syntax: str, data: bytes) -> bytes:
    """A file that names another transfer syntax than its own, and is left as it is else."""
    start = data.index(b"\x02\x00\x10\x00UI")
    end = start + 8 + int.from_bytes(data[start + 6 : start + 8], "little")
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    length = len(name).to_bytes(2, "little")
    return data[:start] + b"\x02\x00\x10\x00UI" + length + name + data[end:]


def written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dcmwrite(file, dataset)
    return file.getvalue()

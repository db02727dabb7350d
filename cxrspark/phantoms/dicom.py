"""A phantom's picture as a DICOM file, in each transfer syntax that can be written."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom import DataElement, Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from cxrspark.phantoms.files import BOMB_SIDE, NOT_IMAGES, QUALITY, Kind, jpeg
from cxrspark.pixels.dicom.elements import HEADER_KEYWORDS
from cxrspark.pixels.dicom.grey import read_dicom
from cxrspark.pixels.image import Grey8, Header, Words

SYNTAXES: tuple[UID, ...] = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian, RLELossless, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless,
    JPEGLosslessSV1, JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000,
    HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K,
)  # fmt: skip
"""All that are read."""

LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)

SIGNLESS = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
"""An error of one level at 0 would make the least number the greatest: these know no sign."""

NEAR = 2
"""Grey levels of error in near-lossless JPEG-LS."""

DECIBELS = 60
"""Of lossy JPEG 2000."""

STEP = 2**-12
"""Of lossy high-throughput JPEG 2000: its quantisation, of the whole range."""

BITS = (16, 12, 14, 10)
BITS_OF = {JPEGBaseline8Bit: 8, JPEGExtended12Bit: 12}
"""Of transfer syntaxes that leave no choice."""

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]


@dataclass(frozen=True)
class Stored:
    """How the pixels of a DICOM file are stored.

    Attributes:
        syntax: Transfer syntax.
        photometric: Whether high values are white (MONOCHROME2) or black.
        bits: Stored, of 16 that are allocated; 8 of 8 in JPEG baseline.
        signed: Whether as two's complement, with the middle of the range at 0.
    """

    syntax: UID = ExplicitVRLittleEndian
    photometric: Photometric = "MONOCHROME2"
    bits: int = 12
    signed: bool = False


def stored_by(dicom_id: str) -> Stored:
    """Draw how an image is stored, from its id."""
    number, syntax = divmod(int(dicom_id[:8], 16), len(SYNTAXES))
    number, bits = divmod(number, len(BITS))
    return Stored(
        syntax=SYNTAXES[syntax],
        photometric="MONOCHROME1" if number & 1 else "MONOCHROME2",
        bits=BITS_OF.get(SYNTAXES[syntax], BITS[bits]),
        signed=bool(number & 2) and SYNTAXES[syntax] not in SIGNLESS,
    )


def detect(picture: Grey8, stored: Stored, seed: int) -> Words:
    """What a detector with so many bits would have stored.

    Args:
        picture: uint8, shape (rows, columns), bones white: the first 8 bits.
        stored: Bits, sign and photometric interpretation.
        seed: Of the noise that fills the other bits.

    Returns:
        uint8 where 8 bits are stored, else uint16; same shape.
    """
    if stored.bits == 8:
        return np.invert(picture) if stored.photometric == "MONOCHROME1" else picture
    fine = 1 << (stored.bits - 8)
    noise = np.random.default_rng(seed).integers(0, fine, picture.shape, np.uint16)
    words: npt.NDArray[np.uint16] = picture.astype(np.uint16) * np.uint16(fine) + noise
    if stored.photometric == "MONOCHROME1":
        words = np.uint16(256 * fine - 1) - words
    if stored.signed:
        words = words - np.uint16(128 * fine)
    return words


def encode_dicom(words: Words, stored: Stored, header: Header) -> bytes:
    """Make a DICOM file.

    Args:
        words: From `detect`.
        stored: What they are, and the transfer syntax.
        header: What the file says of the image; the photometric interpretation is `stored`'s.

    Returns:
        The file's bytes.
    """
    dataset = _dataset(words, stored, header)
    syntax = stored.syntax
    if syntax == RLELossless:
        dataset.PixelData = words.tobytes()
        dataset.compress(syntax, generate_instance_uid=False)
    elif syntax.is_encapsulated:
        dataset.PixelData = encapsulate([_stream(words, stored)])
    else:
        words = words if syntax.is_little_endian else words.byteswap()
        dataset.PixelData = words.tobytes()
    return _file(dataset, syntax)


def _stream(words: Words, stored: Stored) -> bytes:
    """Compress with the codec of a transfer syntax."""
    syntax, bits = stored.syntax, stored.bits
    if syntax == JPEGBaseline8Bit:
        return jpeg(Image.fromarray(words))
    numbers: Any = words.view(np.int16) if stored.signed else words
    kind: dict[str, Any]
    if syntax in (JPEG2000Lossless, JPEG2000):
        kind = {"reversible": True} if syntax == JPEG2000Lossless else {"level": DECIBELS}
        return bytes(
            imagecodecs.jpeg2k_encode(numbers, codecformat="J2K", bitspersample=bits, **kind)
        )
    if syntax in (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K):
        kind = {"level": STEP, "reversible": False} if syntax == HTJ2K else {"reversible": True}
        return bytes(imagecodecs.htj2k_encode(numbers, **kind))
    if syntax in (JPEGLSLossless, JPEGLSNearLossless):
        level = 0 if syntax == JPEGLSLossless else NEAR
        return bytes(imagecodecs.jpegls_encode(words, level))
    kept = words & np.uint16((1 << bits) - 1)
    if syntax == JPEGExtended12Bit:
        return bytes(imagecodecs.jpeg8_encode(kept, QUALITY, bitspersample=bits))
    predictor = 1 if syntax == JPEGLosslessSV1 else 7
    return bytes(
        imagecodecs.jpeg8_encode(kept, lossless=True, predictor=predictor, bitspersample=bits)
    )


def publish(data: bytes) -> Grey8:
    """The picture that MIMIC-CXR-JPG would have of a DICOM file, before it is a JPEG.

    Args:
        data: From `encode_dicom`: what a lossy transfer syntax has left is published.

    Returns:
        uint8, shape (rows, columns).
    """
    return np.asarray(read_dicom(data, may_shrink=False).grey)


def encode_kind(sound: bytes, kind: Kind, shape: tuple[int, ...], header: Header) -> bytes | None:
    """The file that is bad where the JPEG of `files.encode` is, from one that is sound.

    `shape` is rows and columns, `header` what the file says of the image; None is no file.
    """
    if kind in NOT_IMAGES:
        return NOT_IMAGES[kind]
    if kind == "truncated":
        return sound[: len(sound) * 2 // 5]
    if kind in ("1x1", "constant"):
        flat = np.full((1, 1) if kind == "1x1" else shape, 128, np.uint16)
        return encode_dicom(flat, Stored(), header)
    if kind == "20000x20000":
        dataset = _dataset(np.zeros((1, 1), np.uint16), Stored(), header)
        dataset.Rows = dataset.Columns = BOMB_SIDE
        dataset.PixelData = bytes(2)
        return _file(dataset, ExplicitVRLittleEndian)
    return sound


def _dataset(words: Words, stored: Stored, header: Header) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = UID("2.25.1")
    for keyword, value in zip(HEADER_KEYWORDS, header, strict=True):
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.SeriesInstanceUID = UID(f"{dataset.SOPInstanceUID}.1")
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = stored.photometric
    dataset.Rows, dataset.Columns = words.shape
    dataset.BitsAllocated = 8 * words.itemsize
    dataset.BitsStored = stored.bits
    dataset.HighBit = stored.bits - 1
    dataset.PixelRepresentation = int(stored.signed)
    dataset["PixelData"] = DataElement("PixelData", "OB" if words.itemsize == 1 else "OW", b"")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


def _file(dataset: Dataset, syntax: UID) -> bytes:
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax.is_encapsulated:
        dataset["PixelData"].is_undefined_length = True
        dataset["PixelData"].VR = "OB"
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()

"""DICOM to the pixels that its published JPEG gives."""

import logging
import warnings
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
)

from cxrspark.phantoms.dicom import BITS_OF, LOSSY, SIGNLESS, SYNTAXES, Stored, detect, encode_dicom
from cxrspark.phantoms.files import jpeg
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.dicom.grey import published_levels
from cxrspark.pixels.equalise import count, equalising_table, look_up
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.dicom_files import HEADER, PICTURE, compressed, plain, written

DECODERS = {
    JPEGBaseline8Bit: lambda stream: np.asarray(Image.open(BytesIO(stream))),
    JPEGExtended12Bit: imagecodecs.jpeg8_decode,
    JPEGLSNearLossless: imagecodecs.jpegls_decode,
    JPEG2000: imagecodecs.jpeg2k_decode,
    HTJ2K: imagecodecs.jpeg2k_decode,
}

TEST_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def published(grey: np.ndarray, invert: bool) -> np.ndarray:
    """What github.com/MIT-LCP/mimic-cxr/issues/16 does, equalised by OpenCV itself."""
    shifted = grey.astype(np.int64) - grey.min()
    eight = (shifted / shifted.max() * 255).astype(np.uint8)
    eight = 255 - eight if invert else eight
    return cv2.equalizeHist(eight)


def of_jpeg(grey: np.ndarray) -> np.ndarray:
    """Pixels of the JPEG that is made of the published steps' result."""
    return shrink(jpeg(Image.fromarray(grey))).values


def decoded(dataset: Dataset) -> np.ndarray:
    """Grey as stored."""
    decoder = DECODERS.get(dataset.file_meta.TransferSyntaxUID)
    if decoder is None:
        return dataset.pixel_array
    return decoder(next(generate_frames(dataset.PixelData, number_of_frames=1)))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def stored_in(syntax: pydicom.uid.UID) -> list[Stored]:
    if syntax in BITS_OF:
        both = ("MONOCHROME1", "MONOCHROME2")
        return [Stored(syntax, photometric, BITS_OF[syntax]) for photometric in both]
    return [
        Stored(syntax, "MONOCHROME1", 12),
        Stored(syntax, "MONOCHROME2", 16),
        Stored(syntax, "MONOCHROME1", 14, signed=syntax not in SIGNLESS),
    ]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_every_transfer_syntax_gives_the_published_steps(syntax: pydicom.uid.UID) -> None:
    for stored in stored_in(syntax):
        words = detect(PICTURE, stored, seed=2)
        data = encode_dicom(words, stored, HEADER)
        found = shrink(data)
        values = words.view(np.int16) if stored.signed else words
        if syntax in LOSSY:  # the JPEG is made of what is left
            lossless, values = values, decoded(dcmread(BytesIO(data)))
            assert difference(lossless >> (stored.bits - 8), values >> (stored.bits - 8)) < 1
        expected = published(values, stored.photometric == "MONOCHROME1")
        np.testing.assert_array_equal(found.values, of_jpeg(expected), str(stored))
        assert (found.rows, found.columns) == words.shape
        assert found.header == HEADER._replace(photometric_interpretation=stored.photometric)


@pytest.mark.parametrize("rows", [80, 131, 257, 640, 1223, 1300, 2049])
def test_dicom_and_the_jpeg_made_of_it_give_the_same_pixels(rows: int) -> None:
    """At each of libjpeg's reductions, and where rows and columns are no whole blocks."""
    study = phantom_study(rows, rows)
    for view in (study.frontal, study.lateral):
        words = detect(render(view), Stored(bits=12), rows)
        expected = of_jpeg(published(words, invert=True))
        one = encode_dicom(words, Stored(JPEGLosslessSV1, "MONOCHROME1"), HEADER)
        np.testing.assert_array_equal(shrink(one).values, expected)
        reduced = shrink(encode_dicom(words, Stored(JPEG2000Lossless, "MONOCHROME1"), HEADER))
        assert (reduced.rows, reduced.columns) == words.shape
        assert difference(reduced.values, expected) < (2 if min(words.shape) >= 1024 else 1e-9)


@pytest.mark.parametrize("options", [{"resolutions": 1}, {"tile": (333, 333)}])
def test_jpeg_2000_that_cannot_be_reduced_is_decoded_in_full(options: dict[str, Any]) -> None:
    """Too few resolutions, and tiles that are no multiple of eight."""
    words = detect(render(phantom_study(3, 1300).frontal), Stored(bits=12), 1)
    stream = imagecodecs.htj2k_encode(words, reversible=True, **options)
    found = shrink(compressed(words, HTJ2KLossless, stream, bits=16))
    np.testing.assert_array_equal(found.values, of_jpeg(published(words, invert=False)))


def test_jpeg_2000_with_a_noisy_dark_border_is_decoded_in_full() -> None:
    """Though the wavelets ring at its edge, so that the darkest pixels are not of the border."""
    row, column = np.mgrid[:1100, :1100]
    chest = 1800 + 1200 * np.sin(row / 90) * np.cos(column / 130)
    chest[:110] = chest[-110:] = 30
    noisy = chest + np.random.default_rng(0).normal(0, 6, chest.shape)
    words = noisy.clip(0, 4095).astype(np.uint16)
    found = shrink(encode_dicom(words, Stored(JPEG2000Lossless, bits=12), HEADER))
    np.testing.assert_array_equal(found.values, of_jpeg(published(words, invert=False)))


def test_shared_files_and_the_jpegs_made_of_them_give_the_same_pixels(shared_data: Path) -> None:
    files = sorted((shared_data / "dicom").glob("*.dcm"))
    assert len(files) == 5
    for file in files:
        dataset = dcmread(file)
        inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
        picture = of_jpeg(published(decoded(dataset), inverted))
        found = shrink(file.read_bytes()).values
        is_reduced = dataset.file_meta.TransferSyntaxUID in JPEG2000TransferSyntaxes
        assert difference(found, picture) <= (1.0 if is_reduced else 0.0), file.name


def test_levels_follow_a_hand_made_example() -> None:
    grey = np.array([[100, 100, 200, 200], [300, 300, 300, 400]], dtype=np.uint16)
    # uint8 levels 255, 170, 85, 0; inverted, the counts are 1, 3, 2, 2 from dark to bright
    counts, values = count(grey), np.arange(2**16)
    table = equalising_table(counts, published_levels(counts, values, invert=True))
    assert look_up(table, grey).tolist() == [[255, 255, 182, 182], [109, 109, 109, 0]]
    words = np.array([[-5, 0], [5, 10]], dtype=np.int16).view(np.uint16)
    signed = values.astype(np.uint16).view(np.int16).astype(np.int64)
    levels = published_levels(count(words), signed, invert=False)
    assert levels[words].tolist() == [[0, 85], [170, 255]]


@pytest.mark.parametrize("high", [255, 257, 4095, 10_000, 65_535])
def test_levels_are_cut_off_where_the_published_ones_are(high: int) -> None:
    values = np.arange(high + 1)
    levels = published_levels(np.ones(high + 1, np.int64), values, invert=False)
    assert (levels == (values / values.max() * 255).astype(np.uint8)).all()
    assert levels[-1] == 255


def test_what_windows_and_offsets_say_changes_nothing() -> None:
    changed = plain(
        WindowCenter=100, WindowWidth=5, VOILUTFunction="SIGMOID", RescaleIntercept=-1024,
        RescaleSlope=3.5,
    )  # fmt: skip
    assert (shrink(changed).values == shrink(plain()).values).all()


def test_a_negative_slope_and_monochrome1_each_invert() -> None:
    words = detect(PICTURE, Stored(bits=12), 1)
    inverted = of_jpeg(published(words, invert=True))
    for change in ({"RescaleSlope": -1}, {"PhotometricInterpretation": "MONOCHROME1"}):
        np.testing.assert_array_equal(shrink(plain(words, **change)).values, inverted)
    both = plain(words, RescaleSlope=-1, PhotometricInterpretation="MONOCHROME1")
    assert (shrink(both).values == shrink(plain(words)).values).all()


def test_bits_that_are_not_stored_are_not_read() -> None:
    words = detect(PICTURE, Stored(bits=12), 1)
    overlay = words | (np.arange(words.size, dtype=np.uint16).reshape(words.shape) << 12)
    assert (shrink(plain(overlay)).values == shrink(plain(words)).values).all()
    left = words << 4 | 7  # high bit 15 of 12 stored
    assert (shrink(plain(left, HighBit=15)).values == shrink(plain(words)).values).all()


def with_border(words: np.ndarray, value: int) -> np.ndarray:
    bordered = words.copy()
    bordered[:30] = bordered[:, -20:] = value
    return bordered


@pytest.mark.parametrize("padding", [0, 65535])
def test_declared_padding_does_not_stretch_the_range(padding: int) -> None:
    words = detect(PICTURE, Stored(bits=16), 1) // 20 + 30_000
    end = words[30:, :-20].max() if padding else words[30:, :-20].min()
    expected = published(with_border(words, int(end)), invert=False)
    bordered = plain(with_border(words, padding), bits=16, PixelPaddingValue=padding)
    np.testing.assert_array_equal(shrink(bordered).values, of_jpeg(expected))
    stretched = plain(with_border(words, padding), bits=16)  # as published, where not declared
    as_is = published(with_border(words, padding), invert=False)
    np.testing.assert_array_equal(shrink(stretched).values, of_jpeg(as_is))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_signed_padding(syntax: pydicom.uid.UID) -> None:
    stored = Stored(syntax, bits=12, signed=True)
    words = with_border(detect(PICTURE, Stored(bits=12), 1), 2**16 - 2000)
    dataset = dcmread(BytesIO(encode_dicom(words, replace(stored, bits=16), HEADER)))
    dataset.add_new("PixelPaddingValue", "SS", -2000)
    inner = words[30:, :-20]
    expected = published(with_border(words, int(inner.min())), invert=False)
    np.testing.assert_array_equal(shrink(written(dataset)).values, of_jpeg(expected))


def test_a_range_of_padding_and_padding_among_the_pixels() -> None:
    words = detect(PICTURE, Stored(bits=12), 1) // 2 + 1000
    inner = words[30:, :-20]
    bordered = with_border(words, 3)
    bordered[:10] = 9
    ranged = plain(bordered, PixelPaddingValue=2, PixelPaddingRangeLimit=10)
    expected = published(with_border(words, int(inner.min())), invert=False)
    np.testing.assert_array_equal(shrink(ranged).values, of_jpeg(expected))
    among = plain(words, PixelPaddingValue=int(np.median(words)))
    assert (shrink(among).values == shrink(plain(words)).values).all()


def test_header_values_are_short_lines_or_nothing() -> None:
    odd = shrink(plain(PatientOrientation=[], BodyPartExamined="")).header
    assert odd == HEADER._replace(
        patient_orientation=None, body_part=None, photometric_interpretation="MONOCHROME2"
    )
    raw = plain(ViewPosition="LLLL").replace(b"CHEST ", b"CH\nS\0 ").replace(b"LLLL", b" ll ")
    found = shrink(raw).header
    assert (found.view_position, found.body_part) == ("ll", "CHS")


@pytest.mark.filterwarnings("always")
def test_nothing_of_the_patient_is_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        secret = plain(PatientName="Secret^Name", PatientID="SECRET", AccessionNumber="SECRET" * 9)
        warned.clear()
        caplog.clear()
        found = shrink(secret.replace(b"SECRET", b"SECR\xff\xfe"))
        with pytest.raises(PixelsError) as raised:
            shrink(secret[:-9999])
        assert not warned
    assert "ecr" not in (f"{found.header}{raised.value}{caplog.text}".lower())


def header_says_grey(dataset: Dataset) -> bool:
    """And nothing of padding."""
    return "MONO" in dataset.PhotometricInterpretation and "PixelPaddingValue" not in dataset


@pytest.mark.filterwarnings("ignore:::pydicom")
def test_pydicoms_own_files_give_its_pixels_or_one_line() -> None:
    """Every file in the wheel; those of pydicom-data are gone over by benchmarks.speed.dicom."""
    given = compared = lines = 0
    for file in sorted(path for path in TEST_FILES.rglob("*") if path.is_file()):
        try:
            found = shrink(file.read_bytes())
        except PixelsError as error:
            lines += str(error).count("\n")
            continue
        given += 1
        dataset = dcmread(file, force=True)
        try:
            grey = dataset.pixel_array
        except (RuntimeError, NotImplementedError):
            continue  # not without packages that are not needed else
        falling = float(dataset.get("RescaleSlope") or 1) < 0
        invert = (dataset.PhotometricInterpretation == "MONOCHROME1") != falling
        if (
            dataset.PhotometricInterpretation.startswith("MONO")
            and "PixelPaddingValue" not in dataset
        ):
            compared += 1
            assert difference(found.values, of_jpeg(published(grey, invert))) <= 0.1, file.name
    assert given >= 40
    assert compared >= 10
    assert not lines

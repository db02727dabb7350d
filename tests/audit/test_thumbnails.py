"""Small pictures for people: their shape, of damaged files too, and their room in a page."""

import numpy as np
import pytest
from PIL import Image

from cxrspark.audit.thumbnails import data_uris, thumbnail
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.dicom_files import PICTURE, plain
from helpers.pictures import encode, gradient


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_thumbnails_keep_the_shape(suffix: str) -> None:
    small = thumbnail(encode(gradient(600, 400), suffix), 150)
    assert small.shape == (150, 100)
    assert small[:, 10].mean() < 60 < 180 < small[:, 90].mean()
    with pytest.raises(
        PixelsError, match="not an image: no DICOM, and no picture file that is read"
    ):
        thumbnail(b"no image at all", 150)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_the_thumbnail_of_a_truncated_file_shows_what_is_there(suffix: str) -> None:
    whole = encode(gradient(600, 400), suffix)
    half = whole[: len(whole) // 2]
    small = thumbnail(half, 150)
    np.testing.assert_array_equal(small[:50], thumbnail(whole, 150)[:50])
    with pytest.raises(PixelsError, match="undecodable"):  # what is scored is never half a file
        shrink(half)


def test_pictures_lose_quality_before_the_page_grows_too_large() -> None:
    random = np.random.default_rng(0)
    noise = {str(n): random.integers(0, 256, (256, 256)).astype(np.uint8) for n in range(10)}
    free = sum(map(len, data_uris(noise).values()))
    assert sum(map(len, data_uris(noise, free // 2).values())) <= free // 2


def test_the_thumbnail_of_a_dicom_file_keeps_the_shape() -> None:
    rows, columns = PICTURE.shape
    small = thumbnail(plain(), 96)
    assert small.shape == (96, round(96 * columns / rows))
    square = np.asarray(Image.fromarray(small).resize((64, 64), Image.Resampling.BILINEAR))
    assert np.corrcoef(square.ravel(), shrink(plain()).values.ravel())[0, 1] > 0.98

"""The same picture under several ids, on phantoms that are compressed, resized and equalised."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps
from pyspark.sql import DataFrame, SparkSession

from cxrspark.audit.alike import are_same, detail, ranks
from cxrspark.audit.duplicates import duplicates
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Grey8
from cxrspark.pixels.shrink_to_64 import shrink

SCHEMA = "image_id string, subject_id string, path string, pixels binary"


def jpeg(image: Image.Image, quality: int = 95) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "compressed": lambda image: jpeg(image, 50),
    "resized": lambda image: jpeg(image.resize((311, 277), Image.Resampling.LANCZOS)),
    "equalised": lambda image: jpeg(ImageOps.equalize(image)),
    "darker": lambda image: jpeg(image.point(lambda grey: int(255 * (grey / 255) ** 1.5))),
}


@pytest.fixture(scope="module")
def films() -> list[Image.Image]:
    """Frontal and lateral films of 40 phantom patients."""
    studies = [phantom_study(seed, 384) for seed in range(40)]
    return [
        Image.fromarray(render(view))
        for study in studies
        for view in (study.frontal, study.lateral)
    ]


def pixels_of(data: bytes) -> Grey8:
    return shrink(data).values


def table(spark: SparkSession, rows: list[tuple[str, str | None, Grey8 | None]]) -> DataFrame:
    values = [
        (name, subject, f"{name}.jpg", None if pixels is None else bytearray(pixels.tobytes()))
        for name, subject, pixels in rows
    ]
    return spark.createDataFrame(values, SCHEMA).coalesce(2)


def test_planted_copies_are_found_and_nothing_else(
    spark: SparkSession, films: list[Image.Image]
) -> None:
    rows: list[tuple[str, str | None, Grey8 | None]] = [
        (f"a{n:03}", f"p{n // 2}", pixels_of(jpeg(film))) for n, film in enumerate(films)
    ]
    planted = {}
    for n, (kind, copy) in enumerate(COPIES.items()):
        for film in (7 * n + 1, 7 * n + 5):
            rows.append((f"b{film:03}", "other", pixels_of(copy(films[film]))))
            planted[f"a{film:03}", f"b{film:03}"] = kind
    rows += [("c", None, rows[0][2]), ("d", "p0", rows[0][2]), ("e", "p9", None)]
    found = duplicates(table(spark, rows)).toPandas().set_index(["image_id", "other_image_id"])
    exact = {("a000", "c"), ("a000", "d")}
    assert set(found.index) == set(planted) | exact
    assert set(found[found["kind"] == "exact"].index) == exact
    assert (found.loc[sorted(planted), "alike"] > 0.8).all()
    assert found.loc[("a000", "d"), "same_subject"]
    assert found.loc[("a000", "c"), "same_subject"] is None
    assert not found.loc[sorted(planted), "same_subject"].any()


def test_a_contrast_does_not_change_ranks(films: list[Image.Image]) -> None:
    plain = pixels_of(jpeg(films[0]))[None]
    steeper = (plain.astype(int) * 3 // 2).clip(0, 10**6)
    unlike = ranks(plain) - ranks((steeper // 2).astype(np.uint8))
    assert abs(unlike).mean() < 0.01
    same, alike = are_same(plain, plain)
    assert same.all()
    assert alike[0] == pytest.approx(1, abs=1e-6)


def test_detail_is_what_a_blur_takes_away(films: list[Image.Image]) -> None:
    ranked = ranks(pixels_of(jpeg(films[1]))[None])
    expected = ranked[0, 20, 30] - ranked[0, 16:25, 26:35].mean()
    assert detail(ranked)[0, 20, 30] == pytest.approx(expected, abs=1e-5)
    corner = np.pad(ranked[0], 4, "edge")[:9, :9].mean()
    assert detail(ranked)[0, 0, 0] == pytest.approx(ranked[0, 0, 0] - corner, abs=1e-5)


def test_archives_of_one_picture_or_none_have_no_duplicates(
    spark: SparkSession, films: list[Image.Image]
) -> None:
    assert duplicates(table(spark, [("a", None, None)])).count() == 0
    assert duplicates(table(spark, [("a", None, pixels_of(jpeg(films[0])))])).count() == 0

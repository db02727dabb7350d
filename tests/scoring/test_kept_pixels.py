"""Runs that score kept pixels, and keep those of new images."""

from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from cxrspark.pixels.image import RECIPE

from helpers.runs import copy_of, run


def test_kept_pixels_are_scored_without_reading_an_image(
    spark: SparkSession, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = tmp_path / "pixels"
    read = run(spark, phantoms, tmp_path / "scores", pixels=str(pixels))
    kept = pd.read_parquet(pixels)
    assert len(kept) == read.images
    assert set(kept["pixels"].dropna().map(len)) == {4096}
    assert set(kept["pixels_recipe"]) == {RECIPE}

    def refuse(*given: object) -> DataFrame:
        raise AssertionError("an image is read")

    monkeypatch.setattr("cxrspark.scoring.run.read_pixels", refuse)
    again = run(spark, phantoms, tmp_path / "again", pixels=str(pixels))
    columns = ["image_id", "path", "view", "p_frontal", "rows", "columns", "error"]
    tables = [pd.read_parquet(tmp_path / name)[columns] for name in ("scores", "again")]
    pd.testing.assert_frame_equal(*(t.sort_values("image_id", ignore_index=True) for t in tables))
    assert again.views == read.views


def test_a_pixels_table_that_is_named_later_says_what_it_lacks(
    spark: SparkSession, phantoms: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = (phantoms / "IMAGE_FILENAMES").read_text().splitlines()
    (tmp_path / "list.txt").write_text("\n".join(paths[:6]))
    given = {"manifest": str(tmp_path / "list.txt")}
    scored = run(spark, phantoms, tmp_path / "scores", **given)
    again = run(spark, phantoms, tmp_path / "scores", pixels=str(tmp_path / "pixels"), **given)
    assert again.scored == 0
    assert f"has 0 rows for {scored.images} images; those scored without it" in caplog.text
    caplog.clear()
    run(spark, phantoms, tmp_path / "others", pixels=str(tmp_path / "pixels"), **given)
    assert "scored without it" not in caplog.text


def test_kept_pixels_serve_another_copy_of_an_archive(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    """Under its own paths, and what failed in the first copy is read in the second."""
    truth = pd.read_csv(phantoms / "truth.csv")
    sound = truth.loc[truth["kind"] == "jpeg", "path"].iloc[:3]
    first, second = tmp_path / "a", tmp_path / "b"
    for path in sound:
        for copy in (first / path, second / "files of b" / path):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.hardlink_to(phantoms / path)
    broken = sound.iloc[1]
    (first / broken).unlink()
    (first / broken).touch()
    pixels = str(tmp_path / "pixels")
    assert run(spark, first, tmp_path / "of a", pixels=pixels).errors == {"empty file": 1}
    for table in (tmp_path / "of b", tmp_path / "of b again"):
        assert run(spark, second, table, pixels=pixels).errors == {}
        rows = pd.read_parquet(table)
        assert set(rows["path"]) == {f"files of b/{path}" for path in sound}
        assert set(rows["archive"]) == {str(second)}
    assert len(pd.read_parquet(pixels)) == 3


def test_an_archive_of_kept_images_may_have_new_ones_that_are_all_missing(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    archive, manifest = copy_of(phantoms, tmp_path / "a"), tmp_path / "list.txt"
    pixels = str(tmp_path / "pixels")
    run(spark, archive, tmp_path / "scores", pixels=pixels)
    manifest.write_text("\n".join(["0.jpg", "1.jpg", *(f"{n}.jpg" for n in range(2, 40))]))
    summary = run(spark, archive, tmp_path / "new", pixels=pixels, manifest=str(manifest))
    assert summary.errors == {"missing": 38}

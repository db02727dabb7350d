"""The public sets' own tables, taken as they come."""

from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.labels import match_labels, read_labels
from cxrspark.archive.manifest import list_pieces
from cxrspark.archive.view_table import read_view_table
from cxrspark.audit.headers import read_headers
from cxrspark.audit.judge import beside_headers
from cxrspark.views import view_of

from helpers.data_sets import SAMPLES, Sample


def image_id(path: str) -> str:
    """MIMIC's from its layout, elsewhere the path."""
    return Path(path).stem if path.startswith("files/p") else path


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Sample:
    """Of each set."""
    return SAMPLES[request.param]


@pytest.fixture
def file(sample: Sample, tmp_path: Path) -> str:
    """Its table."""
    (tmp_path / sample.table).write_text(sample.text)
    return str(tmp_path / sample.table)


def test_a_table_tells_views_and_patients(sample: Sample, file: str) -> None:
    rows = read_view_table(file, "labels").rows
    found = rows.assign(view=view_of(rows["word"])).astype(object)
    found = found.where(found.notna(), None)
    said = set(zip(found["view"], found["patient_id"], strict=True))
    assert said == set(sample.images.values())
    assert len(rows) == len(sample.images)


def test_labels_and_headers_find_their_images(
    spark: SparkSession, sample: Sample, file: str
) -> None:
    rows = [(image_id(path), None, path) for path in (*sample.images, "other/unknown.png")]
    images = spark.createDataFrame(rows, "image_id string, subject_id string, path string")
    matched = match_labels(read_labels(spark, file), images.coalesce(1)).collect()
    expected = {path: said for path, said in sample.images.items() if said[0]}
    assert {row["path"]: (row["label"], row["patient_id"]) for row in matched} == expected
    headers = read_headers(file)
    beside = beside_headers(images.coalesce(1), headers.to_spark(spark), headers.key).collect()
    found = {row["path"]: row["header_view"] for row in beside if row["listed"]}
    assert found == {path: view or "other" for path, (view, _) in sample.images.items()}


def test_a_table_is_a_manifest(sample: Sample, file: str, tmp_path: Path) -> None:
    root = tmp_path / "unpacked"
    for path in (*sample.images, "elsewhere/unknown.png"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    rows = pd.concat(list_pieces(str(root), file))
    assert sorted(rows["path"]) == sorted(sample.images)
    subjects = dict(zip(rows["path"], rows["subject_id"].astype(object), strict=True))
    for path, (_, patient) in sample.images.items():
        assert subjects[path] == patient or (patient is None and pd.isna(subjects[path]))
    assert set(rows["size"]) == {"1"}


def test_an_image_that_the_archive_lacks_keeps_its_row(tmp_path: Path) -> None:
    (tmp_path / "nih.csv").write_text(SAMPLES["NIH ChestX-ray14"].text)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "00000001_000.png").write_bytes(b"x")
    rows = pd.concat(list_pieces(str(tmp_path), str(tmp_path / "nih.csv")))
    assert list(rows["path"]) == ["images/00000001_000.png", "00000002_000.png"]
    (tmp_path / "images" / "00000001_000.png").unlink()
    rows = pd.concat(list_pieces(str(tmp_path), str(tmp_path / "nih.csv")))
    assert list(rows["path"]) == ["00000001_000.png", "00000002_000.png"]


def test_a_users_word_is_a_view(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "padchest.csv").write_text(SAMPLES["PadChest"].text)
    file = str(tmp_path / "padchest.csv")
    assert read_labels(spark, file).left_out == {"COSTAL": 1}
    assert read_labels(spark, file, words={"costal": "frontal"}).images == 4
    assert "frontal" in set(read_headers(file, words={"Costal": "frontal"}).rows["header_view"])


def test_rows_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("path,view\na.jpg,PA\na.jpg,PA\n")
    assert len(read_headers(str(tmp_path / "own.csv")).rows) == 1
    assert pd.isna(read_headers(str(tmp_path / "own.csv")).rows["hint"]).all()

"""Reading labels and matching them to images."""

import gzip
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from cxrspark.archive.labels import describe_left_out, match_labels, read_labels
from cxrspark.archive.view_table import Key
from cxrspark.errors import UserError

MIMIC = """dicom_id,subject_id,study_id,ViewPosition,Rows
d1,10,50,AP,3056
d2,10,50,LATERAL,2544
d3,11,51,PA,3056
d4,11,51,LL,2544
d5,12,52,,2544
d6,12,52,LAO,2544
d7,12,53,LAO,2544
"""


def _write(folder: Path, text: str, name: str = "labels.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def _images(spark: SparkSession, *rows: tuple[str, str | None, str]) -> DataFrame:
    return spark.createDataFrame(list(rows), "image_id string, subject_id string, path string")


def _rows(frame: DataFrame) -> list[tuple[str | None, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_own_labels_keep_frontal_and_lateral(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        "path,license,source,patient_id,view\n"
        'a/1.jpg,"CC, with ""quotes""\nand a line break",here,p1,frontal\n'
        "./a/2.jpg,,here,, Lateral \n"
        "a/3.jpg,,here,p3,other\n"
        "/a/4.jpg,,here,p3,\n"
    )
    labels = read_labels(spark, _write(tmp_path, text))
    assert _rows(labels.rows.select("key", "view", "patient_id", "source")) == [
        ("a/1.jpg", "frontal", "p1", "here"),
        ("a/2.jpg", "lateral", None, "here"),
    ]
    assert labels.key == Key("path")
    assert labels.left_out == {"other": 1, "no view": 1}
    assert describe_left_out(labels) == "; left out: 1 no view, 1 other"


def test_mimic_metadata_gzipped(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "metadata.csv.gz"
    file.write_bytes(gzip.compress(MIMIC.encode()))
    labels = read_labels(spark, str(file))
    assert _rows(labels.rows.select("key", "view", "patient_id", "source")) == [
        ("d1", "frontal", "10", None),
        ("d2", "lateral", "10", None),
        ("d3", "frontal", "11", None),
        ("d4", "lateral", "11", None),
    ]
    assert labels.key == Key("image_id")
    assert labels.left_out == {"LAO": 2, "no view": 1}


def test_byte_order_mark_is_no_part_of_a_name(spark: SparkSession, tmp_path: Path) -> None:
    file = _write(tmp_path, "\ufeffimage_id,view\nx,frontal\ny,lateral\n")
    assert read_labels(spark, file).rows.count() == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\na,frontal\n", "has no column view or ViewPosition; .*it has path, label"),
        ("path,view\na,frontal\nb,LAO\nc,LAO\n", r"views other than .*: 'LAO' \(2, e.g. b\)"),
        ("path,view\na,frontal\n,lateral\n", "1 rows have no path"),
        ("path,view\na,frontal\na,lateral\nb,lateral\n", "1 images are frontal and lateral: a"),
        ("path,view\na,other\nb,other\n", "no label frontal or lateral; left out: 2 other"),
        ("", "neither CSV nor Parquet: no columns"),
        ("path,view\na,b,c,d\ne,f,g,h,i,j\n", "line 2 has 4 values for 2 columns"),
    ],
)
def test_unusable_labels_are_refused_in_one_line(
    spark: SparkSession, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_labels(spark, _write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_damaged_gzip_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv.gz"
    file.write_bytes(gzip.compress(MIMIC.encode())[:-30])
    with pytest.raises(UserError, match="neither CSV nor Parquet"):
        read_labels(spark, str(file))


def test_missing_file_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read; name an existing"):
        read_labels(spark, str(tmp_path / "none.csv"))


def test_match_by_path_prefers_the_labels_patient(spark: SparkSession, tmp_path: Path) -> None:
    text = "path,patient_id,view\na.jpg,p1,frontal\nb.jpg,,lateral\nb.jpg,,lateral\n"
    labels = read_labels(spark, _write(tmp_path, text))
    images = _images(spark, ("1", "s1", "a.jpg"), ("2", "s2", "b.jpg"), ("3", None, "c.jpg"))
    matched = match_labels(labels, images)
    named = ["image_id", "subject_id", "path", "label", "patient_id", "source"]
    assert matched.columns == [*named, "label_projection", "label_kind"]
    assert _rows(matched.select(*named)) == [
        ("1", "s1", "a.jpg", "frontal", "p1", None),
        ("2", "s2", "b.jpg", "lateral", "s2", None),
    ]


def test_projection_and_kind_come_with_the_label(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        "path,view,projection,kind\na.jpg,frontal,AP,\nb.jpg,PA,,\nc.jpg,other,,knee\n"
        "d.jpg,lateral,,\n"
    )
    file = _write(tmp_path, text)
    images = _images(spark, *((name, None, f"{name}.jpg") for name in "abcd"))
    matched = match_labels(read_labels(spark, file, others=True), images)
    found = matched.select("image_id", "label", "label_projection", "label_kind")
    assert _rows(found) == [
        ("a", "frontal", "AP", None),
        ("b", "frontal", "PA", None),
        ("c", "other", None, "knee"),
        ("d", "lateral", None, None),
    ]
    assert read_labels(spark, file).images == 3


def test_unknown_projections_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    file = _write(tmp_path, "path,view,projection\na,frontal,oblique\nb,frontal,AP\n")
    with pytest.raises(UserError, match=r"projections other than AP and PA: 'oblique' \(1\)"):
        read_labels(spark, file)


def test_match_without_subject_column(spark: SparkSession, tmp_path: Path) -> None:
    labels = read_labels(spark, _write(tmp_path, "image_id,view\n1,frontal\n"))
    images = _images(spark, ("1", "s1", "a.jpg")).drop("subject_id")
    matched = match_labels(labels, images).select("image_id", "path", "label", "patient_id")
    assert _rows(matched) == [("1", "a.jpg", "frontal", None)]


def test_labels_without_image(spark: SparkSession, tmp_path: Path) -> None:
    labels = read_labels(spark, _write(tmp_path, "path,view\na,frontal\ny,frontal\nx,lateral\n"))
    some = _images(spark, ("1", None, "a"))
    with pytest.raises(UserError, match=r"2 of 3 labels of .* by path, e.g. x, y; .* like a"):
        match_labels(labels, some)
    assert match_labels(labels, some, allow_unmatched=True).count() == 1
    with pytest.raises(UserError, match="3 of 3 labels"):
        match_labels(labels, _images(spark, ("1", None, "zz")), allow_unmatched=True)


def test_shared_labels(spark: SparkSession, shared_data: Path) -> None:
    labels = read_labels(spark, str(shared_data / "labels.csv"))
    counts = {row["view"]: row["count"] for row in labels.rows.groupBy("view").count().collect()}
    assert counts == {"frontal": 3230, "lateral": 2700}
    assert labels.left_out == {"other": 441}
    assert labels.images == 5930

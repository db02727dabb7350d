"""What the comparison of scores and headers counts, on rows worked out by hand."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from cxrspark.audit import judge as audit
from cxrspark.audit.headers import Headers, read_headers
from cxrspark.audit.run import AuditSettings, audit_views
from cxrspark.errors import UserError

from helpers.tables import scores_of

# What the header says stands in METADATA.
COLUMNS = "image_id study_id subject_id view p_frontal error"
SCORED = [
    ("a1", "s1", "p1", "frontal", 0.99, None),
    ("a2", "s1", "p1", "lateral", 0.02, None),
    ("a3", "s2", "p1", "frontal", 1.0, None),
    ("b1", "s3", "p2", "lateral", 0.01, None),
    ("b2", "s3", "p2", "frontal", 0.995, None),
    ("c1", "s4", "p3", "uncertain", 0.5, None),
    ("c2", "s4", "p3", None, None, "undecodable: cut off"),
    ("d1", "s5", "p4", "frontal", 0.91, None),
    ("d2", "s5", "p4", None, None, "empty file"),
    ("e1", "s6", "p5", "frontal", 0.86, None),
    ("f1", "s7", "p6", "lateral", 0.11, None),
    ("g1", None, None, "frontal", 0.96, None),
]
METADATA = """dicom_id,subject_id,ViewPosition
a1,p1,AP
a2,p1,LATERAL
a3,p1, PA
b1,p2,AP
b2,p2,LL
c1,p3,PA
c2,p3,LL
d1,p4,
d2,p4,  
e1,p5,LLD
g1,,ap
z9,p9,AP
"""  # noqa: W291


@pytest.fixture
def scores(spark: SparkSession, tmp_path: Path) -> Callable[..., str]:
    def write(
        scored: list[tuple[object, ...]] = SCORED,
        model_id: str = "m1",
        table_format: str = "parquet",
    ) -> str:
        table = str(tmp_path / "scores")
        rows = scores_of(spark, COLUMNS, scored, model_id).coalesce(1)
        rows.write.format(table_format).mode("append").save(table)
        return table

    return write


@pytest.fixture
def metadata(tmp_path: Path) -> Callable[..., str]:
    def write(text: str = METADATA, name: str = "metadata.csv") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Headers:
    file = tmp_path_factory.mktemp("metadata") / "metadata.csv.gz"
    file.write_bytes(gzip.compress(METADATA.encode()))
    return read_headers(str(file))


@pytest.fixture(scope="module")
def compared(spark: SparkSession, headers: Headers) -> Iterator[DataFrame]:
    rows = scores_of(spark, COLUMNS, SCORED).coalesce(1)
    compared = audit.compare(rows, headers.to_spark(spark), headers.key).cache()
    yield compared
    compared.unpersist()


@pytest.fixture(scope="module")
def agreed(compared: DataFrame) -> pd.DataFrame:
    return audit.agreement(compared)


def test_agreement_by_header(agreed: pd.DataFrame) -> None:
    counts = [
        tuple(None if pd.isna(value) else value for value in row)
        for row in agreed[list(audit.AGREEMENT[:10])].itertuples(index=False)
    ]
    # header, meaning, images, frontal, lateral, uncertain, other, error, agree, disagree
    assert counts == [
        ("AP", "frontal", 2, 1, 1, 0, 0, 0, 1, 1),
        ("PA", "frontal", 2, 1, 0, 1, 0, 0, 1, 0),
        ("ap", "frontal", 1, 1, 0, 0, 0, 0, 1, 0),
        ("all frontal", "frontal", 5, 3, 1, 1, 0, 0, 3, 1),
        ("LL", "lateral", 2, 1, 0, 0, 0, 1, 0, 1),
        ("LATERAL", "lateral", 1, 0, 1, 0, 0, 0, 1, 0),
        ("all lateral", "lateral", 3, 1, 1, 0, 0, 1, 1, 1),
        ("LLD", "other", 1, 1, 0, 0, 0, 0, None, None),
        ("no view", None, 2, 1, 0, 0, 0, 1, None, None),
        ("not in the metadata", None, 1, 0, 1, 0, 0, 0, None, None),
        ("all", "all", 8, 4, 2, 1, 0, 1, 4, 2),
    ]


def test_agreement_has_intervals_that_count_patients(agreed: pd.DataFrame) -> None:
    table = agreed.set_index("header")
    figures = table[["agreement", "low", "high", "effective_images"]]
    # One of two right, two patients: (0.5 + z²/4 ± z sqrt(1/8 + z²/16)) / (1 + z²/2).
    assert list(figures.loc["AP"]) == pytest.approx([0.5, 0.094531, 0.905469, 2], abs=1e-6)
    # One of one right: from 1 / (1 + z²).
    assert list(figures.loc["PA"]) == pytest.approx([1, 0.206549, 1, 1], abs=1e-6)
    # Called images: two of p1, one of p2, g1 of an unknown patient: 4² / (2² + 1 + 1).
    assert figures.loc["all frontal", "agreement"] == pytest.approx(3 / 4)
    assert figures.loc["all frontal", "effective_images"] == pytest.approx(16 / 6)
    # Three of p1, two of p2, g1: 6² / (9 + 4 + 1).
    assert figures.loc["all", "agreement"] == pytest.approx(4 / 6)
    assert figures.loc["all", "effective_images"] == pytest.approx(36 / 14)
    assert figures.loc[["LLD", "no view", "not in the metadata"]].isna().all(axis=None)


def test_confusion_has_each_image_once(agreed: pd.DataFrame) -> None:
    cells = audit.confusion(agreed)
    assert cells["images"].sum() == len(SCORED)
    assert list(cells.columns) == ["header", "header_view", "outcome", "images"]
    filled = cells[cells["images"] > 0]
    rows = filled[filled["header"].isin(["PA", "LL", "no view"])]
    found = rows[["header", "outcome", "images"]].itertuples(index=False, name=None)
    assert set(found) == {
        ("PA", "frontal", 1), ("PA", "uncertain", 1), ("LL", "frontal", 1), ("LL", "error", 1),
        ("no view", "frontal", 1), ("no view", "error", 1),
    }  # fmt: skip


def test_suspected_surest_first(compared: DataFrame) -> None:
    rows = audit.suspected_header_errors(compared).collect()
    assert [(row.image_id, row.header, row.outcome) for row in rows] == [
        ("b2", "LL", "frontal"),
        ("b1", "AP", "lateral"),
    ]
    assert [row.p_header for row in rows] == pytest.approx([0.005, 0.01], abs=1e-6)


def test_missing_views_are_filled_and_errors_stay(compared: DataFrame) -> None:
    rows = audit.filled_views(compared).collect()
    assert [(row.image_id, row.view, row.error) for row in rows] == [
        ("d1", "frontal", None),
        ("d2", None, "empty file"),
    ]


def test_studies_that_lack_a_view(compared: DataFrame) -> None:
    studies = audit.studies(compared)
    assert studies.count() == 7
    lacking = {
        view: [tuple(row) for row in audit.studies_without(studies, view).collect()]
        for view in ("frontal", "lateral")
    }
    # patient, study, images, frontal, lateral, uncertain, other, error
    assert lacking["frontal"] == [
        ("p3", "s4", 2, 0, 0, 1, 0, 1),
        ("p6", "s7", 1, 0, 1, 0, 0, 0),
    ]
    assert [row[1] for row in lacking["lateral"]] == ["s2", "s4", "s5", "s6"]


def test_what_is_no_chest_or_cannot_be_read_makes_no_study_and_no_doubt(
    spark: SparkSession,
) -> None:
    rows = [
        ("a", "s1", "p1", "other", 0.5),
        ("b", "s1", "p1", "error", None),
        ("c", "s2", "p1", "other", 0.5),
        ("d", "s2", "p1", "frontal", 0.97),
        ("e", "s3", "p1", "frontal", 0.995),
    ]
    of = "image_id string, study_id string, subject_id string, outcome string, p_frontal float"
    compared = spark.createDataFrame(rows, of)
    counted = audit.studies(compared).collect()
    assert sorted((row.study_id, row.images) for row in counted) == [("s2", 2), ("s3", 1)]
    assert [row.image_id for row in audit.least_certain(compared, 9).collect()] == ["d"]


def test_histogram_least_certain_and_errors(compared: DataFrame) -> None:
    counts = {tuple(row) for row in audit.histogram(compared).collect()}
    assert counts == {
        ("frontal", "frontal", 19, 3),
        ("frontal", "lateral", 0, 1),
        ("frontal", "uncertain", 10, 1),
        ("lateral", "lateral", 0, 1),
        ("lateral", "frontal", 19, 1),
        ("none", "frontal", 17, 1),
        ("none", "frontal", 18, 1),
        ("none", "lateral", 2, 1),
    }
    uncertain = audit.least_certain(compared, 3).collect()
    assert [row.image_id for row in uncertain] == ["c1", "e1", "f1"]
    kinds = [(row.kind, row.of_kind, row.image_id) for row in audit.errors(compared, 1).collect()]
    assert kinds == [("empty file", 1, "d2"), ("undecodable", 1, "c2")]


def test_errors_show_the_first_paths_of_each_kind(spark: SparkSession, headers: Headers) -> None:
    failed = [(f"x{n}", None, None, None, None, f"undecodable: {n}") for n in range(5)]
    table = scores_of(spark, COLUMNS, [*failed, ("y", None, None, None, None, "empty file")])
    compared = audit.compare(table, headers.to_spark(spark), headers.key)
    rows = audit.errors(compared, 2).collect()
    assert [(row.of_kind, row.image_id) for row in rows] == [(5, "x0"), (5, "x1"), (1, "y")]


def test_an_audit_of_one_model_of_a_table(
    spark: SparkSession,
    scores: Callable[..., str],
    metadata: Callable[..., str],
    tmp_path: Path,
    table_format: str,
) -> None:
    scores(table_format=table_format)
    table = scores(SCORED[:3], "m2", table_format)
    settings = {
        "scores": table, "metadata": metadata(), "format": table_format, "out": tmp_path / "out",
    }  # fmt: skip
    with pytest.raises(UserError, match=r"--model-id with one of m1 \(12 images\), m2 \(3 images"):
        audit_views(spark, AuditSettings(**settings))
    with pytest.raises(UserError, match=r"model m3: .* no scores of it"):
        audit_views(spark, AuditSettings(**settings, model_id="m3"))
    found = audit_views(spark, AuditSettings(**settings, model_id="m1"))
    assert (found.model_id, found.images, found.unscored, found.studies) == ("m1", 12, 1, 7)
    assert found.archives == ["/archive"]
    sizes = {name: len(table) for name, table in found.tables().items()}
    assert list(sizes.values())[:6] == [11, 40, 2, 2, 2, 4]
    assert not found.answers.known
    assert {sizes[name] for name in found.answers.tables() if name != "projections"} == {0}


def test_any_csv_with_a_path_and_a_view(
    spark: SparkSession, scores: Callable[..., str], metadata: Callable[..., str], tmp_path: Path
) -> None:
    text = "path,said\n./f/a1.jpg,Frontal\n/f/a2.jpg,frontal\nf/b1.jpg,lateral\nf/b2.jpg,oblique\n"
    settings = AuditSettings(
        scores=scores(), metadata=metadata(text), view_column="said", out=tmp_path
    )
    found = audit_views(spark, settings)
    table = found.agreement.set_index("header")
    assert table.loc["all", ["agree", "disagree"]].to_list() == [2, 1]
    assert table.loc["oblique", "header_view"] == "other"
    assert list(found.suspected["image_id"]) == ["a2"]
    assert found.filled.empty


def test_refusals_are_one_line(
    spark: SparkSession, scores: Callable[..., str], metadata: Callable[..., str], tmp_path: Path
) -> None:
    table = scores()
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "file.txt").write_text("no table")
    given = {"scores": table, "metadata": metadata(), "out": tmp_path}
    for change, said in [
        ({"metadata": metadata("dicom_id,ViewPosition\nq1,AP\n", "q")},
         "matches no image of the scores by image_id; it has q1, the scores a1"),
        ({"metadata": metadata("dicom_id,ViewPosition\na1,AP\na1,AP\na1,PA\n", "t")},
         "1 images have rows of several views, e.g. a1"),
        ({"metadata": metadata("dicom_id,ViewPosition\n,AP\n", "n")}, "1 rows have no dicom_id"),
        ({"metadata": metadata("dicom_id,position\na1,AP\n", "v")}, "by --view-column"),
        ({"metadata": metadata("name,ViewPosition\na1,AP\n", "k")}, "needs a column path, image"),
        ({"metadata": str(tmp_path / "none.csv")}, r"--metadata .*none\.csv: cannot be read"),
        ({"view_column": "View"}, "--view-column View: .* no such column; it has dicom_id"),
        ({"scores": str(tmp_path / "none")}, "cannot be read; name one that a run wrote"),
        ({"scores": str(tmp_path / "empty")}, "the folder is empty"),
        ({"scores": str(tmp_path / "text")}, "holds no table"),
        ({"pixels": table}, "has other columns"),
        ({"archive": str(tmp_path / "none")}, "no such folder"),
        ({"thumbnail": 128}, "--thumbnail needs --archive"),
    ]:  # fmt: skip
        with pytest.raises(UserError, match=said) as refused:
            audit_views(spark, AuditSettings(**{**given, **change}))
        assert len(str(refused.value).splitlines()) == 1

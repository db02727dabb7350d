"""One view for each image, on rows worked out by hand."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from cxrspark.archive.view_table import Key
from cxrspark.audit.fused import COLUMNS, fuse, write_views
from cxrspark.errors import UserError
from cxrspark.tables.schemas import SCORES

# view, error; header, header_view, hint; expected view, source, reason, position, snomed, loinc
CASES = [
    ("frontal", None, "PA", "frontal", None,
     "frontal", "both", "pixels and header agree", "PA", "272479007", "36554-4"),
    ("frontal", None, "ap", "frontal", None,
     "frontal", "both", "pixels and header agree", "AP", "399348003", "36572-6"),
    ("lateral", None, "LL", "lateral", None,
     "lateral", "both", "pixels and header agree", "LL", "399173006", "39051-8"),
    ("frontal", None, "LL", "lateral", None,
     "frontal", "pixels", "pixels contradict; the header says LL", None, "399033003", "36554-4"),
    ("lateral", None, None, None, None,
     "lateral", "pixels", "by pixels; the header says nothing", None, "399067008", "39051-8"),
    ("uncertain", None, "LATERAL", "lateral", "frontal",
     "lateral", "header", "uncertain; the header says LATERAL", None, "399067008", "39051-8"),
    (None, "empty file", None, None, "frontal",
     "frontal", "hint", "unreadable; orientation or series hint at it", None, "399033003",
     "36554-4"),
    ("uncertain", None, "LLD", "other", None,
     "other", "header", "uncertain; the header says LLD", None, None, None),
    ("other", None, "PA", "frontal", None,
     "other", "pixels", "pixels contradict; the header says PA", None, None, None),
    ("uncertain", None, None, None, None,
     None, "none", "uncertain; the header says nothing", None, None, None),
]  # fmt: skip


@pytest.fixture(scope="module")
def fused(spark: SparkSession) -> DataFrame:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    values = [
        {"image_id": f"{n:02}", "path": f"{n}.dcm", "view": case[0], "error": case[1],
         "model_id": "m", "archive": "/a", "run_id": "r", "scored_at": now}
        for n, case in enumerate(CASES)
    ]  # fmt: skip
    rows = [tuple(value.get(name) for name in SCORES.names) for value in values]
    headers = [(f"{n:02}", *case[2:5]) for n, case in enumerate(CASES)]
    listed = spark.createDataFrame(
        headers, "key string, header string, header_view string, hint string"
    )
    scores = spark.createDataFrame(rows, SCORES).coalesce(1)
    return fuse(scores, listed, Key("image_id")).cache()


def test_each_image_has_a_view_its_source_and_the_reason(fused: DataFrame) -> None:
    names = ["view", "source", "reason", "view_position", "snomed", "loinc"]
    rows = fused.orderBy("image_id").select(*names).collect()
    assert [tuple(row) for row in rows] == [case[5:] for case in CASES]


def test_tags_are_suggested_only_where_they_are_known(fused: DataFrame) -> None:
    rows = fused.orderBy("image_id").collect()
    assert [row["patient_orientation"] for row in rows] == [
        "L\\F", "L\\F", None, "L\\F", None, None, "L\\F", None, None, None,
    ]  # fmt: skip
    assert [row["body_part"] for row in rows] == ["CHEST"] * 5 + [None] * 5


def test_a_table_is_csv_json_or_parquet_by_its_name(fused: DataFrame, tmp_path: Path) -> None:
    spark = fused.sparkSession
    for name in ("views.csv", "views.json", "views"):
        write_views(fused, str(tmp_path / name))
    by_csv = spark.read.csv(str(tmp_path / "views.csv"), header=True)
    assert tuple(by_csv.columns) == COLUMNS
    assert by_csv.count() == len(CASES)
    assert spark.read.json(str(tmp_path / "views.json")).where("view = 'lateral'").count() == 3
    assert len(pd.read_parquet(tmp_path / "views")) == len(CASES)
    with pytest.raises(UserError, match="is there already; name another path"):
        write_views(fused, str(tmp_path / "views"))

"""Tables of both formats: what readers find, what is refused, what a killed run left."""

import json
import os
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.tables.files import Files
from cxrspark.tables.schemas import SCORES
from cxrspark.tables.table import Format

from helpers.runs import copy_of, load, run


@pytest.mark.end_to_end
@pytest.mark.usefixtures("delta")
def test_a_delta_commit_tells_its_run_its_settings_and_its_columns(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    table = tmp_path / "scores"
    summary = run(spark, phantoms, table, format="delta", commit_images=30)
    written = DeltaTable(table)
    appends = [entry for entry in written.history() if entry["operation"] == "MERGE"]
    sizes = sorted(int(each["operationMetrics"]["numTargetRowsInserted"]) for each in appends)
    assert sizes[1:] == [30] * (summary.images // 30)
    assert {json.loads(entry["userMetadata"])["commit_images"] for entry in appends} == {30}
    assert written.metadata().description == "View of each image of a chest X-ray archive"
    columns = {field.name: field.metadata["comment"] for field in written.schema().fields}
    assert columns == {field.name: field.metadata["comment"] for field in SCORES}


@pytest.mark.end_to_end
def test_other_readers_find_the_same_rows(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: Format
) -> None:
    table = tmp_path / "scores"
    summary = run(spark, phantoms, table, format=table_format)
    with duckdb.connect() as connection:
        if table_format == "delta":
            connection.register("scores", DeltaTable(table).to_pyarrow_table())
        else:
            connection.read_parquet(f"{table}/*.parquet").create_view("scores")
        counted = connection.sql("SELECT view, count(*) FROM scores GROUP BY view").fetchall()
        by_duckdb = dict(counted)
    by_spark = {
        row.view: row["count"]
        for row in spark.read.format(table_format)
        .load(str(table))
        .groupBy("view")
        .count()
        .collect()
    }
    by_pandas = load(table, table_format)["view"].value_counts().to_dict()
    assert by_duckdb == by_spark
    assert {view: n for view, n in by_spark.items() if view} == by_pandas == summary.views


def test_a_table_of_something_else_is_refused_and_left_alone(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    other = pd.DataFrame({"a": [1]})
    (tmp_path / "other").mkdir()
    other.to_parquet(tmp_path / "other" / "part.parquet")
    with pytest.raises(UserError, match=r"has other columns \(a"):
        run(spark, phantoms, tmp_path / "other")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("notes")
    with pytest.raises(UserError, match="holds no table"):
        run(spark, phantoms, tmp_path / "notes")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        run(spark, phantoms, tmp_path / "file" / "table")
    assert [file.name for file in (tmp_path / "notes").iterdir()] == ["readme.txt"]


@pytest.mark.parametrize(
    ("table", "advice"),
    [
        ("s3a://bucket/views", r"no connector for s3a://; .*org.apache.hadoop:hadoop-aws:3"),
        ("s3://bucket/views", "by s3a://, with its connector; write it so"),
        ("other://host/views", "no connector for other://"),
    ],
)
def test_a_store_that_spark_cannot_reach_is_told_from_one_that_refuses(
    spark: SparkSession, table: str, advice: str
) -> None:
    with pytest.raises(UserError, match=advice):
        Files(spark, table)


@pytest.mark.usefixtures("delta")
@pytest.mark.parametrize(("there", "asked"), [("parquet", "delta"), ("delta", "parquet")])
def test_a_table_of_the_other_format_is_refused_and_left_alone(
    spark: SparkSession, phantoms: Path, tmp_path: Path, there: str, asked: str
) -> None:
    table = tmp_path / "scores"
    summary = run(spark, phantoms, table, format=there)
    with pytest.raises(UserError, match=f"is a {there} table; use --format {there}"):
        run(spark, phantoms, table, format=asked)
    assert len(load(table, there)) == summary.images


def test_a_folder_that_is_no_table_is_left_as_it_is(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    running = tmp_path / "other" / "_temporary" / "0" / "part-0.csv"
    running.parent.mkdir(parents=True)
    running.touch()
    (tmp_path / "other" / "readme.txt").touch()
    with pytest.raises(UserError, match="the folder holds no table; name another path"):
        run(spark, phantoms, tmp_path / "other")
    assert running.exists()


@pytest.mark.usefixtures("delta")
@pytest.mark.parametrize("left", [None, ".00000000000000000000.json.1c2d.tmp"])
def test_a_delta_table_whose_making_was_killed_is_made(
    spark: SparkSession, phantoms: Path, tmp_path: Path, left: str | None
) -> None:
    archive, log = copy_of(phantoms, tmp_path / "a"), tmp_path / "scores" / "_delta_log"
    log.mkdir(parents=True)
    if left:
        (log / left).touch()
    assert run(spark, archive, tmp_path / "scores", format="delta").scored == 2
    assert len(DeltaTable(tmp_path / "scores").to_pandas()) == 2


def test_what_a_dead_commit_left_is_not_added_by_the_next(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    archive, table = copy_of(phantoms, tmp_path / "a"), tmp_path / "scores"
    run(spark, archive, table)
    part = next(table.glob("*.parquet"))
    left = table / "_temporary" / "0" / "task_202611231200000000000000000_0000_m_000000"
    left.mkdir(parents=True)
    part.rename(left / part.name)
    assert run(spark, archive, table).scored == 2
    assert sorted(pd.read_parquet(table)["image_id"]) == ["0.jpg", "1.jpg"]


def test_a_table_path_that_is_a_pattern_is_refused(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="a meaning; name another path"):
        run(spark, phantoms, tmp_path / "s[1]")


def test_a_relative_path_is_a_table_too(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: Format
) -> None:
    relative = os.path.relpath(tmp_path / "scores")
    archive = copy_of(phantoms, tmp_path / "a")
    assert run(spark, archive, Path(relative), format=table_format).scored == 2
    assert len(load(tmp_path / "scores", table_format)) == 2


def test_hidden_files_do_not_make_a_folder_something_else(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    (tmp_path / "scores").mkdir()
    for name in (".DS_Store", "_started_1"):
        (tmp_path / "scores" / name).touch()
    assert run(spark, copy_of(phantoms, tmp_path / "a"), tmp_path / "scores").scored == 2

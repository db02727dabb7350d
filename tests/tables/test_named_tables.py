"""Tables of a catalog: Delta's in Spark's own and in Hive's, Iceberg's in a catalog of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pyspark
import pytest
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.evaluation.run import EvaluateSettings, labelled_scores
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables import merged_table
from cxrspark.tables.merged_table import NamedTable
from cxrspark.tables.open import is_name, open_table, read_table
from cxrspark.tables.schemas import SCORES_TABLE

from helpers.runs import copy_of

ROOT = Path(__file__).parents[2]

ICEBERG = {
    "3.5": "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0",
    "4.0": "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.11.0",
}.get(".".join(pyspark.__version__.split(".")[:2]))
"""Where Iceberg is made for this Spark."""

HIVE = {"spark.sql.catalogImplementation": "hive"}
LAKE = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.lake.type": "hadoop",
}


@pytest.fixture
def schema(spark: SparkSession, delta: None) -> Iterator[str]:
    """A schema of Spark's own catalog, for one test."""
    name = f"s{uuid4().hex[:8]}"
    spark.sql(f"CREATE DATABASE {name}")
    yield name
    spark.sql(f"DROP DATABASE {name} CASCADE")


def tables_of(spark: SparkSession, schema: str) -> list[str]:
    return sorted(row.tableName for row in spark.sql(f"SHOW TABLES IN {schema}").collect())


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("cxr.views", True),
        ("main.cxr.views", True),
        ("views", False),
        ("./cxr.views", False),
        ("/data/cxr.views", False),
        ("s3a://bucket/cxr.views", False),
        ("views.parquet", False),
        ("views.delta", False),
        ("a.b.c.d", False),
        ("2026.views", False),
    ],
)
def test_what_is_a_name(table: str, named: bool) -> None:
    assert is_name(table) == named


def test_a_run_fills_named_tables_and_goes_on_in_them(
    spark: SparkSession, phantoms: Path, tmp_path: Path, schema: str
) -> None:
    names = {"scores": f"{schema}.views", "pixels": f"{schema}.pixels", "format": "delta"}
    given = {"archive": str(phantoms), **names, "commit_images": 40}
    first = score_archive(spark, ScoreSettings(**given))
    assert tables_of(spark, schema) == ["pixels", "views", "views_runs"]
    classic = {"archive": str(phantoms), "scores": str(tmp_path / "views")}
    assert score_archive(spark, ScoreSettings(**classic)).views == first.views
    same = ["image_id", "view", "p_frontal", "turn", "error"]
    by_name, by_path = (
        sorted(map(tuple, rows.select(*same).na.fill("-").collect()))
        for rows in (spark.table(f"{schema}.views"), spark.read.parquet(classic["scores"]))
    )
    assert by_name == by_path
    again = score_archive(spark, ScoreSettings(**given))
    assert (again.scored, again.views) == (0, first.views)
    assert spark.table(f"{schema}.views_runs").count() == 2
    described = spark.sql(f"DESCRIBE EXTENDED {schema}.views").collect()
    assert SCORES_TABLE.comment in {row.data_type for row in described}
    comments = {row.col_name: row.comment for row in described}
    assert comments["p_chest"].startswith("probability of a frontal or lateral chest")
    labels = str(phantoms / "truth.csv")
    labelled = labelled_scores(spark, EvaluateSettings(scores=f"{schema}.views", labels=labels))
    assert labelled.labels_without_score == 0


def test_errors_are_replaced_by_name(
    spark: SparkSession, phantoms: Path, tmp_path: Path, schema: str
) -> None:
    archive, manifest = copy_of(phantoms, tmp_path / "a"), tmp_path / "list.txt"
    manifest.write_text("0.jpg\n1.jpg\n")
    (archive / "1.jpg").rename(tmp_path / "1.jpg")
    given = {"archive": str(archive), "manifest": str(manifest), "scores": f"{schema}.views"}
    first = score_archive(spark, ScoreSettings(**given, format="delta"))
    assert first.errors == {"missing": 1}
    (tmp_path / "1.jpg").rename(archive / "1.jpg")
    again = score_archive(spark, ScoreSettings(**given, format="delta", retry_errors=""))
    assert (again.scored, again.errors) == (1, {})
    assert spark.table(f"{schema}.views").count() == 2


def test_what_a_dead_run_has_left_goes_after_a_month(
    spark: SparkSession, phantoms: Path, tmp_path: Path, schema: str
) -> None:
    days = {age: f"{datetime.now(UTC) - timedelta(days=age):%Y%m%d}" for age in (2, 40)}
    kept = {
        f"views_work_{days[2]}_0123456789ab_plan",
        f"views_work_{days[40]}_backup",
        "views_workshop",
    }
    for name in (*kept, f"views_work_{days[40]}_0123456789ab_plan"):
        spark.sql(f"CREATE TABLE {schema}.{name} (path STRING) USING delta")
    archive = copy_of(phantoms, tmp_path / "a")
    given = {"archive": str(archive), "scores": f"{schema}.views", "format": "delta"}
    score_archive(spark, ScoreSettings(**given))
    assert set(tables_of(spark, schema)) == {"views", "views_runs"} | kept


def test_two_runs_do_not_double_an_image(
    spark: SparkSession,
    phantoms: Path,
    tmp_path: Path,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second begins while the first is at its end, and both have all images to do."""
    archive = copy_of(phantoms, tmp_path / "a")
    settings = ScoreSettings(archive=str(archive), scores=f"{schema}.views", format="delta")
    real = NamedTable.append

    def append(table: NamedTable, *given: object) -> None:
        monkeypatch.setattr(NamedTable, "append", real)
        score_archive(spark, settings)
        real(table, *given)

    monkeypatch.setattr(NamedTable, "append", append)
    score_archive(spark, settings)
    rows = spark.table(f"{schema}.views").collect()
    assert len({row.image_id for row in rows}) == len(rows) == 2
    assert len({row.run_id for row in rows}) == 1


def test_a_merge_that_another_writer_was_faster_than_is_tried_again(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ["[DELTA_CONCURRENT_APPEND.X] ConcurrentAppendException: files were added"] * 2

    class Session:
        def sql(self, text: str) -> None:
            if said:
                raise RuntimeError(said.pop())

    monkeypatch.setattr(merged_table.time, "sleep", lambda seconds: None)
    table = NamedTable(spark, "a.b", "delta", SCORES_TABLE, "r")
    monkeypatch.setattr(table, "_spark", Session())
    table._until_alone("MERGE")
    assert not said
    said.append("[TABLE_OR_VIEW_NOT_FOUND]")
    with pytest.raises(RuntimeError, match="NOT_FOUND"):
        table._until_alone("MERGE")


def test_what_cannot_be_is_one_line(spark: SparkSession, tmp_path: Path, schema: str) -> None:
    spark.sql(f"CREATE TABLE {schema}.others (image_id STRING, path STRING) USING parquet")

    def refused(table: str, table_format: str, line: str) -> None:
        with pytest.raises(UserError, match=line) as error:
            open_table(spark, table, table_format, SCORES_TABLE, "r1")
        assert "\n" not in str(error.value)

    refused(f"{schema}.views", "parquet", "is of a catalog; add --format delta or iceberg")
    refused(str(tmp_path), "iceberg", "--format iceberg is for tables of a catalog; name one")
    refused(f"{schema}.others", "delta", "is a parquet table, which cannot MERGE; name another")
    refused("nowhere.cxr.views", "delta", "the catalog says: .*a folder of that name is ./nowhere")
    refused("nowhere.views", "delta", "the catalog says: .*a folder of that name is ./nowhere")
    with pytest.raises(UserError, match="the catalog has none; name one that a run wrote"):
        read_table(spark, f"{schema}.views", "delta", SCORES_TABLE)
    with pytest.raises(UserError, match="has other columns"):
        read_table(spark, f"{schema}.others", "delta", SCORES_TABLE)
    assert tables_of(spark, schema) == ["others"]


def submit(folder: Path, settings: dict[str, str], *words: str | Path) -> str:
    """A job as a user starts it, in a folder that has a catalog of its own; what it prints."""
    conf = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    ours = {"SPARK_CONF_DIR": str(ROOT / "conf/local"), "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(
        [Path(sys.executable).with_name("spark-submit"), *conf, *map(str, words)],
        cwd=folder, env={**os.environ, **ours}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.usefixtures("delta")
def test_a_hive_metastore(phantoms: Path, tmp_path: Path) -> None:
    """Another job finds the table by its name alone."""
    archive = copy_of(phantoms, tmp_path / "a")
    score = [ROOT / "jobs" / "score_archive.py", "--archive", archive, "--scores", "default.views"]
    assert "2 scored now" in submit(tmp_path, HIVE, *score, "--format", "delta")
    assert (tmp_path / "metastore_db").is_dir()
    assert "nothing to do" in submit(tmp_path, HIVE, *score, "--format", "delta")


TWO_WRITERS = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from pyspark.sql import SparkSession
from cxrspark.tables.open import open_table
from cxrspark.tables.schemas import SCORES, SCORES_TABLE
from cxrspark.tables.table import Commit, in_columns

spark = SparkSession.builder.getOrCreate()
few = spark.range(1000).selectExpr("cast(id as string) image_id", "'m' model_id", "'p' path")
rows = in_columns(few, SCORES).localCheckpoint()
tables = [open_table(spark, "lake.cxr.raced", "iceberg", SCORES_TABLE, f"r{n}") for n in range(4)]
both = Barrier(len(tables))

def append(number):
    both.wait()
    tables[number].append(rows, Commit(f"r{number}", 0, "{}"))

with ThreadPoolExecutor() as threads:
    list(threads.map(append, range(len(tables))))
print("rows", tables[0].read().count())
"""


@pytest.fixture
def lake(tmp_path: Path) -> dict[str, str]:
    """Settings of a session with a catalog of Iceberg."""
    if ICEBERG is None:
        pytest.skip("Iceberg is not made for this Spark yet")
    folder = {"spark.sql.catalog.lake.warehouse": str(tmp_path / "lake")}
    return {**LAKE, "spark.jars.packages": ICEBERG, **folder}


@pytest.mark.end_to_end
def test_writers_of_an_iceberg_table_do_not_double_a_row(
    tmp_path: Path, lake: dict[str, str]
) -> None:
    (tmp_path / "two.py").write_text(TWO_WRITERS)
    assert "rows 1000\n" in submit(tmp_path, lake, tmp_path / "two.py")


@pytest.mark.end_to_end
def test_iceberg(phantoms: Path, tmp_path: Path, lake: dict[str, str]) -> None:
    archive, manifest = copy_of(phantoms, tmp_path / "a"), tmp_path / "list.txt"
    manifest.write_text("0.jpg\n1.jpg\nlost.jpg\n")
    table = ["--scores", "lake.cxr.views", "--pixels", "lake.cxr.pixels", "--format", "iceberg"]
    score = [ROOT / "jobs" / "score_archive.py", "--archive", archive, "--manifest", manifest]
    submit(tmp_path, lake, *score, *table)
    (archive / "lost.jpg").write_bytes((archive / "0.jpg").read_bytes())
    assert "1 scored now" in submit(tmp_path, lake, *score, *table, "--retry-errors")
    assert "nothing to do" in submit(tmp_path, lake, *score, *table)
    left = {folder.name for folder in (tmp_path / "lake" / "cxr").iterdir()}
    assert left == {"views", "pixels", "views_runs"}

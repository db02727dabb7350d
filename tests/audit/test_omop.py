"""The export for OMOP's imaging extension, taken into a database by the documents' own SQL."""

import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.view_table import Key
from cxrspark.audit.fused import fuse
from cxrspark.audit.omop import CHEST, FEATURE, OCCURRENCE, to_omop, write_omop
from cxrspark.errors import UserError

from helpers.tables import scores_of

PAGE = Path(__file__).parents[2] / "docs" / "have-pacs.md"

MADE = """
CREATE TABLE person (person_id INTEGER NOT NULL, person_source_value VARCHAR);
INSERT INTO person VALUES (7, 'p1'), (8, 'p2');
CREATE TABLE concept (concept_id INTEGER, vocabulary_id VARCHAR, concept_code VARCHAR);
INSERT INTO concept VALUES (1001, 'SNOMED', '272479007'), (1002, 'SNOMED', '816094009'),
  (1003, 'LOINC', '272479007');
CREATE TABLE image_feature (
  image_feature_id INTEGER NOT NULL, person_id INTEGER NOT NULL,
  image_occurrence_id INTEGER NOT NULL, image_feature_event_field_concept_id INTEGER,
  image_feature_event_id INTEGER, image_feature_concept_id INTEGER NOT NULL,
  image_feature_type_concept_id INTEGER NOT NULL, image_finding_concept_id INTEGER,
  image_finding_id INTEGER, anatomic_site_concept_id INTEGER, alg_system VARCHAR,
  alg_datetime TIMESTAMP);
"""
"""A site's tables, image_feature with the types and constraints of MI-CDM."""


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        ("a", "s1", "p1", "frontal", None), ("b", "s1", "p1", "lateral", None),
        ("c", "s2", "p2", "other", None), ("d", "s3", "p3", None, "empty file"),
    ]  # fmt: skip
    scores = scores_of(spark, "image_id study_id subject_id path view error", [
        (image, study, subject, f"{image}.dcm", view, error)
        for image, study, subject, view, error in rows
    ])  # fmt: skip
    headers = spark.createDataFrame(
        [("a", "PA", "frontal", None), ("d", "LL", "lateral", None)],
        "key string, header string, header_view string, hint string",
    )
    folder = tmp_path_factory.mktemp("export") / "omop"
    write_omop(to_omop(fuse(scores, headers, Key("image_id")), scores), str(folder))
    return folder


def test_each_image_is_an_occurrence(spark: SparkSession, folder: Path) -> None:
    read = spark.read.parquet(str(folder / "image_occurrence"))
    assert read.columns == OCCURRENCE.names
    rows = read.orderBy("local_path").collect()
    assert [row.local_path for row in rows] == [f"/archive/{name}.dcm" for name in "abcd"]
    assert [row.image_study_uid for row in rows] == ["s1", "s1", "s2", "s3"]
    assert [row.anatomic_site_code for row in rows] == [CHEST, CHEST, None, None]
    assert len({row.image_occurrence_id for row in rows}) == 4
    assert all(row.image_occurrence_id > 0 for row in rows)


def test_a_view_is_a_feature_of_an_algorithm_or_of_a_header(
    spark: SparkSession, folder: Path
) -> None:
    read = spark.read.parquet(str(folder / "image_feature"))
    assert read.columns == FEATURE.names
    rows = read.collect()
    scored = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    assert sorted((r.image_feature_code, r.alg_system or "", r.alg_datetime) for r in rows) == [
        ("272479007", "cxrspark m1", scored),
        ("399067008", "", None),
        ("399067008", "cxrspark m1", scored),
    ]
    occurrences = spark.read.parquet(str(folder / "image_occurrence"))
    assert read.join(occurrences, "image_occurrence_id").count() == 3


def test_the_documented_statement_fills_a_site_s_table(folder: Path) -> None:
    (statement,) = re.findall(r"```sql\n(ALTER.*?INSERT.*?)```", PAGE.read_text(), re.DOTALL)
    with duckdb.connect() as site:
        site.execute(MADE)
        site.execute(statement.replace("/data/omop", str(folder)))
        filled = site.execute(
            "SELECT person_id, image_feature_concept_id, anatomic_site_concept_id, alg_system "
            "FROM image_feature ORDER BY image_feature_concept_id"
        ).fetchall()
    # Image d is of nobody whom the site knows, and its concept of b's view is not looked up.
    assert filled == [(7, 0, 1002, "cxrspark m1"), (7, 1001, 1002, "cxrspark m1")]


def test_what_is_there_is_not_written_over(spark: SparkSession, folder: Path) -> None:
    table = spark.read.parquet(str(folder / "image_feature"))
    with pytest.raises(UserError, match=r"--omop .*: image_feature: is there already"):
        write_omop({"image_feature": table}, str(folder))

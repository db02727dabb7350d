"""The plan: even commits that are ranges of ids, and what each of them reads."""

from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.manifest import SIZED
from cxrspark.scoring.plan import (
    AGAIN,
    DONE,
    KEPT,
    KEPT_REPLACED,
    NEW,
    OTHER_ARCHIVE,
    OTHER_FILE,
    READ,
    READ_REPLACED,
    beside_pixels,
    compare,
    write_plan,
)  # fmt: skip

from helpers.runs import beside

MIMIC = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"


def images(spark: SparkSession, number: int) -> DataFrame:
    name = F.format_string("%05d.png", (F.col("id") * 7919) % number)
    listed = spark.range(number).select(name.alias("image_id"), name.alias("path"))
    sized = listed.withColumn("size", F.when(F.col("path") > "00010", 2.0))
    empty = F.lit(None).cast("string")
    return sized.withColumns({"study_id": empty, "subject_id": empty}).select(*SIZED.names)


def test_commits_are_even_ranges_of_ids_and_cover_all(spark: SparkSession, tmp_path: Path) -> None:
    work = F.when(F.col("image_id") < "00100.png", KEPT).otherwise(READ)
    todo = images(spark, 1000).repartition(7).withColumn("work", work)
    plan = write_plan(todo, beside(spark, tmp_path), {KEPT: 64, READ: 200})
    assert [(cut.number, cut.work, cut.images) for cut in plan.cuts] == [
        (0, KEPT, 64), (1, KEPT, 36), (2, READ, 200), (3, READ, 200), (4, READ, 200),
        (5, READ, 200), (6, READ, 100),
    ]  # fmt: skip
    assert [cut.left for cut in plan.cuts] == [1000, 936, 900, 700, 500, 300, 100]
    assert plan.cuts[0].usual == 2.0
    assert plan.cuts[0].size == 2.0 * 64
    assert all(cut.low <= cut.sample <= cut.high for cut in plan.cuts)
    found = []
    for cut in plan.cuts:
        ids = sorted(row.image_id for row in plan.images(cut).collect())
        assert len(ids) == cut.images
        assert (ids[0], ids[-1]) == (cut.low, cut.high)
        found += ids
    assert found == [f"{n:05}.png" for n in range(1000)]


def test_commits_of_many_files_lack_a_sixteenth_at_most(
    spark: SparkSession, tmp_path: Path
) -> None:
    todo = images(spark, 10_000).withColumn("work", F.lit(READ))
    spark.conf.set("spark.sql.adaptive.enabled", "false")  # which would write one small file
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    try:
        plan = write_plan(todo, beside(spark, tmp_path), {READ: 1000})
    finally:
        spark.conf.unset("spark.sql.adaptive.enabled")
        spark.conf.set("spark.sql.shuffle.partitions", "2")
    assert len(list((tmp_path / "run" / "plan").glob("*.parquet"))) == 7
    assert sum(cut.images for cut in plan.cuts) == 10_000
    assert all(1000 - 1000 / 16 <= cut.images <= 1000 for cut in plan.cuts[:-1])
    assert all(left.high < right.low for left, right in pairwise(plan.cuts))
    assert all(plan.images(cut).count() == cut.images for cut in plan.cuts)


def test_a_commit_reads_its_own_row_groups_only(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrspark.tables.table.ROW_GROUP", 2**12)
    todo = images(spark, 20_000).withColumn("work", F.lit(READ))
    plan = write_plan(todo, beside(spark, tmp_path), {READ: 1000})
    cut = plan.cuts[5]
    assert plan.images(cut).count() == 1000
    needed, groups = 0, 0
    for file in (tmp_path / "run" / "plan").glob("*.parquet"):
        metadata = pq.read_metadata(file)
        column = metadata.schema.names.index("image_id")
        for number in range(metadata.num_row_groups):
            ids = metadata.row_group(number).column(column).statistics
            needed += ids.min <= cut.high and cut.low <= ids.max
            groups += 1
    assert groups > 20
    assert needed <= groups / 20 + 2


@pytest.mark.parametrize(
    ("image", "row", "state"),
    [
        (("a", "a"), None, NEW),
        (("a", "a"), ("a", "root", None), DONE),
        (("a", "a"), ("b", "root", None), OTHER_FILE),
        (("a", "a"), ("b", "root", "missing: x"), AGAIN),
        (("a", ""), ("b", "root", None), DONE),
        (("a", "a"), ("a", "other", None), OTHER_ARCHIVE),
        (("a", "a"), ("a", "other", "missing: x"), OTHER_ARCHIVE),
        ((MIMIC, "a"), ("b", "other", None), DONE),
        (("a", "a"), ("a", "root", "empty file"), DONE),
    ],
)
def test_an_image_beside_its_row(
    spark: SparkSession, image: tuple[str, str], row: tuple[str, ...] | None, state: str
) -> None:
    rows = [(image[0], *row, "frontal")] if row else []
    held = spark.createDataFrame(rows, "image_id string, path string, archive string, "
                                       "error string, view string")  # fmt: skip
    asked = spark.createDataFrame([image], "image_id string, path string")
    (found,) = compare(asked, held, "root", ("missing",)).collect()
    assert found.state == state


@pytest.mark.parametrize(
    ("state", "kept", "work"),
    [
        (NEW, None, READ),
        (NEW, ("root", None), KEPT),
        (NEW, ("root", "empty file"), KEPT),
        (NEW, ("other", "empty file"), READ_REPLACED),
        (AGAIN, None, READ_REPLACED),
        (AGAIN, ("root", "missing: x"), READ_REPLACED),
        (AGAIN, ("root", None), KEPT_REPLACED),
    ],
)
def test_what_is_done_with_an_image_beside_its_pixels(
    spark: SparkSession, state: str, kept: tuple[str, ...] | None, work: int
) -> None:
    todo = spark.createDataFrame([("a", state)], "image_id string, state string")
    rows = [("a", *kept)] if kept else []
    pixels = spark.createDataFrame(rows, "image_id string, archive string, error string")
    (found,) = beside_pixels(todo, pixels, "root").collect()
    assert found.work == work

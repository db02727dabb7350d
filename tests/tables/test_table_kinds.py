"""What both kinds of table promise: commits, keys, replaced rows, columns that came later."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from cxrspark.errors import UserError
from cxrspark.tables import parquet_table
from cxrspark.tables.merged_table import CONFLICT
from cxrspark.tables.open import open_table, read_table
from cxrspark.tables.parquet_table import ParquetTable
from cxrspark.tables.schemas import Spec
from cxrspark.tables.table import Commit, Format, Table

OLD = T.StructType(
    [
        T.StructField("image_id", T.StringType(), metadata={"comment": "id"}),
        T.StructField("model_id", T.StringType(), metadata={"comment": "model"}),
        T.StructField("error", T.StringType(), metadata={"comment": "or null"}),
    ]
)
NEW = T.StructType([*OLD, T.StructField("turn", T.IntegerType(), metadata={"comment": "degrees"})])
KEY = ("image_id", "model_id")


def spec(schema: T.StructType = OLD) -> Spec:
    return Spec(schema, KEY, KEY, "test")


Opened = Callable[..., Table]


@pytest.fixture
def opened(spark: SparkSession, tmp_path: Path, table_format: Format) -> Iterator[Opened]:
    """Opens the test's table; each is closed at the end."""
    tables = []

    def table(run_id: str = "r1", schema: T.StructType = OLD) -> Table:
        tables.append(open_table(spark, str(tmp_path / "t"), table_format, spec(schema), run_id))
        return tables[-1]

    yield table
    for one in tables:
        one.close()


def rows(spark: SparkSession, table: Table, *values: tuple[object, ...]) -> DataFrame:
    return spark.createDataFrame(list(values), table.spec.schema)


def found(table: Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in table.read().collect())


def test_rows_are_added_once_and_replaced_by_their_key(spark: SparkSession, opened: Opened) -> None:
    table = opened()
    table.append(rows(spark, table, ("a", "m", "missing"), ("b", "m", "")), Commit("r1", 0, "{}"))
    table.append(rows(spark, table, ("c", "m", "")), Commit("r1", 1, "{}"))
    table.replace(rows(spark, table, ("a", "m", "found"), ("d", "m", "new")), Commit("r1", 2, "{}"))
    assert found(table) == [
        ("a", "m", "found"),
        ("b", "m", ""),
        ("c", "m", ""),
        ("d", "m", "new"),
    ]


def test_an_older_table_is_read_and_added_to(
    spark: SparkSession, tmp_path: Path, table_format: Format, opened: Opened
) -> None:
    old = opened("r1", OLD)
    old.append(rows(spark, old, ("a", "m", "")), Commit("r1", 0, "{}"))
    old.close()
    (before,) = read_table(spark, str(tmp_path / "t"), table_format, spec(NEW)).collect()
    assert before.turn is None
    new = opened("r2", NEW)
    new.append(rows(spark, new, ("b", "m", "", 90)), Commit("r2", 0, "{}"))
    new.replace(rows(spark, new, ("a", "m", "x", 180)), Commit("r2", 1, "{}"))
    assert found(new) == [("a", "m", "x", 180), ("b", "m", "", 90)]
    new.close()
    again = opened("r3", OLD)  # as by the older version, which does not know the column
    again.append(rows(spark, again, ("c", "m", "")), Commit("r3", 0, "{}"))
    assert [row[0] for row in found(again)] == ["a", "b", "c"]


def test_a_doubled_table_is_mended_a_sound_row_stays(
    spark: SparkSession, tmp_path: Path, table_format: Format, opened: Opened
) -> None:
    opened().close()
    doubled = [("a", "m", "missing"), ("a", "m", None), ("b", "m", "x"), ("b", "m", "x"),
               ("c", "m", None), ("c", "n", None)]  # fmt: skip
    there = spark.createDataFrame(doubled, OLD)
    there.write.format(table_format).mode("append").save(str(tmp_path / "t"))
    table = opened("r2")
    assert table.mend(Commit("r2", 0, "{}")) == 2
    assert sorted(map(tuple, table.read().na.fill("-").collect())) == [
        ("a", "m", "-"),
        ("b", "m", "x"),
        ("c", "m", "-"),
        ("c", "n", "-"),
    ]
    assert table.mend(Commit("r2", 1, "{}")) == 0


def test_a_commit_has_one_file_whatever_the_session_says(
    spark: SparkSession, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = opened()
    spark.conf.set("spark.sql.files.maxRecordsPerFile", "1")
    try:
        many = rows(spark, table, ("a", "m", ""), ("b", "m", ""), ("c", "m", ""))
        table.append(many, Commit("r1", 0, "{}"))
    finally:
        spark.conf.unset("spark.sql.files.maxRecordsPerFile")
    if isinstance(table, ParquetTable):
        assert len(list((tmp_path / "t").glob("*.parquet"))) == 1


@pytest.mark.usefixtures("delta")
def test_two_writers_of_a_delta_table_do_not_double_a_row(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Even where the lease failed."""
    table = open_table(spark, str(tmp_path / "t"), "delta", spec(), "r1")
    for number in range(2):
        table.append(rows(spark, table, ("a'\\", "m", "")), Commit("r1", number, "{}"))
    assert found(table) == [("a'\\", "m", "")]
    table.close()


@pytest.mark.parametrize("done", [0, 1, 2, 3])
def test_a_replacement_that_was_killed_is_completed_by_the_next_run(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    """At each of its steps, from the decision on."""
    path = str(tmp_path / "t")
    first = open_table(spark, path, "parquet", spec(), "r1")
    for number, name in enumerate("abc"):
        first.append(rows(spark, first, (name, "m", "old")), Commit("r1", number, "{}"))
    steps = iter(range(100))

    class KilledError(Exception):
        pass

    def killed(call: Callable[..., object]) -> Callable[..., object]:
        def step(files: object, *given: str) -> object:
            if given[0].endswith(".parquet") and next(steps) == done:
                raise KilledError
            return call(files, *given)

        return step

    with monkeypatch.context() as patch:
        for name in ("rename", "delete"):
            real = getattr(parquet_table.Files, name)
            patch.setattr(parquet_table.Files, name, killed(real))
        with pytest.raises(KilledError):
            first.replace(
                rows(spark, first, ("a", "m", "new"), ("c", "m", "new")), Commit("r1", 3, "{}")
            )
    monkeypatch.setattr("cxrspark.tables.lease._has_ended_here", lambda holder: True)
    second = open_table(spark, path, "parquet", spec(), "r2")
    assert found(second) == [("a", "m", "new"), ("b", "m", "old"), ("c", "m", "new")]
    second.close()
    monkeypatch.setattr("cxrspark.tables.lease._has_ended_here", lambda holder: False)
    with pytest.raises(UserError, match="another run took this one for dead"):
        first.append(rows(spark, first, ("z", "m", "")), Commit("r1", 4, "{}"))
    first.close()


@pytest.mark.parametrize(
    "said",
    [
        "org.apache.spark.sql.delta.ConcurrentAppendException: Files were added",
        "ValidationException: Found conflicting files that can contain records matching true",
        "IllegalStateException: Runtime file filtering is not possible: the table has been "
        "concurrently modified. Row-level operation scan snapshot ID: 1",
    ],
)
def test_a_conflict_is_told_by_its_words(said: str) -> None:
    assert CONFLICT.search(said)
    assert not CONFLICT.search("DELTA_TABLE_NOT_FOUND: no such table")

"""One reader for every table that a user names, and one set of rules."""

import gzip
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.access import DEFAULT_ACCESS
from cxrspark.archive.csv_file import (
    by_rules,
    by_rules_in_spark,
    path_rules,
    read_pieces,
    read_table,
    text_column,
)
from cxrspark.errors import UserError

TABLE = 'path,Vïew,note\na/1.jpg,PA,"one, ""two""\nlines"\n b.jpg , ,\n'
ROWS = [("a/1.jpg", "PA", 'one, "two"\nlines'), ("b.jpg", None, None)]


def rows(frame: pd.DataFrame) -> list[tuple[str | None, ...]]:
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def read(file: Path) -> pd.DataFrame:
    return read_table(str(file), "--table", DEFAULT_ACCESS)


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encoding_and_separator_are_told(tmp_path: Path, encoding: str, separator: str) -> None:
    file = tmp_path / "table"
    text = TABLE.replace("one, ", "one~").replace(",", separator).replace("one~", "one, ")
    for content in (text.encode(encoding), gzip.compress(text.encode(encoding))):
        file.write_bytes(content)
        found = read(file)
        assert list(found.columns) == ["path", "Vïew", "note"]
        assert rows(found) == ROWS


def test_pieces_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cxrspark.archive.csv_file.PIECE", 3)
    text = "path\n" + "".join(f"{n}.jpg\n" for n in range(8))
    pieces = list(read_pieces(BytesIO(text.encode()), "x"))
    assert [len(piece) for piece in pieces] == [3, 3, 2]
    assert pieces[-1]["path"].tolist() == ["6.jpg", "7.jpg"]


def test_windows_line_ends_blank_lines_and_blanks_after_separators(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"\r\nImageId, EncodedPixels\r\n1.2.3, -1\r\n\r\n1.2.4,\r\n")
    found = read(file)
    assert list(found.columns) == ["ImageId", "EncodedPixels"]
    assert rows(found) == [("1.2.3", "-1"), ("1.2.4", None)]


def test_a_byte_that_is_no_utf8_may_come_late(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"path,who\n" + b"a.jpg,x\n" * 10_000 + "b.jpg,José\n".encode("latin-1"))
    assert read(file)["who"].iloc[-1] == "José"


def test_a_trailing_comma_shifts_no_column(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("path,view\na.jpg,PA,\nb.jpg\n")
    assert rows(read(file)) == [("a.jpg", "PA"), ("b.jpg", None)]
    file.write_text("path,view\na.jpg,PA,\nb.jpg,L, x\n")
    with pytest.raises(UserError, match=r"--table .*: line 3 has 3 values for 2 columns"):
        read(file)


def test_parquet_keeps_integers_with_gaps(tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    columns = {"path": [" a ", "b"], "id": pd.array([7, None], "Int64"), "raw": [[1], [2]]}
    pd.DataFrame(columns).to_parquet(file)
    assert rows(read(file)) == [("a", "7"), ("b", None)]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\0\1\2\3" * 99, b"PAR1 not really", b"\x1f\x8b broken", b'a,b\n"x,y\n'],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"--table .*: neither CSV nor Parquet: ") as raised:
        read(file)
    assert "\n" not in str(raised.value)


def test_columns_are_found_in_any_case_and_their_own_case_first() -> None:
    raw = pd.DataFrame({"Path": ["x"], "path": ["y"], "VIEW": ["PA"]}, dtype="string")
    assert text_column(raw, "path")[0] == "y"
    assert text_column(raw, "Path")[0] == "x"
    assert text_column(raw, "view")[0] == "PA"
    assert text_column(raw, "none").isna().all()


PATHS = {
    "a/b.jpg": "a/b.jpg",
    "./a/./b.jpg": "a/b.jpg",
    "/a//b.jpg": "a//b.jpg",
    "a\\b.jpg": "a/b.jpg",
    "/data/cxr/a/b.jpg": "a/b.jpg",
    "file:/data/cxr/a/b.jpg": "a/b.jpg",
    "file:///data/cxr/a/b.jpg": "a/b.jpg",
    "s3://bucket/cxr/a/b.jpg": "a/b.jpg",
    "/data/cxr2/b.jpg": "data/cxr2/b.jpg",
    "data/cxr/a/b.jpg": "data/cxr/a/b.jpg",
    ".hidden/b.jpg": ".hidden/b.jpg",
    "a/..b.jpg": "a/..b.jpg",
}


def test_paths_are_made_relative_alike_by_pandas_and_spark(spark: SparkSession) -> None:
    rules = path_rules(["/data/cxr/", "s3://bucket/cxr"])
    assert list(by_rules(pd.Series(list(PATHS), dtype="string"), rules)) == list(PATHS.values())
    table = spark.createDataFrame([(path,) for path in PATHS], "path string").coalesce(1)
    found = table.select(by_rules_in_spark(F.col("path"), rules))
    assert [row[0] for row in found.collect()] == list(PATHS.values())

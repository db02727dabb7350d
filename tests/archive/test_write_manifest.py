"""A manifest that is written down, a piece at a time."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import list_pieces, one_ahead, write_manifest
from cxrspark.errors import UserError

from helpers.runs import beside

ID = "02aa804e-bde0afdd-112c0b34-7bc16630-4e384014"
FOLDER = "files/p10/p10000032/s50414267"


def test_a_manifest_is_read_in_pieces_and_each_image_is_there_once(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cxrspark.archive.csv_file.PIECE", 4)
    file = tmp_path / "list.csv"
    lines = [f"{tmp_path}/{n % 7}.png,{n % 7}00" for n in range(10)]
    file.write_text("\n".join(["path,bytes", *lines]))
    pieces = list(list_pieces(str(tmp_path), str(file)))
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    images, number = write_manifest(spark, pieces, beside(spark, tmp_path))
    rows_of = [(row.path, row.size) for row in images.orderBy("path").collect()]
    assert (rows_of, number) == ([(f"{n}.png", 100.0 * n) for n in range(7)], 7)


def test_one_id_of_two_files_is_seen_across_pieces(spark: SparkSession, tmp_path: Path) -> None:
    folders = [pd.DataFrame({"path": [f"{folder}/{FOLDER}/{ID}.jpg"]}) for folder in "ab"]
    images, number = write_manifest(spark, folders, beside(spark, tmp_path / "mimic"))
    assert [(row.image_id, row.path[0]) for row in images.collect()] == [(ID, "a")]
    assert number == 1
    given = [pd.DataFrame({"path": [f"{name}.png"], "image_id": ["1"]}) for name in "ab"]
    with pytest.raises(UserError, match="1 image ids name several files each"):
        write_manifest(spark, given, beside(spark, tmp_path / "given"))


@pytest.mark.parametrize("arrow", [True, False])
def test_images_that_are_listed_once_are_not_grouped(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrow: bool
) -> None:
    monkeypatch.setattr("cxrspark.archive.manifest.ARROW_TABLES", arrow)
    monkeypatch.setattr("cxrspark.archive.manifest.once_each", None)
    piece = pd.DataFrame({"path": ["a.png", "b.png"], "size": ["7", None]}, dtype="string")
    images, number = write_manifest(spark, [piece], beside(spark, tmp_path))
    assert [row.size for row in images.orderBy("path").collect()] == [7.0, None]
    assert number == 2


def test_the_next_piece_is_made_while_one_is_worked_on() -> None:
    made = []

    def pieces() -> Iterator[int]:
        for number in range(4):
            made.append(number)
            yield number
        raise ValueError("damaged")

    taken = one_ahead(pieces())
    assert next(taken) == 0
    deadline = time.monotonic() + 60
    while made != [0, 1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1]
    assert list(islice(taken, 3)) == [1, 2, 3]
    with pytest.raises(ValueError, match="damaged"):
        next(taken)


def test_a_size_that_is_none_is_unknown(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "manifest.csv"
    file.write_text("path,size\na.png,inf\nb.png,nan\nc.png,-1\nd.png,x\ne.png,12\n")
    pieces = list_pieces(str(tmp_path), str(file))
    images = write_manifest(spark, pieces, beside(spark, tmp_path))[0].orderBy("path").collect()
    assert [row.size for row in images] == [None, None, None, None, 12]

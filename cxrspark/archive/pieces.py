"""A manifest's rows as they stand in its file, a piece at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from io import BufferedReader
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pandas as pd

from cxrspark.archive import csv_file
from cxrspark.archive.csv_file import PIECE, by_rules, column_of, path_rules, text_column
from cxrspark.archive.data_sets import OWN, DataSet, told_set
from cxrspark.archive.dialect import HEAD
from cxrspark.archive.dicomdir import read_dicomdir
from cxrspark.archive.kinds import DICOMDIR, kind_of
from cxrspark.archive.listing import IMAGE_SUFFIXES
from cxrspark.archive.view_table import Key
from cxrspark.errors import UserError

KNOWN = ("path", "image_id", "study_id", "subject_id", "size")

_OWN = {
    "path": ("path",),
    "image_id": ("image_id", "dicom_id"),
    "study_id": ("study_id",),
    "subject_id": ("subject_id", "patient_id"),
    "size": ("size", "bytes"),
}
"""Columns of a table with paths, by what they are; the first that is there counts."""

List = Callable[[], Iterable[tuple[str, int]]]
"""Path and bytes of every image of the archive, for tables that name images without a path."""


def read_pieces(name: str, file: BinaryIO, listing: List) -> Iterator[pd.DataFrame]:
    """Read a manifest in bounded memory; of a public set's table, with its images' names in it.

    Args:
        name: What it is called in messages.
        file: CSV, Parquet (then it must seek), a list of paths, one a line, or a DICOMDIR; gzip or
            not. It is closed at the end.
        listing: The archive's images: asked where a public set's table names them without a path.

    Yields:
        At most `PIECE` rows, of the `KNOWN` columns that are there, all strings; `path` is.

    Raises:
        UserError: It is none of these, or does not tell paths.
    """
    with file:
        yield from _pieces(name, csv_file.without_gzip(file, f"manifest {name}"), listing)


def _pieces(name: str, plain: BufferedReader[Any], listing: List) -> Iterator[pd.DataFrame]:
    head = plain.peek(HEAD)
    if kind_of(head) == DICOMDIR:
        yield read_dicomdir(plain.read(), name)
        return
    if _is_list(head):
        yield from _lists(plain)
        return

    @cache
    def places(parts: int) -> dict[str, tuple[str, int]]:
        return _places(listing(), parts)

    for piece in csv_file.read_pieces(plain, f"manifest {name}"):
        data_set = told_set(piece.columns)
        has_path = column_of(piece.columns, "path") is not None
        if data_set is None or (data_set in OWN and not has_path):
            columns = ", ".join(map(str, piece.columns[:8])) or "no column that is known"
            raise UserError(f"manifest {name}: needs a column `path`, has {columns}")
        if has_path and data_set.parts <= 0:
            yield _own(piece)
        else:
            yield _of_set(piece, data_set, places(max(data_set.parts, 1)))


def _own(piece: pd.DataFrame) -> pd.DataFrame:
    there = {
        name: next(filter(None, (column_of(piece.columns, column) for column in columns)), None)
        for name, columns in _OWN.items()
    }
    return pd.DataFrame({name: text_column(piece, c) for name, c in there.items() if c})


def _of_set(
    piece: pd.DataFrame, data_set: DataSet, places: dict[str, tuple[str, int]]
) -> pd.DataFrame:
    """A row for each image; one that the archive does not hold keeps the name it has there."""
    image = next(filter(None, (column_of(piece.columns, name) for name in data_set.image)))
    said = by_rules(text_column(piece, image), path_rules())
    key = Key("path", max(data_set.parts, 1)).of_values(said)
    found = [places.get(name, (None, None)) for name in key]
    path = pd.Series([place for place, _ in found], said.index, dtype="string").fillna(said)
    ids = {}
    for name, column, pattern in (
        ("study_id", data_set.study, data_set.study_in_path),
        ("subject_id", data_set.subject, data_set.subject_in_path),
    ):
        ids[name] = text_column(piece, column)
        if pattern:
            ids[name] = ids[name].fillna(path.str.extract(pattern, expand=False))
    rows = pd.DataFrame({"path": path, **ids, "size": [size for _, size in found]})
    return rows.astype({"size": "Int64"}).astype("string").drop_duplicates("path")


def _places(listed: Iterable[tuple[str, int]], parts: int) -> dict[str, tuple[str, int]]:
    """Path and bytes by key; a public set has fewer than a million images."""
    images = pd.DataFrame(listed, columns=["path", "size"])
    key = Key("path", parts).of_values(images["path"].astype("string"))
    pairs = zip(images["path"], images["size"], strict=True)
    return dict(zip(key, pairs, strict=True))


def _is_list(head: bytes) -> bool:
    """Whether it is a list of paths: its first line is one, and no column is known."""
    if head.startswith(csv_file.PARQUET):
        return False
    line = head.decode("utf-8-sig", errors="replace").split("\n", 1)[0].strip()
    if not head.strip() or "\0" in line:
        return not head.strip()
    names = {name.strip().strip('"').lower() for name in re.split(r"[,;\t]", line)}
    if names & {column for columns in _OWN.values() for column in columns}:
        return False
    plain = not re.search(r"[,;\t]", line) and re.search(r"[./\\]", line) is not None
    return plain or PurePosixPath(line).suffix.lower() in IMAGE_SUFFIXES


def _lists(file: BufferedReader[Any]) -> Iterator[pd.DataFrame]:
    with csv_file.as_text(file) as lines:
        paths = filter(None, map(str.strip, lines))
        while piece := list(islice(paths, PIECE)):
            yield pd.DataFrame({"path": piece}, dtype="string")

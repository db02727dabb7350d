"""What a table says of images: their views, patients and keys, whichever set it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.csv_file import (
    by_rules,
    by_rules_in_spark,
    column_of,
    path_rules,
    read_table,
    text_column,
)
from cxrspark.archive.data_sets import OWN, DataSet, told_set
from cxrspark.errors import UserError
from cxrspark.views import SAYS_NOTHING

SUFFIX = r"(?i)\.[a-z]\w{0,5}(?:\.gz)?\z"
"""Of a file, not the last number of a UID."""


class Key(NamedTuple):
    """How a table names images.

    Attributes:
        column: The images' column that it names: `image_id` or `path`.
        parts: How many last parts of the path, without suffix, it names; 0 for the whole value.
    """

    column: str
    parts: int = 0

    @property
    def _last(self) -> str:
        return rf"((?:[^/]*/){{0,{self.parts - 1}}}[^/]*)$"

    def of_images(self) -> Column:
        """The key of a row that has `image_id` and `path`."""
        if not self.parts:
            return F.col(self.column)
        bare = by_rules_in_spark(F.col(self.column), [(SUFFIX, "")])
        return F.regexp_extract(bare, self._last, 1)

    def of_values(self, values: pd.Series[str]) -> pd.Series[str]:
        """The key in a table's values, already relative where they are paths."""
        if not self.parts:
            return values
        bare = by_rules(values, [(SUFFIX, "")])
        return bare.str.extract(self._last, expand=False).astype("string")

    def __str__(self) -> str:
        return "file name" if self.parts else self.column


@dataclass(frozen=True)
class ViewTable:
    """What one file says.

    Attributes:
        rows: Strings, missing where it says nothing: ``key``, ``word`` (the view as it is
            written), ``patient_id``, ``source``, ``projection``, ``kind`` (of what is no chest)
            and ``body_part``.
        key: What ``key`` is.
        view_column: Where the words stand.
        is_own: Whether a user made it, rather than a public set's authors.
    """

    rows: pd.DataFrame
    key: Key
    view_column: str
    is_own: bool


def read_view_table(
    file: str,
    given: str,
    access: Access = DEFAULT_ACCESS,
    *,
    roots: Iterable[str] = (),
    view_column: str | None = None,
) -> ViewTable:
    """Read what a CSV or Parquet file says of images' views.

    Args:
        file: Local path or URL: a user's own table with `path` or `image_id`, or one that
            `cxrspark.archive.data_sets.SETS` knows.
        given: What the user gave it as, for messages.
        access: How to reach a URL.
        roots: What paths in it may begin with: roots of the archive.
        view_column: The column that tells the view; the set's where not given.

    Raises:
        UserError: It cannot be read, names no image, or no view.
    """
    raw = read_table(file, given, access)
    data_set = told_set(raw.columns)
    if data_set is None:
        raise UserError(
            f"{given} {file}: needs a column path, image_id, dicom_id or filename, or those of a "
            f"public set; it has {_listed(raw)}"
        )
    image = next(filter(None, (column_of(raw.columns, name) for name in data_set.image)))
    path = text_column(raw, image)
    key = Key("path", max(data_set.parts, 0)) if data_set.parts else Key("image_id")
    if data_set.parts:
        path = by_rules(path, path_rules(roots))
    word, view_column = _words(raw, data_set, path, view_column, f"{given} {file}")
    rows = pd.DataFrame(
        {
            "key": key.of_values(path),
            "word": word,
            "patient_id": _patient(raw, data_set, path),
            "source": text_column(raw, "source"),
            "projection": text_column(raw, "projection"),
            "kind": text_column(raw, "kind"),
            "body_part": text_column(raw, "BodyPartExamined"),
        }
    )
    _refuse_nameless(rows["key"], f"{given} {file}", image)
    return ViewTable(rows.drop_duplicates(), key, view_column, data_set in OWN)


def _words(
    raw: pd.DataFrame, data_set: DataSet, path: pd.Series[str], wanted: str | None, file: str
) -> tuple[pd.Series[str], str]:
    """What each row says of the view, and the columns it stands in."""
    if wanted and not column_of(raw.columns, wanted):
        raise UserError(f"--view-column {wanted}: {file} has no such column; it has {_listed(raw)}")
    names = [wanted] if wanted else list(data_set.view)
    there = [found for name in names if (found := column_of(raw.columns, name))]
    words = pd.Series(pd.NA, index=raw.index, dtype="string")
    for name in there:
        said = text_column(raw, name)
        words = words.fillna(said.mask(said.str.upper().isin(SAYS_NOTHING)))
    if there:
        return words, ", else ".join(there)
    if data_set.view_in_path:
        words = path.str.extract(data_set.view_in_path, expand=False).astype("string")
        if words.notna().any():
            return words, "the file's name"
    if data_set.every_view:
        return words.fillna(data_set.every_view), f"none: {data_set.name} is all"
    needed = " or ".join(data_set.view)
    raise UserError(
        f"{file}: has no column {needed}; name one that tells the view (in an audit by "
        f"--view-column); it has {_listed(raw)}"
    )


def _patient(raw: pd.DataFrame, data_set: DataSet, path: pd.Series[str]) -> pd.Series[str]:
    """The patient's id: the project's word for it, the set's, or the path's."""
    said = text_column(raw, "patient_id").fillna(text_column(raw, data_set.subject))
    if data_set.subject_in_path:
        in_path = path.str.extract(data_set.subject_in_path, expand=False)
        said = said.fillna(in_path.astype("string"))
    return said


def _refuse_nameless(key: pd.Series[str], file: str, column: str) -> None:
    nameless = int(key.isna().sum())
    if nameless:
        raise UserError(f"{file}: {nameless} rows have no {column}; name it or drop them")


def _listed(raw: pd.DataFrame) -> str:
    return ", ".join(map(str, raw.columns[:12]))

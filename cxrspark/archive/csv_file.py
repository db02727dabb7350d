"""Tables that a user names: one reader, and one set of rules, for manifests, labels, metadata."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterable
from io import BytesIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column
from pyspark.sql import functions as F

from cxrspark.archive.access import Access
from cxrspark.archive.dialect import GZIP, PARQUET, Dialect, tell, told_encoding
from cxrspark.archive.storage import local_path, read_file
from cxrspark.errors import UserError

Rules = list[tuple[str, str]]
"""Regular expressions and what takes their place, in words that Python and Java read alike."""


def read_content(file: str, given: str, access: Access) -> bytes:
    """Read a file as it is, gzip or not.

    Args:
        file: Local path or URL.
        given: What the user gave it as, for the message.
        access: How to reach a URL.

    Raises:
        UserError: It cannot be read.
    """
    try:
        return read_file(file, access)
    except OSError as error:
        raise UserError(f"{given} {file}: cannot be read; name an existing CSV file") from error


def read_table(file: str, given: str, access: Access) -> pd.DataFrame:
    """Read CSV or Parquet, all values as strings; arguments as `read_content`.

    CSV may be gzip; UTF-8, UTF-16 or Latin-1; separated by commas, semicolons or tabs. Blanks
    around a value are no part of it, and an empty value is missing.

    Returns:
        Columns as the file calls them.

    Raises:
        UserError: It cannot be read, or is neither.
    """
    content = read_content(file, given, access)
    try:
        if content.startswith(PARQUET):
            return _blank_is_missing(_parquet(content))
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        dialect = tell(content)
        columns = list(dialect.columns)
        if not columns:
            raise ValueError("no columns")
        rows = dialect.rows(content.decode(_of_all(dialect, content)))
        return _blank_is_missing(pd.DataFrame(rows, columns=columns, dtype="string"))
    except (
        ValueError, OSError, EOFError, zlib.error, csv.Error, pa.ArrowException
    ) as error:  # fmt: skip
        said = str(error).splitlines()[0]
        raise UserError(f"{given} {file}: neither CSV nor Parquet: {said}") from error


def column_of(columns: Iterable[str], name: str) -> str | None:
    """How a file spells a column: in this case if it has both, else in any; None without it."""
    alike = [column for column in columns if column.casefold() == name.casefold()]
    return name if name in alike else next(iter(alike), None)


def text_column(raw: pd.DataFrame, name: str | None) -> pd.Series[str]:
    """A column in any case of its name; missing where it is not there."""
    found = column_of(raw.columns, name) if name else None
    if found is None:
        return pd.Series(pd.NA, index=raw.index, dtype="string")
    values = raw[found]
    return values if isinstance(values, pd.Series) else values.iloc[:, 0]  # named twice


def path_rules(roots: Iterable[str] = ()) -> Rules:
    r"""What makes the paths of a table relative to the archive, however they are written.

    Args:
        roots: The archive's: what stands before a path, as `/data/cxr`, `s3://bucket/cxr`.

    Returns:
        Rules: `\` as `/`, `file:/…` as a path, no root, no `./`, no `/` at the beginning.
    """
    known = {root.rstrip("/") for root in roots} - {"", "."}
    for root in set(known):
        if local := local_path(root):
            known |= {str(local.absolute()), str(local.resolve())}
    escaped = "|".join(re.escape(root) for root in sorted(known, key=len, reverse=True))
    strip_root = [(rf"^(?:{escaped})/", "")] if escaped else []
    return [
        (r"\\", "/"),
        (r"^file:/+", "/"),
        *strip_root,
        (r"/(?:\./|/)+", "/"),
        (r"^(?:\./)+", ""),
        (r"^/", ""),
    ]


def by_rules(values: pd.Series[str], rules: Rules) -> pd.Series[str]:
    """Apply rules in their order."""
    for pattern, instead in rules:
        values = values.str.replace(pattern, instead, regex=True)
    return values


def by_rules_in_spark(values: Column, rules: Rules) -> Column:
    """The same in Spark."""
    for pattern, instead in rules:
        values = F.regexp_replace(values, pattern, instead)
    return values


def _of_all(dialect: Dialect, content: bytes) -> str:
    """The encoding, once more: a byte that is no UTF-8 may come late."""
    return told_encoding(content) if dialect.encoding == "utf-8" else dialect.encoding


def _parquet(content: bytes) -> pd.DataFrame:
    """Numbers are cast before pandas can make floats of integers with nulls."""
    table = pq.read_table(BytesIO(content))
    columns = {}
    for name in table.column_names:
        try:
            columns[name] = table[name].cast(pa.string()).to_pandas()
        except pa.ArrowException:  # of a list or a binary
            continue
    return pd.DataFrame(columns, dtype="string")


def _blank_is_missing(raw: pd.DataFrame) -> pd.DataFrame:
    stripped = raw.apply(lambda values: values.str.strip())
    return stripped.where(stripped != "") if len(raw) else raw

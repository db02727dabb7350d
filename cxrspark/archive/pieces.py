"""A manifest's rows as they stand in its file, a piece at a time."""

from __future__ import annotations

import gzip
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import islice
from pathlib import PurePosixPath
from typing import BinaryIO, TextIO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cxrspark.archive.listing import IMAGE_SUFFIXES
from cxrspark.errors import UserError

PIECE = 200_000
"""Rows that the driver holds at once: some 50 MB."""

OTHER_NAMES = {"dicom_id": "image_id", "patient_id": "subject_id", "bytes": "size"}
KNOWN = ("path", "image_id", "study_id", "subject_id", "size")

_HEAD = 2**16


def read_pieces(name: str, file: BinaryIO) -> Iterator[pd.DataFrame]:
    """Read a manifest in bounded memory.

    Args:
        name: What it is called in messages.
        file: CSV, Parquet (then it must seek) or a list of paths, one a line; gzip or not. It is
            closed at the end.

    Yields:
        At most `PIECE` rows, of the `KNOWN` columns that are there, all strings; `path` is.

    Raises:
        UserError: It is none of these, or has no column `path`.
    """
    try:
        with file, BufferedReader(cast("RawIOBase", file), _HEAD) as buffered:
            for piece in _pieces(cast("BufferedReader", buffered)):
                table = piece.rename(columns=lambda column: str(column).strip().lower())
                for other, column in OTHER_NAMES.items():
                    if other in table and column not in table:
                        table = table.rename(columns={other: column})
                if "path" not in table:
                    columns = ", ".join(map(str, table.columns[:8])) or "no column that is known"
                    raise UserError(f"manifest {name}: needs a column `path`, has {columns}")
                yield table[[column for column in KNOWN if column in table]]
    except (
        ValueError, OSError, EOFError, zlib.error, pa.ArrowException, pd.errors.ParserWarning
    ) as error:  # fmt: skip
        said = str(error).splitlines()[0]
        raise UserError(f"manifest {name}: neither CSV, Parquet nor a list: {said}") from error


def _pieces(file: BufferedReader) -> Iterator[pd.DataFrame]:
    start = file.peek(4)
    if start.startswith(b"PAR1"):
        return _parquet(file)
    if start.startswith(b"\x1f\x8b"):
        file = BufferedReader(gzip.GzipFile(fileobj=file), _HEAD)
    return _text(file)


def _parquet(file: BufferedReader) -> Iterator[pd.DataFrame]:
    """Ids are cast before pandas can make floats of integers with nulls."""
    table = pq.ParquetFile(file)
    known = [n for n in table.schema_arrow.names if n.lower() in (*KNOWN, *OTHER_NAMES)]
    for batch in table.iter_batches(PIECE, columns=known):
        columns = {
            name: column.cast(pa.string()).to_pandas()
            for name, column in zip(known, batch.columns, strict=True)
        }
        yield pd.DataFrame(columns, dtype="string")


def _text(file: BufferedReader) -> Iterator[pd.DataFrame]:
    head = file.peek(_HEAD).decode("utf-8-sig", errors="ignore")
    header = head.split("\n", 1)[0].strip()
    names = {name.strip().strip('"').lower() for name in header.split(",")}
    known = names & {*KNOWN, *OTHER_NAMES}
    with TextIOWrapper(file, "utf-8-sig") as text:
        if not known and (not head.strip() or _is_path(header)):
            lines = (line.strip() for line in text)
            yield from _lists(line for line in lines if line)
        elif "\t" in header or ";" in header:
            raise ValueError("columns must be separated by commas")
        else:
            yield from _csv(text)


def _csv(text: TextIO) -> Iterator[pd.DataFrame]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
        yield from pd.read_csv(
            text,
            dtype="string",
            skipinitialspace=True,
            index_col=False,
            keep_default_na=False,  # a file may be called NA
            chunksize=PIECE,
        )


def _lists(lines: Iterable[str]) -> Iterator[pd.DataFrame]:
    lines = iter(lines)
    while piece := list(islice(lines, PIECE)):
        yield pd.DataFrame({"path": piece}, dtype="string")


def _is_path(line: str) -> bool:
    """Whether a line is a path, which may hold a comma, rather than names of columns."""
    plain = not re.search(r"[,;\t]", line) and re.search(r"[./]", line) is not None
    return plain or PurePosixPath(line).suffix.lower() in IMAGE_SUFFIXES

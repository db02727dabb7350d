"""How a text file writes its table: encoding, separator and columns, told from its first bytes."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

SEPARATORS = ",;\t"

HEAD = 2**16
"""Bytes that tell; a line of column names is shorter."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

OR_LATIN = "cxrspark-or-latin-1"
"""Error handler of a decoder: a byte that is no UTF-8 is Latin-1, wherever in the file it comes."""


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(OR_LATIN, _as_latin)
csv.field_size_limit(2**24)  # run lengths and reports are columns of some sets


@dataclass(frozen=True)
class Dialect:
    """How one text file is read.

    Attributes:
        encoding: Python's name of it; to be decoded with `OR_LATIN`.
        separator: One of `SEPARATORS`.
        columns: Of the first line, as the file writes them, without blanks around them.
    """

    encoding: str
    separator: str
    columns: tuple[str, ...]

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Every row after the first: as many values as there are columns.

        A row may be shorter, or longer by empty values; quotes may enclose separators and line
        breaks.

        Args:
            lines: Of the whole file, with their ends.

        Raises:
            ValueError: A row has surplus values.
            csv.Error: A quote is not closed.
        """
        width = len(self.columns)
        reader = _reader(lines, self.separator)
        filled = (row for row in reader if row)
        next(filled, None)
        for row in filled:
            if any(map(str.strip, row[width:])):
                line = f"line {reader.line_num} has {len(row)} values for {width} columns"
                raise ValueError(f"{line}; quote what holds a separator")
            yield (row + [""] * width)[:width]


def tell(head: bytes) -> Dialect:
    """Tell how a text file is to be read.

    Args:
        head: Its first bytes, `HEAD` of them or the whole file.

    Raises:
        ValueError: Not text.
        csv.Error: A quote in the first line is not closed.
    """
    encoding = _encoding(head)
    decoder = codecs.getincrementaldecoder(encoding)(OR_LATIN if "8" in encoding else "replace")
    text = decoder.decode(head)
    if "\0" in text:
        raise ValueError("not a text file")
    lines = [line for line in text.split("\n") if line.strip()] or [""]
    unquoted = "".join(lines[0].split('"')[::2])
    separator = max(SEPARATORS, key=unquoted.count)
    columns: list[str] = next(_reader((line + "\n" for line in lines), separator), [])
    return Dialect(encoding, separator, tuple(name.strip() for name in columns if lines[0]))


def _encoding(head: bytes) -> str:
    """By its mark, or UTF-16 by the zeros of its ASCII, else UTF-8 (and so ASCII and Latin-1)."""
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            return encoding
    odd, even = head[1::2].count(0), head[::2].count(0)
    if max(odd, even) > len(head) // 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8"


def _reader(lines: Iterable[str], separator: str) -> Any:  # csv hides its class
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)

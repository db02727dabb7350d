"""How a text file writes its table: encoding, separator and columns, told from its first bytes."""

from __future__ import annotations

import codecs
import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
"""How gzip (RFC 1952) and Parquet files begin."""

SEPARATORS = ",;\t"

HEAD = 2**16
"""Bytes that tell; a line of column names is shorter."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_IN_JAVA = {
    "utf-8-sig": "UTF-8",
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "latin-1": "ISO-8859-1",
}

csv.field_size_limit(2**24)  # run lengths and reports are columns of some sets


@dataclass(frozen=True)
class Dialect:
    """How one text file is read, whether by Python or by Spark.

    Attributes:
        encoding: Python's name of it.
        separator: One of `SEPARATORS`.
        columns: Of the first line, as the file writes them, without blanks around them.
    """

    encoding: str
    separator: str
    columns: tuple[str, ...]

    def rows(self, text: str) -> Iterator[list[str]]:
        """Every row after the first line: as many values as there are columns.

        A row may be shorter, or longer by empty values; quotes may enclose separators and line
        breaks.

        Raises:
            ValueError: A row has surplus values, or a quote is not closed.
        """
        width = len(self.columns)
        reader = _reader(text, self.separator)
        next(reader, None)
        for row in reader:
            if not row:
                continue
            if any(map(str.strip, row[width:])):
                line = f"line {reader.line_num} has {len(row)} values for {width} columns"
                raise ValueError(f"{line}; quote what holds a separator")
            yield (row + [""] * width)[:width]

    def for_spark(self) -> dict[str, str]:
        """Options of Spark's CSV reader; give it the columns as a schema, all of them strings."""
        return {
            "header": "true",
            "enforceSchema": "true",
            "sep": self.separator,
            "quote": '"',
            "escape": '"',
            "encoding": _IN_JAVA.get(self.encoding, self.encoding),
            "multiLine": "true",
            "ignoreLeadingWhiteSpace": "true",
            "ignoreTrailingWhiteSpace": "true",
            "nullValue": "",
            "mode": "FAILFAST",
        }


def tell(head: bytes) -> Dialect:
    """Tell how a text file is to be read.

    Args:
        head: Its first bytes, `HEAD` of them or the whole file, gzip or not.

    Raises:
        ValueError: Not text, or damaged gzip.
    """
    plain = _inflated(head) if head.startswith(GZIP) else head
    encoding = told_encoding(plain)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(plain)
    if "\0" in text:
        raise ValueError("not a text file")
    names = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = "".join(names.split('"')[::2])
    separator = max(SEPARATORS, key=unquoted.count)
    columns: list[str] = next(_reader(text, separator), [])
    return Dialect(encoding, separator, tuple(name.strip() for name in columns))


def told_encoding(content: bytes) -> str:
    """UTF-8, UTF-16 (by its mark, or by the zeros of its ASCII), else Latin-1."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return encoding
    odd, even = content[1:HEAD:2].count(0), content[0:HEAD:2].count(0)
    if max(odd, even) > len(content[:HEAD]) // 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)  # its last character may be cut
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD)
    except zlib.error as error:
        raise ValueError(f"damaged gzip: {error}") from error


def _reader(text: str, separator: str) -> Any:  # csv hides its class
    lines = StringIO(text.lstrip("\r\n"), newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)

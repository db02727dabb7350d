"""CSV files that a user names: labels and metadata."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO

import pandas as pd

from cxrspark.archive.access import Access
from cxrspark.archive.storage import read_file
from cxrspark.errors import UserError


def read_content(file: str, given: str, access: Access) -> bytes:
    """Read a CSV file as it is, gzip or not.

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


def read_csv(file: str, given: str, access: Access) -> pd.DataFrame:
    """Read a CSV file, gzip or not, with all values as strings; arguments as `read_content`.

    Raises:
        UserError: It cannot be read, or is not CSV.
    """
    content = read_content(file, given, access)
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return pd.read_csv(BytesIO(content), dtype="string", encoding="utf-8-sig")
    except (ValueError, OSError, EOFError, zlib.error) as error:  # text, CSV or gzip is damaged
        raise UserError(f"{given} {file}: not CSV: {str(error).splitlines()[0]}") from error


def text_column(raw: pd.DataFrame, name: str) -> pd.Series[str]:
    """A column without blanks around its values; missing where it is blank or not there."""
    if name not in raw.columns:
        return pd.Series(pd.NA, index=raw.index, dtype="string")
    stripped = raw[name].str.strip()
    return stripped.where(stripped != "")

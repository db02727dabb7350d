"""A DICOMDIR as a manifest: which files of a medium are images, and of which study."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pandas as pd

from cxrspark.errors import UserError


def read_dicomdir(content: bytes, name: str) -> pd.DataFrame:
    """Read the directory records of a medium (PS3.3, F.3).

    The patients' names and ids in it are left aside.

    Args:
        content: The whole file.
        name: What it is called in messages.

    Returns:
        Strings ``path``, below the folder of the DICOMDIR, and ``study_id``, the
        StudyInstanceUID; a row for each record of an image.

    Raises:
        UserError: It is damaged, or pydicom is not installed.
    """
    try:
        from pydicom import dcmread  # optional
    except ImportError as error:
        raise UserError(f"manifest {name}: is a DICOMDIR; pip install 'cxrspark[dicom]'") from error
    try:
        directory = dcmread(BytesIO(content))
        records = {record.seq_item_tell: record for record in directory.DirectoryRecordSequence}
        first = directory.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity
        rows = list(_images(records, first, None))
    except Exception as error:  # pydicom raises many types on damaged files
        said = " ".join(str(error).split())[:200]
        raise UserError(f"manifest {name}: a damaged DICOMDIR: {said}") from error
    return pd.DataFrame(rows, columns=["path", "study_id"], dtype="string")


def _images(
    records: dict[int, Any], offset: int, study: str | None
) -> Iterator[tuple[str, str | None]]:
    """Images among a record, those that follow it, and those below them; each record once."""
    while (record := records.pop(offset, None)) is not None:
        below = str(record.get("StudyInstanceUID") or study or "") or None
        file = record.get("ReferencedFileID")
        if file and record.DirectoryRecordType == "IMAGE":
            yield "/".join([file] if isinstance(file, str) else file), below
        yield from _images(records, record.OffsetOfReferencedLowerLevelDirectoryEntity, below)
        offset = record.OffsetOfTheNextDirectoryRecord

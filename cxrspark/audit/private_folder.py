"""A folder of results that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cxrspark.errors import UserError


def open_folder(folder: Path, own: Iterable[str]) -> None:
    """Make a folder that only its owner can read, or take one that holds nothing else.

    Args:
        folder: Where results are to go.
        own: Names of the files that will be written; those of an earlier run may be there.

    Raises:
        UserError: It holds other files, or cannot be made or written.
    """
    ours = set(own)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        foreign = sorted({entry.name for entry in folder.iterdir()} - ours - set(map(_part, ours)))
        if foreign:
            listed = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
            raise UserError(f"--out {folder}: holds other files ({listed}); name a new folder")
        folder.chmod(0o700)
        _write(folder / _part(min(ours)), b"")
        (folder / _part(min(ours))).unlink()
    except OSError as error:
        raise UserError(f"--out {folder}: {error.strerror}; name another folder") from error


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files that only their owner can read; each one appears whole.

    Args:
        folder: From `open_folder`.
        files: Content by name.
    """
    for name, content in files.items():
        _write(folder / _part(name), content)
        (folder / _part(name)).replace(folder / name)


def _part(name: str) -> str:
    return f".{name}.part"


def _write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)  # so that the mode is that of a new file
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)

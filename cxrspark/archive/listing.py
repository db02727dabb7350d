"""Which files of an archive without a manifest are images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from cxrspark.archive.storage import Store

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".dcm", ".dicom")


def list_images(store: Store) -> Iterator[tuple[str, int]]:
    """Path and bytes of each file that may be an image; hidden files and folders are left out."""
    for name, size in store.names():
        path = PurePosixPath(name)
        hidden = any(part.startswith((".", "_")) for part in path.parts)
        if not hidden and _may_be_image(path):
            yield name, size


def _may_be_image(path: PurePosixPath) -> bool:
    """By its suffix; DICOM files are often named by a UID, without one."""
    suffix = path.suffix.lower()
    is_uid = path.name.replace(".", "").isdigit()
    return suffix in IMAGE_SUFFIXES or is_uid

"""Is the archive there? A few images are read before any task is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.store import Store
from cxrspark.errors import DeniedError, ObjectError, UserError

TRIED = 16
"""Images that are looked for before a root is called wrong."""


def find_witness(
    store: Store, archive: str, wanted: Iterable[str], known: Iterable[str]
) -> str | None:
    """Find an image that can be read, so that an archive that cannot ends the run at once.

    Args:
        store: The archive's.
        archive: Its root, for messages.
        wanted: Some images that the run is to read.
        known: Some that an earlier run has read; looked for only where none of `wanted` is there.

    Returns:
        Its path; None where there is none, of fewer than `TRIED` images.

    Raises:
        UserError: The store cannot be read, or holds no image that should be there.
    """
    tried, denied, said, lost = set[str](), None, "", False
    for path, was_there in chain(((p, False) for p in wanted), ((p, True) for p in known)):
        if path in tried:
            continue
        tried.add(path)
        try:
            (content,) = read_many(store, [path])
        except DeniedError as error:
            denied = denied or error
            continue
        if not isinstance(content, ObjectError):
            return path
        said, lost = f"{path}: {content}", was_there
    if denied:
        raise denied
    if tried and (lost or len(tried) >= TRIED):
        raise UserError(
            f"archive {archive}: of {len(tried)} images tried none can be read ({said}); name the "
            "root that the manifest's paths start from, or make it readable again"
        )
    return None

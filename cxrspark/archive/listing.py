"""Which files of an archive without a manifest are images, told by name or by first bytes."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePosixPath

from cxrspark.archive.kinds import HEAD, IMAGES, kind_of
from cxrspark.archive.members import WithMembers, is_container
from cxrspark.archive.store import Store
from cxrspark.errors import ObjectError

IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".dcm", ".dicom", ".tif", ".tiff", ".bmp", ".jp2", ".j2k", ".pgm",
)  # fmt: skip
"""Listed unread: such a file that is no image is a row that says so. What else is read, such as GIF
and WebP, is told by its first bytes: by name alone it is more often part of a page."""

OTHER_SUFFIXES = (
    ".csv", ".tsv", ".txt", ".md", ".json", ".xml", ".html", ".htm", ".pdf", ".yaml", ".yml",
    ".parquet", ".xls", ".xlsx", ".doc", ".docx", ".py", ".ipynb", ".sha256", ".md5", ".exe",
    ".dll", ".inf", ".ini", ".log", ".nii", ".npy", ".tgz",
)  # fmt: skip
"""Left out unread."""

LOOKING = 8
"""First bytes on their way, for each object that the store reads at once: they are small."""

BATCH = 16
"""Files that a thread looks at one after the other."""

EXAMPLES = 3
HIDDEN = "hidden"

log = logging.getLogger(__name__)


def list_images(store: Store, *, every_file: bool = False) -> Iterator[tuple[str, int]]:
    """Path and bytes of each file that is an image, those in zip and tar files included.

    Files with a suffix of `IMAGE_SUFFIXES`, or called by a UID, are taken for images unread. What
    others are is told by their first `HEAD` bytes, many files at once. At its end it warns how many
    files were left out, and why.

    Args:
        store: The archive.
        every_file: Take every file for an image that is not hidden.
    """
    inside = store if isinstance(store, WithMembers) else WithMembers(store)
    left_out = LeftOut()
    threads = ThreadPoolExecutor(inside.at_once * LOOKING)
    asked: deque[tuple[list[tuple[str, int]], Future[list[str]]]] = deque()

    def told() -> Iterator[tuple[str, int]]:
        files, kinds = asked.popleft()
        for (path, size), kind in zip(files, kinds.result(), strict=True):
            if kind in IMAGES:
                yield path, size
            else:
                left_out.add(path, kind)

    try:
        doubtful: list[tuple[str, int]] = []
        for path, size in _files(inside, left_out):
            reason = _left_out_unread(path)
            if reason == HIDDEN or (reason and not every_file):
                left_out.add(path, reason)
            elif every_file or _is_named_as_image(path):
                yield path, size
            else:
                doubtful.append((path, size))
            if len(doubtful) == BATCH:
                asked.append((doubtful, threads.submit(_look, inside, doubtful)))
                doubtful = []
            if len(asked) > 2 * inside.at_once * LOOKING:
                yield from told()
        asked.append((doubtful, threads.submit(_look, inside, doubtful)))
        while asked:
            yield from told()
    finally:
        threads.shutdown(cancel_futures=True)
    left_out.warn()


class LeftOut:
    """Files that are not listed, by the reason."""

    def __init__(self) -> None:
        self._files: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, path: str, reason: str) -> None:
        """Count a file."""
        self._files[reason] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(path)

    def warn(self) -> None:
        """One line for each reason, the most frequent first."""
        for reason, files in self._files.most_common():
            named = ", ".join(self._examples[reason])
            log.warning(
                "left out of the listing: %s, %s files, e.g. %s", reason, f"{files:,}", named
            )


def _files(store: WithMembers, left_out: LeftOut) -> Iterator[tuple[str, int]]:
    """Every file, and the members of zip and tar files in their place."""
    for path, size in store.names():
        if not is_container(path) or _left_out_unread(path):
            yield path, size
            continue
        try:
            yield from store.members(path)
        except (ObjectError, OSError) as error:
            left_out.add(path, str(error).split(":")[0])


def _left_out_unread(path: str) -> str | None:
    parts = PurePosixPath(path)
    if any(part.startswith((".", "_")) for part in parts.parts):
        return HIDDEN
    return "no image by its suffix" if parts.suffix.lower() in OTHER_SUFFIXES else None


def _is_named_as_image(path: str) -> bool:
    """By its suffix; DICOM files are often named by a UID, without one."""
    name = PurePosixPath(path.lower().removesuffix(".gz"))
    return name.suffix in IMAGE_SUFFIXES or name.name.replace(".", "").isdigit()


def _look(store: Store, files: Iterable[tuple[str, int]]) -> list[str]:
    return [_kind(store, path) for path, _ in files]


def _kind(store: Store, path: str) -> str:
    try:
        return kind_of(store.part(path, 0, HEAD))
    except (FileNotFoundError, NotADirectoryError):
        return "a link to nothing"
    except OSError as error:
        return f"unreadable: {error.strerror}"
    except ObjectError as error:
        return str(error).split(" in its")[0]

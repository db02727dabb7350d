"""Where the files of an archive are: a folder, a bucket, or what fsspec knows."""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO, ClassVar
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.bucket import SCHEMES, Bucket
from cxrspark.archive.members import WithMembers, as_text, open_stream
from cxrspark.archive.store import Store, Take
from cxrspark.errors import UserError

_LOST = {
    errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.EHOSTDOWN,
    errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""What a network's file system or this process has lost, not a file."""

HINTS = {
    "hdfs": "; set JAVA_HOME, HADOOP_HOME and CLASSPATH (what `hadoop classpath --glob` prints)"
}
"""What most likely is missing for a scheme."""

log = logging.getLogger(__name__)


def open_store(root: str, access: Access = DEFAULT_ACCESS, patience: float | None = None) -> Store:
    """Store whose paths are relative to `root`, and may lead into its zip and tar files.

    Args:
        root: A local folder, or a URL.
        access: How to reach a bucket.
        patience: Seconds for which a bucket's failing request is repeated; few by default.

    Raises:
        UserError: No such folder, no such kind of URL, or a secret in it.
    """
    local = local_path(root)
    if local is not None:
        if not local.is_dir():
            what = "is a file" if local.exists() else "no such folder"
            raise UserError(f"{root}: {what}; name an existing folder or a URL")
        return WithMembers(Folder(local))
    _refuse_secrets(root)
    if root.split("://")[0] in SCHEMES:
        return WithMembers(Bucket(root, access, patience))
    return WithMembers(OtherStore(root))


def local_path(url: str) -> Path | None:
    """Local path that `url` names, or None where it is on a remote store."""
    if url.startswith("file://"):
        return Path(url2pathname(urlsplit(url).path))
    return None if "://" in url else Path(url)


def open_file(url: str, access: Access = DEFAULT_ACCESS) -> BinaryIO:
    """Open one file, local or by URL, as a stream that can seek; raises as `read_file`."""
    local = local_path(url)
    if local is not None:
        return local.open("rb")
    _refuse_secrets(url)
    folder, _, name = url.rpartition("/")
    return open_stream(open_store(folder, access), name)


def read_file(url: str, access: Access = DEFAULT_ACCESS) -> bytes:
    """Read one file, local or by URL.

    Raises:
        OSError: It is not there, or cannot be read.
        UserError: Its bucket cannot be read, or no such kind of URL.
    """
    local = local_path(url)
    if local is not None:
        return local.read_bytes()
    _refuse_secrets(url)
    folder, _, name = url.rpartition("/")
    return bytes(open_store(folder, access).read(name, lambda size: None))


class Folder:
    """A local folder: files are read directly, in a third of the time that obstore takes."""

    at_once: ClassVar[int] = 8

    def __init__(self, root: Path):
        self._root = root
        self._device = root.stat().st_dev

    def read(self, path: str, take: Take) -> bytes:
        """See `Store.read`."""
        with self._open(path) as file:
            take(os.fstat(file.fileno()).st_size)
            return file.readall()

    def part(self, path: str, start: int, length: int) -> bytes:
        """See `Store.part`."""
        with self._open(path) as file:
            return os.pread(file.fileno(), length, start)

    def size(self, path: str) -> int:
        """See `Store.size`."""
        with self._open(path) as file:
            return os.fstat(file.fileno()).st_size

    @contextmanager
    def _open(self, path: str) -> Iterator[FileIO]:
        try:
            with _found(self._root, path).open("rb", buffering=0) as file:
                yield file
        except OSError as error:
            self._refuse_lost_root(error)
            raise

    def _refuse_lost_root(self, error: OSError) -> None:
        """A mount that is lost says nothing about the file that was asked for."""
        try:
            there = self._root.stat().st_dev == self._device
        except OSError:
            there = False
        if not there or error.errno in _LOST:
            said = f"{self._root}: cannot be read any more ({error.strerror})"
            raise UserError(f"{said}; make it readable and run it again") from error

    def names(self) -> Iterator[tuple[str, int]]:
        """See `Store.names`. Links are followed; a broken one is a file of no bytes."""
        folders, seen = [(self._root, "")], {os.path.realpath(self._root)}
        while folders:
            folder, prefix = folders.pop()
            try:
                entries = list(os.scandir(folder))
            except OSError as error:
                log.warning("left out of the listing: folder %s: %s", prefix, error.strerror)
                continue
            for entry in entries:
                name = prefix + as_text(entry.name)
                if not entry.is_dir():
                    yield name, _bytes_of(entry)
                elif (real := os.path.realpath(entry.path)) not in seen:  # links may go round
                    seen.add(real)
                    folders.append((Path(entry.path), f"{name}/"))


def _found(root: Path, path: str) -> Path:
    """The file that a listed path means: its parts may be names that are not UTF-8."""
    whole = root / path
    if path.isascii() or whole.exists():
        return whole
    for part in path.split("/"):
        as_latin = root / os.fsdecode(part.encode("latin-1", "ignore"))
        root = as_latin if as_latin.exists() and not (root / part).exists() else root / part
    return root


def _bytes_of(entry: os.DirEntry[str]) -> int:
    try:
        found = entry.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


class OtherStore:
    """What fsspec reads with a package of its own: `hdfs://` on an old cluster, say."""

    at_once: ClassVar[int] = 8

    def __init__(self, root: str):
        scheme = root.split("://")[0]
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(root)
        except ImportError as error:
            needs = " ".join(str(error).split())
            what = f"needs fsspec and its package for {scheme} on every machine ({needs})"
            raise UserError(f"{root}: {what}; pip install 'cxrspark[fsspec]' and it") from error
        except ValueError as error:
            known = "a folder, s3://, gs://, az://, https:// or a URL that fsspec knows"
            raise UserError(f"{root}: cannot be opened; it must be {known}") from error
        except OSError as error:  # of libhdfs, say, that finds no Java or no name node
            said = " ".join(str(error).split())[:200]
            raise UserError(f"{root}: cannot be opened: {said}{HINTS.get(scheme, '')}") from error
        self._url = root

    def read(self, path: str, take: Take) -> bytes:
        """See `Store.read`."""
        whole = f"{self._root.rstrip('/')}/{path}"
        try:
            take(int(self._files.size(whole)))
            return bytes(self._files.cat_file(whole))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise
        except OSError as error:
            raise UserError(f"{self._url}: cannot be read: {error}") from error

    def part(self, path: str, start: int, length: int) -> bytes:
        """See `Store.part`."""
        whole = f"{self._root.rstrip('/')}/{path}"
        return bytes(self._files.cat_file(whole, start=start, end=start + length))

    def size(self, path: str) -> int:
        """See `Store.size`."""
        return int(self._files.size(f"{self._root.rstrip('/')}/{path}"))

    def names(self) -> Iterator[tuple[str, int]]:
        """See `Store.names`."""
        start = len(self._root.rstrip("/")) + 1
        for name, found in self._files.find(self._root, detail=True).items():
            yield name[start:], int(found["size"])


def _refuse_secrets(url: str) -> None:
    """The URL of an archive is written to every row, and into messages."""
    parts = urlsplit(url)
    user = "@" in parts.netloc and (":" in parts.netloc.split("@")[0] or parts.scheme[:4] == "http")
    if user or parts.query:
        plain = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
        raise UserError(
            f"{plain}: has a password or a query, which a table would keep; leave it "
            "out and give credentials by the environment"
        )

"""Where the files of an archive are: a folder, a bucket, or what fsspec knows."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import InvalidPathError
from obstore.store import LocalStore

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.bucket import SCHEMES, Bucket
from cxrspark.errors import UserError

_LOST = {
    errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.EHOSTDOWN,
    errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET, errno.EMFILE, errno.ENFILE,
}  # fmt: skip
"""What a network's file system or this process has lost, not a file."""

Take = Callable[[int], None]
"""Told an object's bytes before its body is read: may wait, or refuse with an `ObjectError`."""


class Store(Protocol):
    """Files below one root."""

    at_once: ClassVar[int]
    """Reads that are worth their threads."""

    def read(self, path: str, take: Take) -> bytes | memoryview:
        """The whole file; a view where bytes would be another copy of it.

        Args:
            path: Relative to the root.
            take: Called before the file's body is read.

        Raises:
            FileNotFoundError: It is not there.
            OSError: This file cannot be read.
            UserError: The store cannot be read, by a fact that holds for every file.
        """

    def names(self) -> Iterator[tuple[str, int]]:
        """Path and bytes of every file below the root, in any order."""


def open_store(root: str, access: Access = DEFAULT_ACCESS, patience: float | None = None) -> Store:
    """Store whose paths are relative to `root`.

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
            raise UserError(f"{root}: no such folder; name an existing folder or a URL")
        return Folder(local)
    _refuse_secrets(root)
    if root.split("://")[0] in SCHEMES:
        return Bucket(root, access, patience)
    return OtherStore(root)


def local_path(url: str) -> Path | None:
    """Local path that `url` names, or None where it is on a remote store."""
    if url.startswith("file://"):
        return Path(url2pathname(urlsplit(url).path))
    return None if "://" in url else Path(url)


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
        try:
            with (self._root / path).open("rb", buffering=0) as file:
                take(os.fstat(file.fileno()).st_size)
                return file.readall()
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
        """See `Store.names`."""
        try:
            for chunk in obstore.list(LocalStore(self._root), chunk_size=10_000):
                for entry in chunk:
                    yield entry["path"], entry["size"]
        except InvalidPathError as error:
            said = str(error).splitlines()[0]
            raise UserError(f"archive: {said}; rename that file or name a --manifest") from error


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
        except (ValueError, OSError) as error:
            known = "a folder, s3://, gs://, az://, https:// or a URL that fsspec knows"
            raise UserError(f"{root}: cannot be opened; it must be {known}") from error
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

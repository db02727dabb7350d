"""Members of zip and tar files, and gzip, read where they lie: nothing is unpacked to disk."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any, BinaryIO, NamedTuple, cast

from cxrspark.archive.kinds import GZIP_START
from cxrspark.archive.store import Store, Take
from cxrspark.errors import ObjectError
from cxrspark.pixels.image import MAX_BYTES

INSIDE = "!/"
"""Stands between a container's path and the name of its member: `export.zip!/IM0001`."""

CONTAINERS = (".zip", ".tar")

_LOCAL_HEADER = 30
"""Bytes of a zip's local file header before name and extra field (APPNOTE 4.3.7)."""

_SLACK = 256
"""Bytes that the extra field of a local header may have beyond the directory's."""


PART = 2**23
"""Bytes of a stream that are read at once."""


class Member(NamedTuple):
    """Where a member lies in its container.

    Attributes:
        start: Of its header in a zip, of its bytes in a tar.
        stored: Bytes that it takes there.
        size: Bytes that it has.
        method: 0 stored, 8 deflated (APPNOTE 4.4.5).
        name_bytes: Of its local header's name; None in a tar.
        is_locked: Whether it is encrypted.
    """

    start: int
    stored: int
    size: int
    method: int = 0
    name_bytes: int | None = None
    is_locked: bool = False


def open_stream(store: Store, path: str) -> BinaryIO:
    """Open a file of a store as a stream that can seek, of which `PART` bytes are in memory.

    Raises:
        FileNotFoundError, OSError, UserError: As `Store.read`.
    """
    return cast("BinaryIO", io.BufferedReader(_Ranges(store, path), PART))


def is_container(path: str) -> bool:
    """Whether a path names a zip or tar file."""
    return path.lower().endswith(CONTAINERS)


class WithMembers:
    """A store whose paths may lead into zip and tar files, and whose gzip files are their content.

    A container's index is read once, by its end (zip) or from header to header (tar), and a
    member by its own range.
    """

    def __init__(self, store: Store):
        self._store = store
        self.at_once = store.at_once
        self._lock = Lock()
        self._index = lru_cache(maxsize=8)(self._read_index)

    def read(self, path: str, take: Take) -> bytes | memoryview:
        """See `Store.read`."""
        container, inside, name = _split(path)
        if inside:
            member = self._member(container, name)
            take(member.size)
            content: bytes | memoryview = self._content(container, member, member.size)
        else:
            content = self._store.read(path, take)
        return gunzipped(content) if content[:2] == GZIP_START else content

    def part(self, path: str, start: int, length: int) -> bytes:
        """See `Store.part`."""
        container, inside, name = _split(path)
        if not inside:
            return self._store.part(path, start, length)
        member = self._member(container, name)
        return self._content(container, member, start + length)[start : start + length]

    def size(self, path: str) -> int:
        """See `Store.size`."""
        container, inside, name = _split(path)
        return self._member(container, name).size if inside else self._store.size(path)

    def names(self) -> Iterator[tuple[str, int]]:
        """See `Store.names`; without members."""
        return self._store.names()

    def members(self, container: str) -> Iterator[tuple[str, int]]:
        """Path and bytes of each member of a container.

        Raises:
            ObjectError: It is damaged.
        """
        with self._lock:
            index = self._index(container)
        for name, member in index.items():
            yield f"{container}{INSIDE}{name}", member.size

    def _member(self, container: str, name: str) -> Member:
        with self._lock:  # so that it is read once, by whichever thread comes first
            index = self._index(container)
        try:
            return index[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def _read_index(self, container: str) -> dict[str, Member]:
        file: Any = io.BufferedReader(_Ranges(self._store, container), 2**16)
        read = _zip_index if container.lower().endswith(".zip") else _tar_index
        try:
            return read(file)
        except (zipfile.BadZipFile, tarfile.TarError, struct.error, EOFError, ValueError) as error:
            raise ObjectError(f"undecodable: {container} is damaged: {error}") from error

    def _content(self, container: str, member: Member, length: int) -> bytes:
        """The first bytes of a member."""
        if member.is_locked:
            raise ObjectError("unreadable: it is encrypted in its zip")
        if member.name_bytes is None:
            return self._store.part(container, member.start, min(length, member.size))
        wanted = member.stored if length >= member.size else min(member.stored, 2 * length + _SLACK)
        before = _LOCAL_HEADER + member.name_bytes
        raw = self._store.part(container, member.start, before + _SLACK + wanted)
        if raw[:4] != b"PK\x03\x04" or len(raw) < _LOCAL_HEADER:
            raise ObjectError("undecodable: its zip has another file in its place")
        begin = _LOCAL_HEADER + sum(struct.unpack("<HH", raw[26:30]))
        if begin + wanted > len(raw):
            raw = self._store.part(container, member.start, begin + wanted)
        return _plain(raw[begin : begin + wanted], member, length)


def gunzipped(content: bytes | memoryview) -> bytes:
    """Inflate a gzip file, within bounds.

    Raises:
        ObjectError: It is damaged, or inflates to more than `MAX_BYTES`.
    """
    return _inflated(content, zlib.MAX_WBITS | 16, MAX_BYTES, whole=True)


def _plain(stored: bytes, member: Member, length: int) -> bytes:
    if member.method == zipfile.ZIP_STORED:
        return stored[:length]
    if member.method != zipfile.ZIP_DEFLATED:
        raise ObjectError(f"undecodable: its zip uses method {member.method}; store or deflate it")
    return _inflated(stored, -zlib.MAX_WBITS, length, whole=length >= member.size)


def _inflated(stored: bytes | memoryview, window: int, length: int, *, whole: bool) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        content = inflater.decompress(stored, length)
    except zlib.error as error:
        raise ObjectError(f"undecodable: its compression is damaged: {error}") from error
    if inflater.unconsumed_tail and length == MAX_BYTES:
        raise ObjectError(f"oversized: inflates to more than {MAX_BYTES} bytes")
    if whole and not inflater.eof and not inflater.unconsumed_tail:
        raise ObjectError("undecodable: its compression is cut off")
    return content


def as_text(name: str) -> str:
    """A name that is not UTF-8 is taken for Latin-1, which old PACS exports are written in."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def _split(path: str) -> tuple[str, str, str]:
    """Container, `INSIDE` and name; without a container the whole path stands in its place."""
    container, inside, name = path.partition(INSIDE)
    return (container, inside, name) if inside and is_container(container) else (path, "", "")


def _zip_index(file: Any) -> dict[str, Member]:
    with zipfile.ZipFile(file) as found:
        return {
            info.filename: Member(
                info.header_offset,
                info.compress_size,
                info.file_size,
                info.compress_type,
                len(info.orig_filename.encode("utf-8")),
                bool(info.flag_bits & 1),
            )
            for info in found.infolist()
            if not info.is_dir()
        }


def _tar_index(file: Any) -> dict[str, Member]:
    with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as found:
        return {
            as_text(info.name).removeprefix("./"): Member(info.offset_data, info.size, info.size)
            for info in found
            if info.isreg()
        }


class _Ranges(io.RawIOBase):
    """An object as a file that one can seek in."""

    def __init__(self, store: Store, path: str):
        self._store, self._path, self._place = store, path, 0
        self._size = store.size(path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        length = min(len(buffer), self._size - self._place)
        if length <= 0:
            return 0
        content = self._store.part(self._path, self._place, length)
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

"""Many objects at once: reading overlaps decoding, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Condition

from cxrspark.archive.store import Store
from cxrspark.errors import ObjectError
from cxrspark.pixels.image import MAX_BYTES

BYTES_AHEAD = 2**25
"""Bytes of one task that are being read or wait to be decoded: 18 JPEGs of MIMIC-CXR, where a
core decodes 50 a second and an object takes 0.1 s."""


def read_many(store: Store, paths: Iterable[str]) -> Iterator[bytes | ObjectError]:
    """Read objects ahead of their use, several at a time, in the order of `paths`.

    At most `store.at_once` objects and `BYTES_AHEAD` are on their way or wait; one object more
    where it alone is larger.

    Args:
        store: Where they are.
        paths: Relative to the store's root.

    Yields:
        The whole object, or what is wrong with it (missing, unreadable, oversized).

    Raises:
        UserError: The store cannot be read, after its own retries.
    """
    room = _Room(BYTES_AHEAD)
    threads = ThreadPoolExecutor(store.at_once)
    pending: deque[Future[bytes | memoryview | ObjectError]] = deque()
    try:
        for number, path in enumerate(paths):
            pending.append(threads.submit(_read, store, path, number, room))
            if len(pending) == store.at_once:
                yield room.leave(pending.popleft().result())
        while pending:
            yield room.leave(pending.popleft().result())
    finally:
        room.close()
        threads.shutdown(cancel_futures=True)


class _Room:
    """Bytes that objects may take, in any order; the one whose turn it is always has room.

    Their sizes are known only once they have begun to arrive. Without the exception, objects
    that came early could fill the room and wait for one that finds none.
    """

    def __init__(self, size: int):
        self._free = size
        self._turn = 0
        self._open = True
        self._taken: dict[int, int] = {}
        self._changed = Condition()

    def take(self, number: int, size: int) -> None:
        """Wait for room for object `number`."""
        if size > MAX_BYTES:
            raise ObjectError(f"oversized: {size} bytes, the limit is {MAX_BYTES}")
        with self._changed:
            self._changed.wait_for(
                lambda: size <= self._free or number == self._turn or not self._open
            )
            if not self._open:
                raise ObjectError("not read: nobody takes it any more")
            self._free -= size
            self._taken[number] = size

    def leave(self, content: bytes | memoryview | ObjectError) -> bytes | ObjectError:
        """Give back the room of the object whose turn it is, and pass it on."""
        if isinstance(content, memoryview):
            content = bytes(content)  # here, one at a time, and not in every reading thread
        with self._changed:
            self._free += self._taken.pop(self._turn, 0)
            self._turn += 1
            self._changed.notify_all()
        return content

    def close(self) -> None:
        """Send away all that still wait: nobody will take what they read."""
        with self._changed:
            self._open = False
            self._changed.notify_all()


def _read(store: Store, path: str, number: int, room: _Room) -> bytes | memoryview | ObjectError:
    if not path:
        return ObjectError("no path in the manifest")
    if not all(part.strip(".") or len(part) > 2 for part in path.split("/")) or "\0" in path:
        return ObjectError("missing: the path is not one inside the archive")
    try:
        return store.read(path, lambda size: room.take(number, size))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ObjectError("missing: listed but not there")
    except OSError as error:
        return ObjectError(f"unreadable: {error.strerror}")
    except ObjectError as error:
        return error

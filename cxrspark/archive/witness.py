"""What holds for one object, told from what holds for a host or a whole archive."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from cxrspark.archive.store import Store, Take
from cxrspark.errors import DeniedError, ObjectError, UserError


class WitnessedStore:
    """A store beside an object that the driver has read from it.

    That an object is missing, or access to it denied, is a fact about the object where the witness
    can be read afterwards; else about this host, or the archive.
    """

    def __init__(self, store: Store, root: str, witness: str | None):
        """Wrap a store.

        Args:
            store: The archive's, on this host.
            root: The archive's, for messages.
            witness: Path of an object that can be read; None where there is none.
        """
        self.at_once = store.at_once
        self._store, self._root, self._witness = store, root, witness

    def read(self, path: str, take: Take) -> bytes | memoryview:
        """See `Store.read`."""
        try:
            return self._store.read(path, take)
        except (FileNotFoundError, NotADirectoryError):
            self._see_witness()
            raise
        except DeniedError as error:
            if self._witness is None:
                raise UserError(str(error)) from error
            self._see_witness()
            raise ObjectError("unreadable: access denied, though others can be read") from error

    def part(self, path: str, start: int, length: int) -> bytes:
        """See `Store.part`."""
        return self._store.part(path, start, length)

    def size(self, path: str) -> int:
        """See `Store.size`."""
        return self._store.size(path)

    def names(self) -> Iterator[tuple[str, int]]:
        """See `Store.names`."""
        return self._store.names()

    def _see_witness(self) -> None:
        if self._witness is None:
            return
        try:
            self._store.part(self._witness, 0, 1)
        except OSError as error:
            raise UserError(
                f"{self._root}: {socket.gethostname()} does not find {self._witness}, which the "
                "driver has read; make the archive readable there, at the same place, and run it "
                "again"
            ) from error
        except DeniedError as error:
            raise UserError(str(error)) from error

"""What every kind of store can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

Take = Callable[[int], None]
"""Told an object's bytes before its body is read: may wait, or refuse with an `ObjectError`."""


class Store(Protocol):
    """Files below one root."""

    @property
    def at_once(self) -> int:
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

    def part(self, path: str, start: int, length: int) -> bytes:
        """Bytes from `start` on: `length` of them, or as many as there are.

        Raises:
            FileNotFoundError, OSError, UserError: As `read`.
        """

    def size(self, path: str) -> int:
        """Bytes of a file; raises as `read`."""

    def names(self) -> Iterator[tuple[str, int]]:
        """Path and bytes of every file below the root, in any order."""

"""What libraries say by themselves, which nobody asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_LOCK = Lock()
_kept: list[int] = []
"""Where stderr went before, once for each `with` block that is at work in any thread."""


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Keep what C and C++ libraries write from terminals and workers' logs, in all threads."""
    sys.stderr.flush()
    with _LOCK:
        if not _kept:
            _before = os.dup(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        else:
            _before = _kept[0]
        _kept.append(_before)
    try:
        yield
    finally:
        with _LOCK:
            before = _kept.pop()
            if not _kept:
                os.dup2(before, 2)
                os.close(before)

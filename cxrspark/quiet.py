"""What libraries say by themselves, which nobody asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_silent = 0
"""How many `with` blocks are at work, in all threads."""
_stderr = -1
"""Where stderr went before the first of them."""


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Keep what C and C++ libraries write from terminals and workers' logs, in all threads."""
    global _silent, _stderr
    sys.stderr.flush()
    with _lock:
        if _silent == 0:
            _stderr = os.dup(2)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
        _silent += 1
    try:
        yield
    finally:
        with _lock:
            _silent -= 1
            if _silent == 0:
                os.dup2(_stderr, 2)
                os.close(_stderr)

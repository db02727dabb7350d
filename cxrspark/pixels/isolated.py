"""Decoding in a process of its own, so that a file that ends it is a fact about this file."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from typing import IO, Any

import numpy as np

from cxrspark.pixels.image import NO_HEADER, SIDE, Pixels, PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

MEMORY = 3 * 2**30
"""Bytes of address space of the process: enough for an image of `MAX_PIXELS`, of 16 bits."""

_CHILD = "from cxrspark.pixels.isolated import serve; serve()"
_LENGTH = 8


class Isolated:
    """Shrinks images in a child process, and starts another where one ends it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def shrink(self, data: bytes) -> Pixels:
        """See `cxrspark.pixels.shrink_to_64.shrink`.

        Raises:
            PixelsError: Also where its decoder crashes, or takes more memory than `MEMORY`.
        """
        child = self._child = self._child or _start()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            _send(child.stdin, data)
            answer = _receive(child.stdout)
        except (BrokenPipeError, EOFError):
            code = child.wait()
            self.close()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise PixelsError(f"crashed: its decoder was ended by {how}") from None
        values, rows, columns, header, error = pickle.loads(answer)
        if error is not None:
            failed = PixelsError(error)
            failed.header = header
            raise failed
        pixels = np.frombuffer(values, np.uint8).reshape(SIDE, SIDE)
        return Pixels(pixels, rows, columns, header)

    def close(self) -> None:
        """End the process."""
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None


def serve() -> None:
    """Shrink what comes on standard input until it ends: the child process."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            data = _receive(requests)
        except EOFError:
            return
        _send(answers, pickle.dumps(_answer(data)))


def _answer(data: bytes) -> tuple[Any, ...]:
    try:
        pixels = shrink(data)
    except PixelsError as error:
        return None, None, None, error.header, str(error)
    except MemoryError:
        said = f"crashed: its decoder needs more than {MEMORY >> 30} GB of memory"
        return None, None, None, NO_HEADER, said
    return pixels.values.tobytes(), pixels.rows, pixels.columns, pixels.header, None


def _start() -> subprocess.Popen[bytes]:
    # What this worker imports from: Spark may have put the package there itself.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )


def _send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(_LENGTH, "big"))
    stream.write(data)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    """Read a message.

    Raises:
        EOFError: The other side has ended.
    """
    length = stream.read(_LENGTH)
    if len(length) < _LENGTH:
        raise EOFError
    data = stream.read(int.from_bytes(length, "big"))
    if len(data) < int.from_bytes(length, "big"):
        raise EOFError
    return data

"""What a person sees while a run goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: `1:02:03`, or `2:03` under an hour."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def progress_line(done: int, total: int, errors: int | None, seconds: float) -> str:
    """Images done of total, images/s, time left and errors so far, where they are known."""
    done = min(done, total)
    line = f"{done:,} of {total:,} images"
    if done:
        left = (total - done) * seconds / done
        line += f" · {done / seconds:.0f} images/s · {duration(left)} left"
    return line if errors is None else f"{line} · {errors:,} errors"


class Progress:
    """A line that a thread keeps up to date: in place on a terminal, else a new one at times."""

    def __init__(self, total: int, counts: Callable[[], tuple[int, int | None]]):
        """Prepare the line.

        Args:
            total: Images to do.
            counts: Images done and errors so far.
        """
        self._total = total
        self._counts = counts
        self._on_terminal = sys.stderr.isatty()
        self._ended = Event()
        self._thread = Thread(target=self._show_until_end, daemon=True)

    def __enter__(self) -> Progress:
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._show("\n")

    def _show_until_end(self) -> None:
        end = "" if self._on_terminal else "\n"
        self._show(end)
        while not self._ended.wait(0.5 if self._on_terminal else 10):
            self._show(end)

    def _show(self, end: str) -> None:
        if not self._total:
            return
        done, errors = self._counts()
        line = progress_line(done, self._total, errors, time.monotonic() - self._start)
        start = "\r\x1b[K" if self._on_terminal else ""
        print(start + line, end=end, file=sys.stderr, flush=True)

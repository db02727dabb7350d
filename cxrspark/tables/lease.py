"""Who writes to a table: one run at a time, and a dead one is told from a slow one."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

from py4j.protocol import Py4JError

from cxrspark.errors import UserError
from cxrspark.tables.files import Files


def work_path(table: str) -> str:
    """Folder beside a table, in which each run that writes to it has a folder."""
    return f"{table.rstrip('/')}_work"


BEAT = 5.0
"""Seconds between two signs of life of a run."""

DEAD_AFTER = 60.0
"""Seconds without a sign after which a run is dead."""


class Lease:
    """The right of one run to write to a table, held by a folder with two files.

    `lease` says who, and `beat` is written anew as long as the run lives. A run first claims (makes
    its folder), then looks for others: of two runs the later one always finds the earlier. It
    yields to a run that holds the table, and of two that only claim it the one with the larger id
    yields. What a dead run left is finished and deleted by the next; a run that was taken for dead
    finds its folder gone, and what it has staged with it, so that it cannot commit any more.
    """

    def __init__(self, files: Files, table: str, run_id: str):
        """Prepare the lease.

        Args:
            files: Of the table's `work_path`.
            table: The table's name, for messages.
            run_id: Of the run that is to hold it; names its folder.
        """
        self._files, self._table, self._run_id = files, table, run_id
        self._ended = Event()
        self._thread = Thread(target=self._live, daemon=True)

    def take(self) -> list[str]:
        """Take the table, or wait until it is clear that another run holds it.

        Returns:
            Folders of dead runs, for the new holder to finish and delete.

        Raises:
            UserError: Another run writes to the table.
        """
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        me = {"since": now, "user": self._files.user, "host": socket.gethostname()}
        self._files.write(f"{self._run_id}/lease", me | {"pid": os.getpid()})
        self._beat()
        self._thread.start()
        try:
            dead = [run for run in self._others() if self._is_dead(run)]
        except BaseException:
            self.give_back()
            raise
        self._files.write(f"{self._run_id}/held", {})
        return dead

    def give_back(self) -> None:
        """Let the next run have the table, and delete what this one staged."""
        self._ended.set()
        self._thread.join()
        self._files.delete(self._run_id)
        if not self._files.names():
            self._files.delete("")

    def check(self) -> None:
        """See that the lease still holds, before something is changed.

        Raises:
            UserError: Another run has taken this one for dead.
        """
        if not self._files.exists(f"{self._run_id}/lease"):
            raise UserError(
                f"table {self._table}: another run took this one for dead, since it gave no sign "
                f"for {DEAD_AFTER:.0f} s, and writes to the table now; run it again later"
            )

    def _others(self) -> list[str]:
        return sorted(self._files.names() - {self._run_id})

    def _is_dead(self, run: str) -> bool:
        """Watch another run until it is dead, or gone (False).

        Raises:
            UserError: It lives and holds the table, or has claimed it and goes first.
        """
        first = None
        while self._files.exists(run):
            holder = self._files.read(f"{run}/lease") or {}
            beat = self._files.modified(f"{run}/beat") or self._files.modified(run) or 0
            now = self._beat()
            if now - beat > 1000 * DEAD_AFTER or _has_ended_here(holder):
                return True
            first = beat if first is None else first
            lives = beat != first
            goes_first = run < self._run_id or self._files.exists(f"{run}/held")
            if lives and goes_first:
                raise UserError(self._said_of(holder, run, (now - beat) / 1000))
            time.sleep(BEAT / 10)
        return False

    def _said_of(self, holder: dict[str, Any], run: str, silent: float) -> str:
        who = f"{holder.get('user', 'someone')} on {holder.get('host', 'a host')}"
        return (
            f"table {self._table}: run {run} of {who} writes to it since {holder.get('since')} "
            f"(process {holder.get('pid')}, last sign of life {max(silent, 0):.0f} s ago); wait "
            "until it has ended, or end it: a dead run gives way after "
            f"{DEAD_AFTER:.0f} s, at once if {self._files.qualified(run)} is deleted"
        )

    def _live(self) -> None:
        while not self._ended.wait(BEAT):
            with suppress(Py4JError):  # a store that fails in passing; after 60 s it tells
                if not self._files.exists(f"{self._run_id}/lease"):
                    return  # taken for dead: `check` says so
                self._beat()

    def _beat(self) -> int:
        """Give a sign of life; when that was, by the store's clock."""
        return self._files.write(f"{self._run_id}/beat", {})


def _has_ended_here(holder: dict[str, Any]) -> bool:
    """Whether the run's process was one of this host, and is no more."""
    pid = holder.get("pid")
    if pid is None or holder.get("host") != socket.gethostname():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False

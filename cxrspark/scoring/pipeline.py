"""Commits that overlap, so that cores never wait for one to be written; or one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import count
from threading import Event
from typing import Any, TypeVar

from pyspark.sql import SparkSession

from cxrspark.scoring.plan import Cut
from cxrspark.scoring.tally import CommitTally
from cxrspark.scoring.tasks import count_tasks

FEW, MANY = 2, 4
"""Commits at work at once, on few cores and on many; a run that is killed loses at most so many."""

MANY_CORES = 16
"""From here on a commit has so few tasks a core that the end of each leaves cores without one."""

_RUNS = count()
Item = TypeVar("Item")


def commits_at_once(cores: int) -> int:
    """How many commits are at work at once, so that no core waits for one to be written."""
    return MANY if cores >= MANY_CORES else FEW


def overlap(
    spark: SparkSession, items: Iterable[Item], do: Callable[[Item], None], at_once: int
) -> None:
    """Do something for each item, several at once, in about their order.

    Each runs in a scheduler's pool of its own: where the session's mode is FAIR
    (`spark.scheduler.mode`), a commit that is to be written gets the next free core; in FIFO mode
    it waits for tasks of earlier jobs.

    Args:
        spark: The session whose jobs `do` starts.
        items: Taken as they are needed.
        do: Called in threads.
        at_once: How many of them.

    Raises:
        Exception: The first that `do` raised; the jobs of the others are cancelled.
    """
    context, tag, stop = spark.sparkContext, f"cxrspark-{next(_RUNS)}", Event()

    def one(item: Item, slot: int) -> None:
        context.addJobTag(tag)
        context.setLocalProperty("spark.scheduler.pool", f"cxrspark-{slot}")
        if not stop.is_set():
            do(item)

    running: dict[Future[None], int] = {}
    with ThreadPoolExecutor(at_once) as threads:
        try:
            for item in items:
                if len(running) == at_once:
                    _wait_for_one(running)
                slot = next(slot for slot in range(at_once) if slot not in running.values())
                running[threads.submit(one, item, slot)] = slot
            while running:
                _wait_for_one(running)
        except BaseException:
            stop.set()
            while any(not future.done() for future in running):
                context.cancelJobsWithTag(tag)
                wait(running, timeout=1.0)
            raise


def in_turn(
    spark: SparkSession, cuts: list[Cut], do: Callable[[Cut], None], tally: CommitTally, cores: int
) -> None:
    """Do one commit after another, as a session of Spark Connect has no jobs to overlap.

    Args:
        spark: The session, whose progress handler tells how much of a commit is done.
        cuts: The commits.
        do: Called for each.
        tally: Told of it.
        cores: Of the cluster.
    """
    heed: Any = tally.heed
    spark.registerProgressHandler(heed)
    try:
        for cut in cuts:
            tally.begin(cut.images, count_tasks(cut.images, cut.size, cut.left, cores))
            do(cut)
            tally.end()
    finally:
        spark.removeProgressHandler(heed)


def _wait_for_one(running: dict[Future[None], int]) -> None:
    """Wait until one has ended, and raise what it raised."""
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        del running[future]
        future.result()

"""Overlapping commits of tasks on executors that wait for a bucket, straggle and get lost.

How many images a commit and a task have, and how many commits overlap, is asked of the program.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from cxrspark.archive.bucket import Bucket
from cxrspark.scoring.pipeline import commits_at_once
from cxrspark.scoring.tasks import commit_images, count_tasks

EXECUTOR_CORES = 4


@dataclass(frozen=True)
class Archive:
    """What is to be scored."""

    images: int
    bytes_each: float
    core_seconds: float
    """CPU of one image in a task, all but waiting."""


@dataclass(frozen=True)
class Cluster:
    """Executors, the bucket they read from, and what goes wrong."""

    cores: int
    commit_images: int | None = None
    """As the option of the job; the program's own where None."""
    latency: float = 0.03
    """Seconds before an object's first byte."""
    reads_at_once: int = Bucket.at_once
    """Objects that a task has on their way."""
    core_bandwidth: float = 150e6
    """Bytes/s of an executor's network, a core's even share."""
    bucket_bandwidth: float = 25e9
    """Bytes/s that the bucket gives to all."""
    start: float = 30.0
    """Seconds until executors and session are up and the manifest is read."""
    prepare: float = 1.0
    """Seconds of one core before a commit's tasks: its part of the plan is read and dealt."""
    gather: float = 1.0
    """Seconds of one core after them: its rows become one file."""
    gather_image: float = 2e-5
    """Seconds of that for each image."""
    publish: float = 0.5
    """Seconds in which the driver lets a commit appear."""
    check: float = 2.0
    """Seconds at the end."""
    task: float = 0.1
    """Seconds to start a task and to end it."""
    spread: float = 0.05
    """Deviation of the logarithm of task times."""
    stragglers: float = 0.01
    """Share of tasks that take `straggler` times as long."""
    straggler: float = 3.0
    losses_an_hour: float = 0.05
    """Of an executor; what it works on is done again."""
    back: float = 120.0
    """Seconds until a lost executor is replaced."""

    def step_seconds(self, commit: "_Commit") -> float:
        """Of what one core does before and after a commit's tasks."""
        if commit.step == "prepare":
            return self.prepare
        return self.gather + self.gather_image * commit.images


@dataclass(frozen=True)
class Outcome:
    """One simulated run."""

    seconds: float
    busy: float
    """Core seconds in tasks, those of lost executors included."""
    tasks: int
    repeated: int
    """Tasks that an executor's loss made to be done again."""


def image_seconds(archive: Archive, cluster: Cluster) -> dict[str, float]:
    """Seconds of one core an image, by what could limit it; the largest does.

    Reading overlaps decoding, so that they do not add up.
    """
    return {
        "decoding": archive.core_seconds,
        "latency": cluster.latency / cluster.reads_at_once,
        "executors' network": archive.bytes_each / cluster.core_bandwidth,
        "bucket": archive.bytes_each / (cluster.bucket_bandwidth / cluster.cores),
    }


class Losses:
    """When an executor is away: lost at random, replaced after a while."""

    def __init__(self, random: np.random.Generator, cluster: Cluster):
        self._random, self._cluster = random, cluster
        self._lost, self._back = -math.inf, -math.inf

    def next(self, moment: float) -> tuple[float, float]:
        """When it is lost and when it is back, of the first outage that ends after a moment.

        Moments must not go back.
        """
        if not self._cluster.losses_an_hour:
            return math.inf, math.inf
        while self._back <= moment:
            up = self._random.exponential(3600 / self._cluster.losses_an_hour)
            self._lost = max(self._back, 0.0) + up
            self._back = self._lost + self._cluster.back
        return self._lost, self._back


@dataclass
class _Commit:
    """A commit on its way: what of it waits for a core, and how much has one."""

    number: int
    images: int
    tasks: list[float]
    """Seconds of those that wait."""
    reading: float
    """Seconds in which the bucket serves one task."""
    step: str = "prepare"
    running: int = 0


class _Run:
    """The state of a simulated run, event by event."""

    def __init__(self, archive: Archive, cluster: Cluster, random: np.random.Generator):
        self.cluster, self.commits = cluster, deque(_commits(archive, cluster, random))
        groups = range(-(-cluster.cores // EXECUTOR_CORES))
        self.executors = [Losses(random, cluster) for _ in groups]
        self.free = list(range(cluster.cores))
        self.active: list[_Commit] = []
        self.events: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = count()
        self.now = self.bucket = self.published = cluster.start
        self.busy, self.done, self.repeated = 0.0, 0, 0

    def at(self, moment: float, do: Callable[[], None]) -> None:
        heapq.heappush(self.events, (moment, next(self.numbers), do))

    def run(self) -> Outcome:
        while self.commits or self.active:
            while self.commits and len(self.active) < commits_at_once(self.cluster.cores):
                self.active.append(self.commits.popleft())
            self.hand_out()
            self.now, _, do = heapq.heappop(self.events)
            do()
        return Outcome(self.now + self.cluster.check, self.busy, self.done, self.repeated)

    def hand_out(self) -> None:
        """A free core goes to the commit with the fewest: Spark's FAIR mode, a pool a commit."""
        while self.free:
            waiting = [c for c in self.active if c.step != "publish" and (c.tasks or not c.running)]
            waiting = [c for c in waiting if c.step == "read" or not c.running]
            if not waiting:
                return
            self.begin(self.free.pop(0), min(waiting, key=lambda c: (c.running, c.number)))

    def begin(self, core: int, commit: _Commit) -> None:
        """Run a task, or what goes before and after them, on a core that may be lost."""
        begin = self.now
        lost, back = self.executors[core // EXECUTOR_CORES].next(begin)
        if begin >= lost:
            return self.at(back, lambda: self.free.append(core))
        reads = commit.step == "read"
        seconds = commit.tasks.pop() if reads else self.cluster.step_seconds(commit)
        finish = begin + seconds
        if reads:
            self.bucket = max(self.bucket, begin) + commit.reading
            finish = max(finish, self.bucket)
        commit.running += 1

        def end() -> None:
            commit.running -= 1
            self.free.append(core)
            if reads:
                self.busy, self.done = self.busy + finish - begin, self.done + 1
            self.advance(commit)

        def lose() -> None:
            commit.running -= 1
            if reads:
                commit.tasks.append(seconds)
                self.busy, self.repeated = self.busy + lost - begin, self.repeated + 1
            self.at(back, lambda: self.free.append(core))

        return self.at(finish, end) if finish <= lost else self.at(lost, lose)

    def advance(self, commit: _Commit) -> None:
        """Go on to the next step, where all of this one is done."""
        if commit.step == "prepare":
            commit.step = "read"
        elif commit.step == "read" and not commit.tasks and not commit.running:
            commit.step = "gather"
        elif commit.step == "gather":
            commit.step = "publish"  # one after the other, by the driver
            self.published = max(self.published, self.now) + self.cluster.publish
            self.at(self.published, lambda: self.active.remove(commit))


def simulate(archive: Archive, cluster: Cluster, seed: int = 0) -> Outcome:
    """Run the archive through the cluster.

    A few commits are at work at once: each is prepared on one core, read, gathered and written on
    one core, and published. The bucket serves tasks in the order in which they begin, each with all
    its bandwidth: it ends no later and no earlier than if it shared it out.
    """
    return _Run(archive, cluster, np.random.default_rng(seed)).run()


def _commits(archive: Archive, cluster: Cluster, random: np.random.Generator) -> Iterator[_Commit]:
    limits = image_seconds(archive, cluster)
    from_bucket = limits.pop("bucket") / cluster.cores
    each = max(limits.values())
    size = cluster.commit_images or commit_images(cluster.cores)
    for number, first in enumerate(range(0, archive.images, size)):
        left = archive.images - first
        images = min(size, left)
        tasks = count_tasks(images, images * archive.bytes_each, left, cluster.cores)
        factors = random.lognormal(0.0, cluster.spread, tasks)
        factors[random.random(tasks) < cluster.stragglers] *= cluster.straggler
        seconds = cluster.task + cluster.latency + each * images / tasks * factors
        yield _Commit(number, images, list(seconds), from_bucket * images / tasks)

"""A commit after a commit of tasks on executors that wait for a bucket, straggle and get lost."""

import heapq
import math
from dataclasses import dataclass, replace

import numpy as np

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
    task_images: int = 512
    commit_images_a_core: int = 4096
    latency: float = 0.03
    """Seconds before an object's first byte."""
    reads_at_once: int = 32
    """Objects that a task has on their way."""
    core_bandwidth: float = 150e6
    """Bytes/s of an executor's network, a core's even share."""
    bucket_bandwidth: float = 25e9
    """Bytes/s that the bucket gives to all."""
    start: float = 30.0
    """Seconds until executors and session are up and the manifest is read."""
    commit: float = 0.5
    """Seconds in which only the driver works, each commit."""
    commit_image: float = 2e-5
    """Seconds in which one task writes an image's row, each commit."""
    spread: float = 0.05
    """Deviation of the logarithm of task times."""
    stragglers: float = 0.01
    """Share of tasks that take `straggler` times as long."""
    straggler: float = 3.0
    losses_an_hour: float = 0.05
    """Of an executor; what it works on is done again."""
    back: float = 120.0
    """Seconds until a lost executor is replaced."""


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


def simulate(archive: Archive, cluster: Cluster, seed: int = 0) -> Outcome:
    """Run the archive through the cluster, event by event.

    As Spark does, a task goes to the core that is free first, and a commit begins when the one
    before it is written. The bucket serves tasks in the order in which they begin, each with all
    its bandwidth: it ends no later and no earlier than if it shared it out.
    """
    random = np.random.default_rng(seed)
    limits = image_seconds(archive, cluster)
    from_bucket = limits.pop("bucket") / cluster.cores
    each = max(limits.values())
    executors = [Losses(random, cluster) for _ in range(-(-cluster.cores // EXECUTOR_CORES))]
    size = max(8192, cluster.commit_images_a_core * cluster.cores)
    outcome = Outcome(cluster.start, 0.0, 0, 0)
    for first in range(0, archive.images, size):
        images = min(size, archive.images - first)
        tasks = cluster.cores * math.ceil(images / (cluster.cores * cluster.task_images))
        tasks = min(tasks, images)
        factors = random.lognormal(0.0, cluster.spread, tasks)
        factors[random.random(tasks) < cluster.stragglers] *= cluster.straggler
        waiting = list(cluster.latency + each * images / tasks * factors)
        reading = from_bucket * images / tasks
        outcome = _commit(waiting, reading, executors, cluster.cores, outcome)
        written = cluster.commit + images * cluster.commit_image
        outcome = replace(outcome, seconds=outcome.seconds + written)
    return outcome


def _commit(
    waiting: list[float], reading: float, executors: list[Losses], cores: int, before: Outcome
) -> Outcome:
    """Do tasks of so many seconds; the outcome's time is when the last one ends."""
    bucket = before.seconds
    free = [(before.seconds, core) for core in range(cores)]
    end, busy, done, repeated = before.seconds, before.busy, before.tasks, before.repeated
    while waiting:
        begin, core = heapq.heappop(free)
        lost, back = executors[core // EXECUTOR_CORES].next(begin)
        bucket = max(bucket, begin) + (reading if begin < lost else 0.0)
        finish = max(begin + waiting[-1], bucket)
        if finish <= lost:
            waiting.pop()
            end, busy, done = max(end, finish), busy + finish - begin, done + 1
            heapq.heappush(free, (finish, core))
            continue
        if begin < lost:  # the executor goes before the task ends, and another repeats it
            busy, repeated = busy + lost - begin, repeated + 1
        heapq.heappush(free, (back, core))
    return Outcome(end, busy, done, repeated)

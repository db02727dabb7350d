"""How many images the executors have done so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import Accumulator, SparkContext


@dataclass(frozen=True)
class Tally:
    """Counts that grow as tasks end: for progress only, a repeated task counts again."""

    images: Accumulator[int]
    errors: Accumulator[int]

    @classmethod
    def on(cls, context: SparkContext) -> Tally:
        """Both at zero."""
        return cls(context.accumulator(0), context.accumulator(0))

    def count(self, images: int, errors: int) -> None:
        """Add to both, on an executor."""
        self.images.add(images)
        self.errors.add(errors)

    def counts(self) -> tuple[int, int]:
        """Images and errors so far, on the driver."""
        return self.images.value, self.errors.value


@dataclass
class CommitTally:
    """The same where there are no accumulators: commits, and of one at work the tasks' share."""

    images: int = 0
    at_work: int = 0
    """Images of the commit."""
    tasks: int = 1
    share: float = 0.0
    """Of its tasks, done."""

    def heed(self, stages: Iterable[Any] | None = None, **_: object) -> None:
        """Take note, as a handler of `SparkSession.registerProgressHandler`."""
        known = list(stages or ())
        done = sum(stage.num_completed_tasks for stage in known)
        tasks = max(sum(stage.num_tasks for stage in known), self.tasks)
        self.share = max(self.share, done / tasks)  # of several operations the first is the longest

    def begin(self, images: int, tasks: int) -> None:
        """A commit begins, whose images are read in so many tasks."""
        self.at_work, self.tasks, self.share = images, tasks, 0.0

    def end(self) -> None:
        """It is in the table."""
        self.images += self.at_work
        self.at_work = 0

    def counts(self) -> tuple[int, None]:
        """Images so far, and that nobody knows how many errors."""
        return self.images + int(self.share * self.at_work), None

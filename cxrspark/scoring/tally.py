"""How many images the executors have done so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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

"""What a run came to, and its row in the runs table."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import PIL

from cxrspark import __version__
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.schemas import RUNS
from cxrspark.views import FRONTAL, LATERAL, OTHER, UNCERTAIN


@dataclass(frozen=True)
class Summary:
    """What a run did, and what the table now holds for its manifest and model."""

    run_id: str
    model_id: str
    started_at: datetime
    ended_at: datetime
    images: int
    scored: int
    views: dict[str, int]
    errors: dict[str, int]

    @property
    def seconds(self) -> float:
        """From the first look at the tables to the last check."""
        return (self.ended_at - self.started_at).total_seconds()


def run_row(summary: Summary, settings: ScoreSettings, spark_version: str) -> tuple[object, ...]:
    """The run's row, by the columns of `cxrspark.tables.schemas.RUNS`."""
    versions = {
        "cxrspark": __version__,
        "spark": spark_version,
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "numpy": np.__version__,
    }
    row = {
        "run_id": summary.run_id,
        "model_id": summary.model_id,
        "archive": settings.archive,
        "manifest": settings.manifest,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "images": summary.images,
        "scored": summary.scored,
        **{view: summary.views.get(view, 0) for view in (FRONTAL, LATERAL, UNCERTAIN, OTHER)},
        "errors": sum(summary.errors.values()),
        "images_per_second": summary.scored / summary.seconds,
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }
    return tuple(row[name] for name in RUNS.names)

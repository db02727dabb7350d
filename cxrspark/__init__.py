"""Frontal or lateral? An answer for every image of a chest X-ray archive, on Spark.

What is named here is the library's public face; each name is imported when it is first asked for,
so that a worker, or a notebook that only reads a table, loads nothing that it does not use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxrspark.archive.manifest import read_manifest as read_manifest
    from cxrspark.errors import UserError as UserError
    from cxrspark.evaluation.figures import evaluate as evaluate
    from cxrspark.evaluation.plots import write_plots as write_plots
    from cxrspark.evaluation.report import as_text as as_text
    from cxrspark.evaluation.report import show as show
    from cxrspark.evaluation.run import EvaluateSettings as EvaluateSettings
    from cxrspark.evaluation.run import labelled_scores as labelled_scores
    from cxrspark.jobs.session import session_settings as session_settings
    from cxrspark.model.bundle import load_bundle as load_bundle
    from cxrspark.phantoms.archive import write_archive as write_archive
    from cxrspark.phantoms.plan import ArchiveSettings as ArchiveSettings
    from cxrspark.pixels.shrink_to_64 import shrink as shrink
    from cxrspark.pixels.upright import upright as upright
    from cxrspark.scoring.pixels import read_pixels as read_pixels
    from cxrspark.scoring.run import score_archive as score_archive
    from cxrspark.scoring.scores import score as score
    from cxrspark.scoring.settings import ScoreSettings as ScoreSettings
    from cxrspark.training.run import train as train
    from cxrspark.training.settings import TrainSettings as TrainSettings

__version__ = "0.1.0"

_FROM = {
    "ArchiveSettings": "phantoms.plan",
    "EvaluateSettings": "evaluation.run",
    "ScoreSettings": "scoring.settings",
    "TrainSettings": "training.settings",
    "UserError": "errors",
    "as_text": "evaluation.report",
    "evaluate": "evaluation.figures",
    "labelled_scores": "evaluation.run",
    "load_bundle": "model.bundle",
    "read_manifest": "archive.manifest",
    "read_pixels": "scoring.pixels",
    "score": "scoring.scores",
    "score_archive": "scoring.run",
    "session_settings": "jobs.session",
    "show": "evaluation.report",
    "shrink": "pixels.shrink_to_64",
    "train": "training.run",
    "upright": "pixels.upright",
    "write_archive": "phantoms.archive",
    "write_plots": "evaluation.plots",
}

__all__ = [*sorted(_FROM.keys() - {"train"})]  # `import *` needs no TensorFlow


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_FROM])

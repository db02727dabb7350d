"""Score an archive of chest X-rays."""

from __future__ import annotations

import sys

from cxrspark.archive.storage import open_store
from cxrspark.jobs.session import job_session
from cxrspark.pixels.native import why_not
from cxrspark.scoring.progress import duration
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.scoring.summary import Summary
from cxrspark.tables.open import is_name, refuse_forgetful
from cxrspark.views import FRONTAL, LATERAL, OTHER, UNCERTAIN

SETTINGS = ScoreSettings


def run(settings: ScoreSettings) -> None:
    """Bring the table up to date and print what it holds."""
    if reason := why_not():
        print(
            f"images are decoded by Pillow and NumPy, up to three times slower: {reason}",
            file=sys.stderr,
        )
    open_store(settings.archive, settings.access())  # tells of a wrong one before Spark starts
    with job_session("score", settings.format, settings.remote) as spark:
        refuse_forgetful(spark, settings.scores)
        print_summary(score_archive(spark, settings), settings)


def print_summary(summary: Summary, settings: ScoreSettings) -> None:
    """A short table, then where the scores lie and how to ask them something."""
    counts = {view: summary.views.get(view, 0) for view in (FRONTAL, LATERAL, UNCERTAIN, OTHER)}
    counts |= {f"error: {kind}": images for kind, images in summary.errors.items()}
    print()
    for name, images in counts.items():
        print(f"  {name:<44} {images:>11,}  {images / summary.images:>7.2%}")
    print(f"  {'images':<44} {summary.images:>11,}")
    if summary.scored:
        rate = f"{summary.scored / summary.seconds:.1f} images/s with planning and checks"
        done = f"{summary.scored:,} scored now in {duration(summary.seconds)} ({rate})"
    else:
        done = "nothing to do: every image was scored before"
    print(f"\n{done} by model {summary.model_id}")
    print(f"scores  {settings.scores} ({settings.format}), run {summary.run_id}")
    if is_name(settings.scores):
        reader = f'spark.table("{settings.scores}")'
    else:
        reader = f'spark.read.format("{settings.format}").load("{settings.scores}")'
    of_model = f"""where("model_id = '{summary.model_id}'")"""
    print(f'query   {reader}.{of_model}.groupBy("view").count().show()')

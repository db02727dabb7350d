"""Compare a scores table with labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cxrspark.archive.labels import describe_left_out
from cxrspark.errors import UserError
from cxrspark.evaluation.figures import Evaluation, evaluate, figures_not_had
from cxrspark.evaluation.plots import write_plots
from cxrspark.evaluation.report import as_json, as_text, describe_seen
from cxrspark.evaluation.run import EvaluateSettings, LabelledScores, labelled_scores
from cxrspark.jobs.session import job_session

SETTINGS = EvaluateSettings


def run(settings: EvaluateSettings) -> None:
    """Match, evaluate, print and write."""
    if settings.out:
        make_folder(settings.out)
    with job_session("evaluate", settings.format, settings.remote) as spark:
        data = labelled_scores(spark, settings)
    evaluations = evaluate(data.rows)
    print_evaluations(evaluations, data)
    if settings.out:
        write(evaluations, data, settings.out)


def print_evaluations(evaluations: Sequence[Evaluation], data: LabelledScores) -> None:
    """What was compared, the tables, and what could not be had."""
    print(f"\nmodel {data.model_id}: {data.scores} against {data.labels.file}")
    print(
        f"{len(data.rows):,} labelled images in the table; {data.labels_without_score:,} labels "
        f"without a row there, {data.scores_without_label:,} rows without a label"
        f"{describe_left_out(data.labels)}"
    )
    print(describe_seen(data) + "\n")
    print(as_text(evaluations))
    for line in figures_not_had(evaluations):
        print(line)


def write(evaluations: Sequence[Evaluation], data: LabelledScores, folder: Path) -> None:
    """JSON always, plots where matplotlib is installed."""
    (folder / "evaluation.json").write_text(as_json(evaluations, data), encoding="utf-8")
    try:
        plots = write_plots(evaluations, data.model_id, folder)
    except ImportError:
        print("no plots: pip install matplotlib to have them")
        plots = []
    names = ", ".join(["evaluation.json", *(plot.name for plot in plots)])
    print(f"\nwritten to {folder}: {names}")


def make_folder(folder: Path) -> None:
    """Make the folder before any work, so that a run does not end in a refusal to write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {folder}: {error.strerror}; name another folder") from error

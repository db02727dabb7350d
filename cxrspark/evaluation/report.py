"""Evaluations as text for a terminal and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from textwrap import fill

from cxrspark.evaluation.figures import (
    NOT_PER_CENT,
    NOT_SEEN,
    OUTCOMES,
    PER_CENT,
    Evaluation,
)
from cxrspark.evaluation.intervals import REPLICATES, Figure
from cxrspark.evaluation.run import LabelledScores
from cxrspark.model.seen import SEEN as SEEN_FILE
from cxrspark.views import VIEWS

WIDTH = 100
RULE = (
    "95 % intervals: for shares Wilson's on n²/Σm² images, where patients have m images each; for "
    f"AUC and Brier score a bootstrap of {REPLICATES} draws of patients (AUC 0 or 1: Wilson's)."
)
MEANING = (
    "Accuracy and sensitivity call every scored image, frontal from p_frontal 0.5 up; images with "
    "an error are in the counts only."
)

DECISIONS = {
    "accuracy": "accuracy %",
    "sensitivity_frontal": "sensitivity frontal %",
    "sensitivity_lateral": "sensitivity lateral %",
}
CERTAINTY = {
    "accuracy_called": "accuracy where called %",
    "uncertain": "uncertain %",
    "auc": "AUC",
    "brier": "Brier score",
}


def as_text(evaluations: Sequence[Evaluation]) -> str:
    """Three tables with a line per source: counts, decisions and certainty.

    Args:
        evaluations: From :func:`cxrspark.evaluation.figures.evaluate`.

    Returns:
        Lines of about :data:`WIDTH` characters, with the rules at the end.
    """
    tables = [_counts(evaluations)]
    for columns in (DECISIONS, CERTAINTY):
        rows = [[e.name, *(show(e, name) for name in columns)] for e in evaluations]
        tables.append(_table([["", *columns.values()], *rows]))
    return "\n\n".join([*tables, fill(MEANING, WIDTH) + "\n" + fill(RULE, WIDTH)])


def as_json(evaluations: Iterable[Evaluation], data: LabelledScores) -> str:
    """Everything that was counted and computed, with what was left out.

    Args:
        evaluations: From :func:`cxrspark.evaluation.figures.evaluate`.
        data: What they were computed from.

    Returns:
        A JSON object: ``model_id``, ``scores``, ``labels``, ``left_out`` (labels of neither view
        by what they say), ``labels_without_score``, ``scores_without_label``, ``seen`` (null
        where unknown), ``intervals`` (the rule in words) and ``evaluations``, a list with the
        fields of :class:`cxrspark.evaluation.figures.Evaluation`; shares are 0 to 1.
    """
    whole = {**data.about(), "intervals": RULE, "evaluations": [e.as_dict() for e in evaluations]}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def describe_seen(data: LabelledScores) -> str:
    """One line on how many of the labelled images the model knows from its training."""
    if data.seen is None:
        return (
            f"images that model {data.model_id} was trained on: unknown; --model BUNDLE tells, "
            f"where {SEEN_FILE} lies in it"
        )
    images, of_patients = data.seen["images"], data.seen["of_their_patients"]
    if not images + of_patients:
        return "none of these images, nor of their patients, was trained or calibrated on"
    return (
        f"warning: the model was trained or calibrated on {images:,} of these images and on "
        f"others of the patients of {of_patients:,}; judge it by '{NOT_SEEN}'"
    )


def show(evaluation: Evaluation, name: str) -> str:
    """One figure of an evaluation with its interval, as ``value (low–high)``."""
    figure: Figure | None = getattr(evaluation, name)
    if figure is None:
        return "-"
    scale, digits = NOT_PER_CENT.get(name, PER_CENT)
    value = f"{figure.value * scale:.{digits}f}"
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({figure.low * scale:.{digits}f}–{figure.high * scale:.{digits}f})"


def _counts(evaluations: Sequence[Evaluation]) -> str:
    head = ["", "images", "patients", *(f"{view[:3]}→{o[:3]}" for view in VIEWS for o in OUTCOMES)]
    rows = [
        [
            e.name,
            f"{e.images:,}",
            f"{e.patients:,}",
            *(f"{e.confusion[view][outcome]:,}" for view in VIEWS for outcome in OUTCOMES),
        ]
        for e in evaluations
    ]
    return _table([head, *rows])


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        right = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([f"{name:<{widths[0]}}", *right]).rstrip())
    return "\n".join(lines)

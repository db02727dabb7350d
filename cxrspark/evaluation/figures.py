"""How good scores are, where the truth is known: figures for each source and for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxrspark.archive.patients import number_patients
from cxrspark.evaluation.intervals import Bools, Figure, Floats, Ints, auc, brier, proportion
from cxrspark.views import OTHER, UNCERTAIN, VIEWS

OVERALL = "overall"
NOT_SEEN, SEEN = "never seen", "seen in training"
NO_SOURCE = "(no source)"
SCORED = (*VIEWS, UNCERTAIN, OTHER)
OUTCOMES = (*SCORED, "error")
FORCED_AT = 0.5
BINS = 10
# Factor and decimals to show a figure with; all others are shown in per cent with two.
PER_CENT = (100, 2)
NOT_PER_CENT = {"auc": (1, 5), "brier": (1, 4)}

COLUMNS = ("image_id", "label", "view", "p_frontal", "error", "patient_id", "source")


@dataclass(frozen=True)
class Bin:
    """One bar of the reliability diagram.

    Attributes:
        low: Lower edge of p_frontal, included.
        high: Upper edge, included in the last bin only.
        mean_p: Mean p_frontal of the bin's images; None where there are none.
        frontal: Share of them labelled frontal, with its interval; None where there are none.
        images: How many images of each label fell into the bin.
    """

    low: float
    high: float
    mean_p: float | None
    frontal: Figure | None
    images: dict[str, int]


@dataclass(frozen=True)
class Evaluation:
    """All figures of one source, or of all sources together.

    Attributes:
        name: The source, or :data:`OVERALL`.
        images: Labelled images in the table, those with an error included.
        errors: How many of them have an error and no score; no figure below counts them.
        patients: How many patients the images are of; one of unknown patient counts as one.
        confusion: Images by label, then by what the model called them or ``error``.
        accuracy: Share of scored images that are right when each must be called: frontal where
            p_frontal is at least 0.5, else lateral.
        sensitivity_frontal: The same among images labelled frontal.
        sensitivity_lateral: The same among images labelled lateral.
        accuracy_called: Share that is right among the images called frontal or lateral.
        uncertain: Share of scored images that the model left uncertain.
        auc: Area under the ROC curve.
        brier: Brier score.
        reliability: :data:`BINS` bins of equal width.
    """

    name: str
    images: int
    errors: int
    patients: int
    confusion: dict[str, dict[str, int]]
    accuracy: Figure | None
    sensitivity_frontal: Figure | None
    sensitivity_lateral: Figure | None
    accuracy_called: Figure | None
    uncertain: Figure | None
    auc: Figure | None
    brier: Figure | None
    reliability: tuple[Bin, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain dicts, lists and numbers, for JSON."""
        return asdict(self)


def evaluate(labelled: pd.DataFrame) -> list[Evaluation]:
    """Evaluate scores against labels.

    Args:
        labelled: One row per labelled image. ``label`` is ``frontal`` or ``lateral``;
            ``view`` (``frontal``, ``lateral``, ``uncertain``), ``p_frontal`` (0 to 1) and
            ``error`` as in the scores table; ``image_id``, and ``patient_id`` and ``source``
            string or null, which tell patients (:mod:`cxrspark.archive.patients`). Perhaps
            ``seen``, whether the model was trained or calibrated on an image of that patient.

    Returns:
        All images first; where the model has seen some, :data:`NOT_SEEN` and :data:`SEEN`; then
        each source by name, its seen images apart. All images only, where nothing divides them.

    Raises:
        ValueError: There are no rows, or a column is missing.
    """
    absent = [name for name in COLUMNS if name not in labelled.columns]
    if absent or labelled.empty:
        raise ValueError(f"nothing to evaluate: no {', '.join(absent) or 'rows'}")
    numbered = labelled.assign(patient=number_patients(labelled))
    evaluations = [_evaluate_one(OVERALL, numbered)]
    part = labelled["source"].fillna(NO_SOURCE)
    divided = part.nunique() > 1
    if "seen" in labelled and labelled["seen"].any():
        seen = labelled["seen"].map({False: NOT_SEEN, True: SEEN})
        evaluations += [_evaluate_one(str(name), rows) for name, rows in numbered.groupby(seen)]
        part = part.where(~labelled["seen"], part + ", " + SEEN)
    if divided:
        evaluations += [_evaluate_one(str(name), rows) for name, rows in numbered.groupby(part)]
    return evaluations


def figures_not_had(evaluations: Sequence[Evaluation]) -> list[str]:
    """Say which figures the labels do not allow, a line for each kind of lack; often none."""
    without: dict[tuple[str, ...], list[str]] = {}
    for evaluation in evaluations:
        absent = [view for view in VIEWS if not sum(evaluation.confusion[view][o] for o in SCORED)]
        if absent:
            without.setdefault(tuple(absent), []).append(evaluation.name)
    return [
        f"no scored {' or '.join(absent)} image in {', '.join(names)}: "
        + (
            "no figures there"
            if len(absent) == 2
            else f"no {absent[0]} sensitivity and no AUC there"
        )
        for absent, names in without.items()
    ]


def _evaluate_one(name: str, labelled: pd.DataFrame) -> Evaluation:
    failed = labelled["error"].notna() | labelled["p_frontal"].isna()
    outcome = labelled["view"].where(~failed, "error")
    patients = labelled["patient"].to_numpy(np.int64)
    scored = ~failed.to_numpy(bool)
    p = labelled.loc[scored, "p_frontal"].to_numpy(np.float64)
    view = labelled.loc[scored, "view"].to_numpy(object)
    label = labelled.loc[scored, "label"].to_numpy(object)
    # Numbered anew: a patient without any score would be drawn by the bootstrap for nothing.
    patient = np.asarray(np.unique(patients[scored], return_inverse=True)[1], np.int64)
    frontal = np.asarray(label == "frontal", bool)
    right = (p >= FORCED_AT) == frontal
    called = np.isin(view, VIEWS)
    return Evaluation(
        name=name,
        images=len(labelled),
        errors=int(failed.sum()),
        patients=int(np.unique(patients).size),
        confusion=_confusion(labelled["label"], outcome),
        accuracy=proportion(right, patient),
        sensitivity_frontal=proportion(right[frontal], patient[frontal]),
        sensitivity_lateral=proportion(right[~frontal], patient[~frontal]),
        accuracy_called=proportion((view == label)[called], patient[called]),
        uncertain=proportion(np.asarray(view == UNCERTAIN, bool), patient),
        auc=auc(p, frontal, patient),
        brier=brier(p, frontal, patient),
        reliability=_reliability(p, frontal, patient),
    )


def _confusion(label: pd.Series, outcome: pd.Series) -> dict[str, dict[str, int]]:
    counts = pd.crosstab(label, outcome).reindex(index=VIEWS, columns=OUTCOMES, fill_value=0)
    table = counts.to_numpy().tolist()
    return {
        view: dict(zip(OUTCOMES, row, strict=True)) for view, row in zip(VIEWS, table, strict=True)
    }


def _reliability(p: Floats, frontal: Bools, patient: Ints) -> tuple[Bin, ...]:
    """Bins as in A. H. Murphy and R. L. Winkler, Applied Statistics 26 (1977), 41-47."""
    number = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    bins = []
    for k in range(BINS):
        inside = number == k
        count, fronts = int(inside.sum()), int(frontal[inside].sum())
        mean = float(p[inside].mean()) if count else None
        share = proportion(frontal[inside], patient[inside])
        images = {"frontal": fronts, "lateral": count - fronts}
        bins.append(Bin(k / BINS, (k + 1) / BINS, mean, share, images))
    return tuple(bins)

"""Figures with 95 % intervals that know which images belong to one patient.

One rule for each kind of figure:

* A proportion (accuracy, sensitivity, share uncertain, a reliability bin) gets Wilson's interval,
  with as many observations as there would be if the images of one patient told nothing beyond the
  first (:func:`effective_number`). With one image a patient this is the plain Wilson interval;
  otherwise it is wider, never narrower. Unlike a bootstrap it has a width when all are right.
* AUC and Brier score get the percentile interval of a bootstrap that draws patients, not images.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Z95 = 1.959963984540054  # the standard normal's 97.5 % quantile
REPLICATES = 1000
SEED = 20201


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval.

    Attributes:
        value: The figure.
        low: Lower end of the interval; None where there are too few patients for one.
        high: Upper end, or None.
        images: How many images the figure was computed on.
    """

    value: float
    low: float | None
    high: float | None
    images: int


def wilson(proportion: float, number: float) -> tuple[float, float]:
    """Wilson's 95 % score interval.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal
    of the American Statistical Association 22 (1927), 209-212:
    (p + z²/2n ± z sqrt(p(1 - p)/n + z²/4n²)) / (1 + z²/n).

    Args:
        proportion: Observed share, 0 to 1.
        number: Observations, above 0; may be a fraction.

    Returns:
        Lower and upper end, within 0 to 1 and around ``proportion``.
    """
    spread = Z95**2 / number
    centre = proportion + spread / 2
    half = Z95 * float(np.sqrt(proportion * (1 - proportion) / number + spread / (4 * number)))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    return max(0.0, min(low, proportion)), min(1.0, max(high, proportion))


def effective_number(patients: Ints) -> float:
    """Number of independent observations that correlated images are worth at least.

    Kish's design effect for clusters of sizes m, 1 + (Σm²/Σm - 1) ρ, at its largest, ρ = 1 (L.
    Kish, Survey Sampling, Wiley 1965): n_eff = n / (Σm²/Σm) = n² / Σm². Wilson's interval on n_eff
    is what C. Franco and others recommend ("Comparative study of confidence intervals for
    proportions in complex sample surveys", Journal of Survey Statistics and Methodology 7 (2019),
    334-364); they also find that intervals are too narrow where the design effect is estimated
    from clustered data, and from a handful of errors it cannot be. So ρ is not estimated.

    Args:
        patients: Patient of each image as a number from 0, shape (n,), n above 0.

    Returns:
        Between 1 and the number of patients.
    """
    sizes = np.bincount(patients).astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def proportion(hits: Bools, patients: Ints) -> Figure | None:
    """Share of hits with Wilson's interval on the effective number of images.

    Args:
        hits: What is counted, shape (n,).
        patients: Patient of each image as a number from 0, shape (n,).

    Returns:
        The figure, or None where n is 0.
    """
    if hits.size == 0:
        return None
    share = float(hits.mean())
    low, high = wilson(share, effective_number(patients))
    return Figure(share, low, high, hits.size)


def brier(p: Floats, frontal: Bools, patients: Ints) -> Figure | None:
    """Mean squared difference of probability and outcome; 0 is perfect, 0.25 a coin's.

    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
    Review 78 (1950), 1-3, in the usual two-class form Σ(p - y)²/n.

    Args:
        p: Probability of frontal, shape (n,).
        frontal: True label, shape (n,).
        patients: Patient of each image as a number from 0, shape (n,).

    Returns:
        The figure with a bootstrap interval, or None where n is 0.
    """
    if p.size == 0:
        return None
    squares = (p - frontal) ** 2
    sums, sizes = np.bincount(patients, weights=squares), np.bincount(patients)
    draws = np.array([(w @ sums) / (w @ sizes) for w in _resampled(sizes.size)])
    return _with_percentiles(float(squares.mean()), draws, sizes.size, p.size)


def auc(p: Floats, frontal: Bools, patients: Ints) -> Figure | None:
    """Chance that a frontal image scores above a lateral one, ties counting half.

    The Mann-Whitney form of the area under the ROC curve (J. A. Hanley and B. J. McNeil, "The
    meaning and use of the area under a ROC curve", Radiology 143 (1982), 29-36).

    The interval is bootstrapped by patient. Where every pair is in order (or every one out of
    order) each replicate is too, and the bootstrap has no width. Then k pairs of images of 2k
    different patients are k independent trials with the AUC as their chance, all with one
    outcome, and Wilson's interval for them holds.

    Args:
        p: Probability of frontal, shape (n,).
        frontal: True label, shape (n,).
        patients: Patient of each image as a number from 0, shape (n,).

    Returns:
        The figure, or None where one of the two labels is absent.
    """
    if frontal.all() or not frontal.any():
        return None
    cells = _cells(p, frontal)
    count = int(patients.max()) + 1
    of_frontal = _CellCounts.of(cells[frontal], patients[frontal], int(cells.max()) + 1)
    of_lateral = _CellCounts.of(cells[~frontal], patients[~frontal], int(cells.max()) + 1)
    once = np.ones(count)
    value = _auc_of_cells(of_frontal.weighted(once), of_lateral.weighted(once))
    if value in (0.0, 1.0):
        views = [np.unique(patients[frontal]).size, np.unique(patients[~frontal]).size]
        pairs = min(*views, count // 2)
        low, high = wilson(value, pairs) if pairs else (None, None)
        return Figure(value, low, high, p.size)
    draws = [
        _auc_of_cells(of_frontal.weighted(w), of_lateral.weighted(w)) for w in _resampled(count)
    ]
    return _with_percentiles(value, np.array(draws), count, p.size)


def _cells(p: Floats, frontal: Bools) -> Ints:
    """Number the images by ascending p, as coarsely as the AUC allows.

    Images of one p share a cell, and so do neighbours in p that are all of one label: no pair of
    a frontal and a lateral image is within such a run. A good model leaves few cells.

    Returns:
        Cell of each image, from 0, shape (n,).
    """
    _, tie = np.unique(p, return_inverse=True)
    has_frontal = np.bincount(tie, weights=frontal) > 0
    has_lateral = np.bincount(tie, weights=~frontal) > 0
    mixed = has_frontal & has_lateral
    begins = (has_frontal[1:] != has_frontal[:-1]) | mixed[1:] | mixed[:-1]
    cell_of_tie = np.concatenate(([0], np.cumsum(begins)))
    return np.asarray(cell_of_tie[tie], np.int64)


@dataclass(frozen=True)
class _CellCounts:
    """How many images of one label each patient has in each cell, as a sparse matrix."""

    cell: Ints
    patient: Ints
    images: Ints
    cells: int

    @classmethod
    def of(cls, cell: Ints, patient: Ints, cells: int) -> "_CellCounts":
        both, images = np.unique(patient * cells + cell, return_counts=True)
        return cls(both % cells, both // cells, images, cells)

    def weighted(self, weights: Floats) -> Floats:
        """Images in each cell, shape (cells,), when each patient counts ``weights`` times."""
        counted = weights[self.patient] * self.images
        return np.asarray(np.bincount(self.cell, counted, self.cells), np.float64)


def _auc_of_cells(frontal: Floats, lateral: Floats) -> float:
    """AUC from the images of each label in ascending cells; NaN where one label has none."""
    pairs = frontal.sum() * lateral.sum()
    below = np.cumsum(lateral) - lateral / 2
    return float(frontal @ below / pairs) if pairs else float("nan")


def _resampled(patients: int) -> Iterator[Floats]:
    """How often each patient is drawn, REPLICATES times: the bootstrap of B. Efron (1979)."""
    random = np.random.default_rng(SEED)
    for _ in range(REPLICATES):
        drawn = random.integers(0, patients, patients)
        yield np.bincount(drawn, minlength=patients).astype(np.float64)


def _with_percentiles(value: float, draws: Floats, patients: int, images: int) -> Figure:
    usable = draws[np.isfinite(draws)]
    if patients < 2 or usable.size < REPLICATES / 2:
        return Figure(value, None, None, images)
    low, high = np.percentile(usable, [2.5, 97.5])
    return Figure(value, float(low), float(high), images)

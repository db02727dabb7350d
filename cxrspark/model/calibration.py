"""From a network's raw probabilities to ones that mean what they say, and when not to decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Platt:
    """`p = sigmoid(slope * logit + offset)`."""

    slope: float
    offset: float

    def __call__(self, probability: Floats) -> Floats:
        """Calibrate raw probabilities, shape (n,)."""
        return _sigmoid(self.slope * logit(probability) + self.offset)


@dataclass(frozen=True)
class Band:
    """Probabilities from `lateral_below` to `frontal_above` are called uncertain.

    Attributes:
        lateral_below: A `p_frontal` under it is lateral.
        frontal_above: A `p_frontal` over it is frontal.
        called: How many of the images it was chosen on lie outside.
        right: How many of those are called as they are labelled.
        images: How many images it was chosen on.
    """

    lateral_below: float
    frontal_above: float
    called: int
    right: int
    images: int


def fit_platt(probability: Floats, frontal: Truths, copies: int = 1, rounds: int = 100) -> Platt:
    """Fit Platt scaling by Newton's method on the likelihood.

    Platt (1999), with his targets `(n+1)/(n+2)` and `1/(n+2)`, as Lin, Lin and Weng (2007) solve
    it. The targets keep the slope finite where the views are separated without an error.

    Args:
        probability: Raw `p_frontal`, shape (n,), of images that were not trained on.
        frontal: Whether each is frontal.
        copies: How often each image is among them, varied; n counts it once all the same.
        rounds: Newton steps at most.
    """
    x, n = logit(probability), len(probability) / copies
    positive = frontal.sum() / copies
    target = np.where(frontal, (positive + 1) / (positive + 2), 1 / (n - positive + 2))
    design = np.stack([x, np.ones(len(x))], axis=1)
    at = np.array([1.0, 0.0])
    for _ in range(rounds):
        p = _sigmoid(design @ at)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-6 and _loss(design @ (at - size * step), target) > _loss(
            design @ at, target
        ):
            size /= 2
        at = at - size * step
        if np.abs(size * step).max() < 1e-9:
            break
    return Platt(float(at[0]), float(at[1]))


def choose_band(
    probability: Floats, frontal: Truths, called_right: float, least_confidence: float = 0.5
) -> Band:
    """Choose the narrowest band around 0.5 outside which enough is called right.

    Where none is wide enough for that, the band is from 0 to 1 and nothing is called.

    Args:
        probability: Calibrated `p_frontal`, shape (n,).
        frontal: Whether each is frontal.
        called_right: Share of the called that must be called as labelled.
        least_confidence: Nothing is called with less, however right it would be.
    """
    margin = np.abs(probability - 0.5)
    right = (probability > 0.5) == frontal
    order = np.argsort(margin, kind="stable")
    ordered = margin[order]
    floor = least_confidence - 0.5
    # After leaving out the k nearest to 0.5, this share of the others is right; images of one
    # margin are called together or not at all.
    rest = right[order][::-1].cumsum()[::-1] / np.arange(len(order), 0, -1)
    begins = np.diff(ordered, prepend=-1.0) > 0
    enough = np.flatnonzero((rest >= called_right) & begins & (ordered > floor))
    half = 0.5
    if len(enough):
        first = enough[0]
        below = ordered[first - 1] if first else 0.0
        half = floor if below <= floor else float(below + ordered[first]) / 2
    low, high = round(0.5 - half, 12), round(0.5 + half, 12)
    called = (probability < low) | (probability > high)
    return Band(low, high, int(called.sum()), int(right[called].sum()), len(order))


def logit(probability: Floats) -> Floats:
    """Log odds, with probabilities kept 1e-7 away from 0 and 1 as float32 rounds them there."""
    p = np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7)
    odds: Floats = np.log(p) - np.log1p(-p)
    return odds


def _sigmoid(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -50, 50)))


def _loss(x: Floats, target: Floats) -> float:
    return float(np.sum(np.logaddexp(0.0, x) - target * x))

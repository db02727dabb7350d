"""What held-back images say of the second network: calibration, thresholds and figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np

from cxrspark.evaluation.intervals import Figure, auc, proportion
from cxrspark.model.answers import (
    OUTPUTS,
    P_AP,
    P_CHEST,
    P_INVERTED,
    P_MIRRORED,
    P_TURN,
    Thresholds,
    ask,
)
from cxrspark.model.answers_network import (
    Scaling,
    build_answers_scorer,
    prepared,
    probabilities,
)
from cxrspark.model.calibration import choose_band, fit_platt
from cxrspark.pixels.image import Grey8
from cxrspark.training.answers.examples import Bools, Examples, Floats
from cxrspark.training.answers.variation import vary_upright

CHESTS_LOST = 0.002
"""Share of held-back chest images, however laid, that may be called other."""

LEAST_CHEST = 0.7
"""An image with a larger `p_chest` is never called other: set by the table "other below" of
docs/answers.md, of sources and kinds left out of training."""

RIGHT = {"turn": 0.995, "inverted": 0.999, "mirrored": 0.985}
"""Share of the given answers that must be right on held-back images."""

LEAST = {"turn": 0.6, "inverted": 0.7, "mirrored": 0.9}
"""No answer is given with a smaller probability, however right it would be."""

COPIES = 4
"""Varied copies of each held-back image."""

LAYINGS = 4
"""Times that each is laid at random, unvaried, to choose thresholds by."""

NEVER = (0.0, 1.0)


@dataclass(frozen=True)
class Laid:
    """Held-back images as they may lie in an archive, with the truth; shapes (n, …)."""

    pixels: Grey8
    row: Any
    """Which image each is made of."""
    quarter: Any
    inverted: Bools
    mirrored: Bools


@dataclass(frozen=True)
class Judged:
    """What the held-back images say."""

    scaling: Scaling
    thresholds: Thresholds
    figures: dict[str, Figure | None]

    def as_card(self) -> dict[str, Any]:
        """As JSON keeps it."""
        figures = {
            name: asdict(figure) if figure else None for name, figure in self.figures.items()
        }
        return {
            "thresholds": self.thresholds.as_card(),
            "calibration": asdict(self.scaling),
            "figures": figures,
        }


def lay_at_random(pixels: Grey8, rng: np.random.Generator) -> Laid:
    """Turn, mirror and invert images at random: five eighths lie upright, a third is inverted."""
    number = len(pixels)
    quarter = np.where(rng.random(number) < 0.5, rng.integers(0, 4, number), 0)
    mirrored, inverted = rng.random(number) < 0.5, rng.random(number) < 0.33
    laid = np.where(mirrored[:, None, None], pixels[:, :, ::-1], pixels)
    for turns in range(1, 4):
        laid[quarter == turns] = np.rot90(laid[quarter == turns], turns, axes=(1, 2))
    laid = np.where(inverted[:, None, None], 255 - laid, laid)
    return Laid(laid, np.arange(number), quarter, inverted, mirrored)


def varied_copies(pixels: Grey8, copies: int = COPIES) -> Grey8:
    """The images, and so many varied copies of them."""
    parts = np.array_split(pixels, -(-len(pixels) // 256))
    made = [
        (vary_upright(part).numpy() * 255).round().astype(np.uint8)
        for _ in range(copies)
        for part in parts
    ]
    return np.concatenate([pixels, *made])


def judge(
    network: keras.Model, held_back: Examples, projection_sure: float | None, seed: int
) -> Judged:
    """Calibrate every head and choose when it answers.

    Args:
        network: Trained.
        held_back: Images of patients that were not trained on.
        projection_sure: Probability from which AP or PA is answered; None: never.
        seed: Of how the images are laid.
    """
    rng = np.random.default_rng(seed)
    copied = _repeated(held_back, 1 + COPIES)
    laid = lay_at_random(varied_copies(held_back.pixels), rng)
    scaling = _scaling(_logits(network, laid.pixels), copied, laid)
    scorer = build_answers_scorer(network, scaling)
    again = _repeated(held_back, LAYINGS)
    plain = lay_at_random(again.pixels, rng)
    said = probabilities(scorer, plain.pixels)
    chest, frontal = again.chest, again.frontal
    thresholds = Thresholds(
        chest_below=LEAST_CHEST,
        turn_sure=_sure_above(said[chest], plain.quarter[chest]),
        inverted=_sides("inverted", said[chest, P_INVERTED], plain.inverted[chest]),
        mirrored=NEVER,
        ap=NEVER if projection_sure is None else (1 - projection_sure, projection_sure),
    )
    said, as_they_are = (_asked(scorer, of.pixels, thresholds) for of in (plain, held_back))
    p_chest = np.concatenate([said[chest, P_CHEST], as_they_are[held_back.chest, P_CHEST]])
    thresholds = replace(
        thresholds,
        chest_below=round(min(LEAST_CHEST, float(np.quantile(p_chest, CHESTS_LOST))), 4),
        mirrored=_sides("mirrored", said[frontal, P_MIRRORED], plain.mirrored[frontal]),
    )
    return Judged(scaling, thresholds, figures(scorer, again, plain, thresholds))


def figures(
    scorer: keras.Model, examples: Examples, laid: Laid, thresholds: Thresholds
) -> dict[str, Figure | None]:
    """Shares of images, with intervals by patient; None where a share would be of none.

    Args:
        scorer: From `build_answers_scorer`.
        examples: What the laid images are made of, row for row.
        laid: From `lay_at_random`.
        thresholds: When answers are given.
    """
    said, upright = (_asked(scorer, of.pixels, thresholds) for of in (laid, examples))
    patient = np.unique(examples.rows["patient"], return_inverse=True)[1].astype(np.int64)
    chest, frontal = examples.chest, examples.frontal

    def share(right: Bools, rows: Bools) -> Figure | None:
        return proportion(right[rows], patient[rows])

    best, sure = said[:, P_TURN].argmax(1), said[:, P_TURN].max(1) >= thresholds.turn_sure
    found = {"turn": (best == laid.quarter, sure, chest)}
    for name, column, truth, rows, ends in (
        ("inverted", P_INVERTED, laid.inverted, chest, thresholds.inverted),
        ("mirrored", P_MIRRORED, laid.mirrored, frontal, thresholds.mirrored),
    ):
        p = said[:, column]
        found[name] = ((p > 0.5) == truth, (p < ends[0]) | (p > ends[1]), rows)
    result: dict[str, Figure | None] = {
        "chests_called_other": share(said[:, P_CHEST] < thresholds.chest_below, chest),
        "others_found": share(said[:, P_CHEST] < thresholds.chest_below, ~chest),
        "false_turns": share(
            (upright[:, P_TURN].argmax(1) > 0)
            & (upright[:, P_TURN].max(1) >= thresholds.turn_sure), chest,
        ),
        "false_inversions": share(upright[:, P_INVERTED] > thresholds.inverted[1], chest),
    }  # fmt: skip
    for name, (right, answered, rows) in found.items():
        result[f"{name}_answered"] = share(answered, rows)
        result[f"{name}_right_of_answered"] = share(right, rows & answered)
    ap = examples.ap
    known = ~np.isnan(ap)
    if len(np.unique(ap[known])) == 2:
        result["projection_auc"] = auc(upright[known, P_AP], ap[known] == 1, patient[known])
    low, high = thresholds.ap
    answered = (upright[:, P_AP] < low) | (upright[:, P_AP] > high)
    result["projection_answered"] = share(answered, known)
    right = (upright[:, P_AP] > 0.5) == (ap == 1)
    result["projection_right_of_answered"] = share(right, known & answered)
    return result


def _asked(scorer: keras.Model, pixels: Grey8, thresholds: Thresholds) -> Floats:
    """As a scoring run asks."""
    return ask(lambda images: probabilities(scorer, images), pixels, thresholds)[0]


def _sides(name: str, p: Floats, truth: Bools) -> tuple[float, float]:
    """Below and above which an answer of two sides is right often enough."""
    band = choose_band(p, truth, RIGHT[name], LEAST[name])
    return band.lateral_below, band.frontal_above


def _scaling(logits: Floats, copied: Examples, laid: Laid) -> Scaling:
    """Platt scaling of each head, and one slope for the turns."""
    slope, offset = np.ones(len(OUTPUTS)), np.zeros(len(OUTPUTS))
    ap, upright = copied.ap, (laid.quarter == 0) & ~laid.inverted
    for column, truth, rows in (
        (P_CHEST, copied.chest, np.ones(len(ap), bool)),
        (P_INVERTED, laid.inverted, copied.chest),
        (P_MIRRORED, laid.mirrored, copied.frontal & upright),
        (P_AP, ap == 1, ~np.isnan(ap) & upright),
    ):
        if len(np.unique(truth[rows])) == 2:
            p = 1 / (1 + np.exp(-logits[rows, column].clip(-15, 15)))
            platt = fit_platt(p, truth[rows])
            slope[column], offset[column] = platt.slope, platt.offset
    turns, truth = logits[copied.chest][:, P_TURN], laid.quarter[copied.chest]
    tried = np.geomspace(0.25, 4, 41)
    slope[P_TURN] = tried[np.argmin([_log_loss(turns * one, truth) for one in tried])]
    return Scaling(tuple(slope.round(6).tolist()), tuple(offset.round(6).tolist()))


def _log_loss(logits: Floats, truth: Any) -> float:
    most = logits.max(1, keepdims=True)
    logs = logits - most - np.log(np.exp(logits - most).sum(1, keepdims=True))
    return -float(logs[np.arange(len(truth)), truth].mean())


def _sure_above(said: Floats, quarter: Any) -> float:
    """The least probability from which enough turns are right."""
    confidence, right = said[:, P_TURN].max(1), said[:, P_TURN].argmax(1) == quarter
    for least in np.arange(LEAST["turn"], 0.996, 0.005):
        called = right[confidence >= least]
        if called.size and called.mean() >= RIGHT["turn"]:
            return round(float(least), 4)
    return 1.0


def _logits(network: keras.Model, pixels: Grey8) -> Floats:
    parts = np.array_split(pixels, -(-len(pixels) // 256))
    return np.concatenate([np.asarray(network(prepared(part), training=False)) for part in parts])


def _repeated(examples: Examples, times: int) -> Examples:
    rows = examples.rows.iloc[np.tile(np.arange(len(examples.rows)), times)]
    return Examples(rows.reset_index(drop=True), np.tile(examples.pixels, (times, 1, 1)))

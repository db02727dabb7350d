"""The table of what was left out of training in turn, from the files that each training wrote.

Called by `benchmarks.accuracy.answers_left_out`, which trains.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Scores = dict[str, Floats]

EPOCHS = 12
"""Of each training; the shipped network has more."""

LOST = 0.005
"""Share of the chests that a limit is chosen on that may be called other, by every method."""

SURE = (0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)
"""Probabilities from which AP and PA could be answered."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of `p_chest`, below which an image would be called other."""

PHANTOMS_STAY = "5"
"""The fold that leaves out real others alone: what the synthetic ones teach of them."""

STAY = ", its phantoms known"
"""Said of a kind whose real images alone were left out of training."""

FOLDS: dict[str, tuple[list[str], list[str], list[str]]] = {
    "1": (["hannover"], ["ct", "ct or mr"], ["pelvis", "teeth", "noise"]),
    "2": (["kermany_paed"], ["mr", "ct or mr", "document"], ["skull", "limb", "document"]),
    "3": (["vqa_rad"], ["mammogram", "hand", "tibia"], ["hand", "joint", "mammogram"]),
    "4": (
        ["nih14", "nih14_64px"],
        ["ultrasound", "photo", "blank"],
        ["abdomen", "spine", "shoulder", "pattern", "blank", "photo"],
    ),
    PHANTOMS_STAY: (
        [],
        ["hand", "tibia", "mammogram", "ultrasound", "document", "photo", "blank"],
        [],
    ),
}
"""Sources of chests, kinds of real others and of synthetic ones."""


def combined(scores: Scores, chest: Any) -> Scores:
    """Every method, and the head with each other one, in deviations of the unseen chests."""

    def deviations(values: Floats) -> Floats:
        low, middle, high = np.quantile(values[chest], (0.16, 0.5, 0.84))
        return np.asarray((values - middle) / ((high - low) / 2 + 1e-9))

    head = deviations(scores["trained head"])
    others = {name: deviations(of) for name, of in scores.items() if name != "trained head"}
    sums = {f"trained head + {name}": head + 0.5 * of for name, of in others.items()}
    return {**scores, **sums}


def projections(one: dict[str, Any], source: str) -> dict[str, list[float]]:
    """Of a source that was left out: share answered and share right of it, by `SURE`."""
    p, ap = np.array(one["p_ap"]), np.array(one["ap"])
    known = (ap >= 0) & np.array(one["chest"]) & (np.array(one["groups"]) == source)
    p, ap = p[known], ap[known]
    found = {}
    for sure in SURE if len(ap) else ():
        called = np.maximum(p, 1 - p) > sure
        right = (p > 0.5)[called] == (ap[called] == 1)
        found[str(sure)] = [float(called.mean()), float(right.mean()) if len(right) else 0.0]
    return found


def by_threshold(head: Floats, chest: Any) -> dict[str, list[float]]:
    """Shares of others found and of chests lost, by the trained head and `THRESHOLDS`."""
    p_chest = 1 / (1 + np.exp(head))
    return {
        str(least): [float((p_chest[of] < least).mean()) for of in (~chest, chest)]
        for least in THRESHOLDS
    }


def table(work: Path) -> dict[str, Any]:
    """Share of others found by each method, by kind, with `LOST` of the unseen chests lost."""
    found: dict[str, dict[str, float]] = {}
    images: dict[str, int] = {}
    heads: list[tuple[Floats, Any]] = []
    lost: dict[str, dict[str, float]] = {}
    laid: dict[str, Any] = {}
    projection: dict[str, Any] = {}
    more: dict[str, Any] = {"folds": []}
    for file in sorted(work.glob("?.json")):
        more["folds"].append(file.stem)
        one = json.loads(file.read_text())
        chest, group = np.array(one["chest"]), np.array(one["groups"])
        scores = {name: np.array(values) for name, values in one["scores"].items()}
        for name, values in combined(scores, chest).items():
            limit = np.quantile(values[chest], 1 - LOST)
            for kind in sorted(set(group[~chest])):
                of_kind = values[~chest & (group == kind)] > limit
                shown = f"{kind}{STAY}" if file.stem == PHANTOMS_STAY else kind
                found.setdefault(name, {})[shown] = float(of_kind.mean())
                images[shown] = len(of_kind)
        sources = FOLDS[file.stem][0]
        if sources:
            left = ~chest | np.isin(group, sources)
            heads.append((scores["trained head"][left], chest[left]))
        for name, values in scores.items():
            limit = np.quantile(one["known"][name], 1 - LOST)
            for source in sources:
                beyond = values[chest & (group == source)] > limit
                lost.setdefault(name, {})[source] = float(beyond.mean())
        laid |= {source: one["laid"][source] for source in sources}
        projection |= {source: projections(one, source) for source in sources}
        more |= {"own_headers": one["own_headers"]} if "own_headers" in one else {}
    return {
        "epochs": EPOCHS,
        "lost": LOST,
        "found": found,
        "images": images,
        "by_threshold": by_threshold(*map(np.concatenate, zip(*heads, strict=True))),
        "lost_by_known": lost,
        "laid": laid,
        "projection": projection,
        **more,
    }

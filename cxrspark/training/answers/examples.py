"""Labelled images as arrays: which question each can be asked, and how often it is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxrspark.archive.patients import patients
from cxrspark.errors import UserError
from cxrspark.phantoms import other_parts, other_pictures
from cxrspark.pixels.image import SIDE, Grey8
from cxrspark.views import AP, FRONTAL, LATERAL, OTHER, PA

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAST = 20
"""Images of a class that a head is trained on at least."""

SYNTHETIC = 500, 400
"""Synthetic others of each part of a body, and of each kind of picture."""

TRACED = 192
"""Rows at which they are drawn before they are shrunk, so that letters are as small as usual."""


@dataclass(frozen=True)
class Examples:
    """Labelled images.

    Attributes:
        rows: Columns label (`frontal`, `lateral`, `other`), projection, kind, source, patient.
        pixels: uint8 (n, 64, 64).
    """

    rows: pd.DataFrame
    pixels: Grey8

    def only(self, chosen: Bools) -> Examples:
        """Some of them."""
        return Examples(self.rows[chosen].reset_index(drop=True), self.pixels[chosen])

    @property
    def chest(self) -> Bools:
        """Which are frontal or lateral."""
        return np.asarray(self.rows["label"] != OTHER)

    @property
    def frontal(self) -> Bools:
        """Which are frontal."""
        return np.asarray(self.rows["label"] == FRONTAL)

    @property
    def ap(self) -> Floats:
        """1 for AP, 0 for PA, NaN where the label does not say."""
        said = self.rows["projection"].map({AP: 1.0, PA: 0.0})
        return np.asarray(said.where(self.frontal), float)

    def counts(self) -> dict[str, int]:
        """Images of each class of each head."""
        ap = self.ap
        return {
            **{view: int((self.rows["label"] == view).sum()) for view in (FRONTAL, LATERAL, OTHER)},
            AP: int((ap == 1).sum()),
            PA: int((ap == 0).sum()),
        }


def check(counts: dict[str, int], classes: tuple[str, ...], part: str, least: int = LEAST) -> None:
    """Refuse to train a head on one class, or on too few images of one.

    Raises:
        UserError: With all counts.
    """
    few = [name for name in classes if counts[name] < least]
    if few:
        have = ", ".join(f"{counts[name]:,} {name}" for name in classes)
        raise UserError(
            f"labels: {part} needs {least} images each of {', '.join(classes)}; there are {have}"
        )


def hold_back(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Split by patient, so that about a share of every source and kind is held back."""
    names = pd.Series(pd.unique(examples.rows["patient"]))
    kept = names.sample(frac=1 - share, random_state=seed)
    training = np.asarray(examples.rows["patient"].isin(kept))
    return examples.only(training), examples.only(~training)


def with_patients(rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of `Examples`, of labelled images as `match_labels` gives them."""
    renamed = rows.rename(columns={"label_projection": "projection", "label_kind": "kind"})
    return renamed.assign(patient=patients(rows))


def synthetic_others(seed: int, counts: tuple[int, int] | None = None) -> Examples:
    """Draw images of other parts of a body and of other kinds; `kind` names each.

    Args:
        seed: Of all of them.
        counts: Images of each part, and of each kind of picture; `SYNTHETIC` where not given.
    """
    counts = counts or SYNTHETIC
    rng = np.random.default_rng(seed)
    kinds, pixels = [], []
    for part in other_parts.PARTS:
        for _ in range(counts[0]):
            kinds.append(f"synthetic {part}")
            pixels.append(shrunk(other_parts.picture(rng, part, TRACED)))
    for kind in other_pictures.KINDS:
        for _ in range(counts[1]):
            kinds.append(f"synthetic {kind}")
            pixels.append(other_pictures.picture(rng, kind, SIDE))
    rows = pd.DataFrame({"label": OTHER, "kind": kinds, "source": "synthetic"})
    missing = pd.Series([None] * len(rows), dtype=object)
    return Examples(rows.assign(projection=missing, patient=rows.index.map(str)), np.stack(pixels))


def joined(one: Examples, other: Examples) -> Examples:
    """Both together."""
    rows = pd.concat([one.rows, other.rows], ignore_index=True)
    return Examples(rows, np.concatenate([one.pixels, other.pixels]))


def shrunk(grey: Grey8) -> Grey8:
    """Average a picture down to 64×64, as `cxrspark.pixels.shrink_to_64` does."""
    from PIL import Image

    return np.asarray(Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BOX))


def chest_draws(examples: Examples) -> tuple[npt.NDArray[np.int64], Floats]:
    """Which images to draw chests from, and the probability of each.

    An image of a source of n is drawn by n to the power -1/4: small sources count for more than
    their number, and large ones still for most.
    """
    chosen = np.flatnonzero(examples.chest)
    source = examples.rows["source"].fillna("").iloc[chosen]
    weight = np.asarray(source.map(source.value_counts()), float) ** -0.25
    return chosen, weight / weight.sum()


def other_draws(examples: Examples) -> tuple[npt.NDArray[np.int64], Floats]:
    """Likewise of others, by kind and to the power -1/2."""
    chosen = np.flatnonzero(~examples.chest)
    kind = examples.rows["kind"].fillna("").iloc[chosen]
    weight = np.asarray(kind.map(kind.value_counts()), float) ** -0.5
    return chosen, weight / weight.sum()


def drawn(
    draws: tuple[npt.NDArray[np.int64], Floats], number: int, rng: np.random.Generator
) -> Iterator[npt.NDArray[np.int64]]:
    """Draws of so many images without end."""
    chosen, weight = draws
    while True:
        yield rng.choice(chosen, number, p=weight)

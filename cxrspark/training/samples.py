"""Which labelled images are trained on, and which are held back to validate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd

from cxrspark.archive.patients import of_known_patients, patients
from cxrspark.errors import UserError
from cxrspark.views import VIEWS

EXAMPLES = 3


@dataclass(frozen=True)
class Split:
    """Labelled images in two parts that share no patient.

    Attributes:
        training: Columns image_id, path, label, patient_id, source.
        validation: The same.
    """

    training: pd.DataFrame
    validation: pd.DataFrame


def draw(images: pd.DataFrame, frontal: int, lateral: int, seed: int) -> pd.DataFrame:
    """Draw images at random, so many of each view.

    Args:
        images: Columns image_id and label at least.
        frontal: Frontal images to draw.
        lateral: Lateral images to draw.
        seed: The same images come with the same seed, in whatever order they are given.

    Raises:
        UserError: There are fewer.
    """
    parts = []
    for view, wanted in zip(VIEWS, (frontal, lateral), strict=True):
        of_view = images[images["label"] == view].sort_values("image_id")
        if len(of_view) < wanted:
            raise UserError(f"--{view} {wanted}: there are only {len(of_view)}; ask for fewer")
        parts.append(of_view.sample(wanted, random_state=seed))
    return pd.concat(parts, ignore_index=True)


def split(images: pd.DataFrame, share: float, seed: int) -> Split:
    """Hold back a share of each view, patient by patient.

    Patients are taken in random order as long as neither view gets more than its share, rounded
    up; an image without a patient is a patient of its own. With the paper's 564 + 512 images
    and a share of 0.2 this gives 451 + 409 and 113 + 103.

    Args:
        images: Columns image_id, label, patient_id and source (strings, the last two perhaps
            null) at least.
        share: 0 … 1.
        seed: Of the order.
    """
    images = images.sort_values("image_id", ignore_index=True)
    patient = patients(images)
    counts = pd.crosstab(patient, images["label"]).reindex(columns=list(VIEWS), fill_value=0)
    counts = counts.sample(frac=1.0, random_state=seed)
    wanted = np.array([ceil(share * total) for total in counts.sum()])
    held, taken = [], np.zeros(2, int)
    for name, count in zip(counts.index, counts.to_numpy(), strict=True):
        if (taken + count <= wanted).all():
            held.append(name)
            taken += count
    back = patient.isin(held)
    return Split(images[~back].reset_index(drop=True), images[back].reset_index(drop=True))


def check_views(part: str, images: Mapping[str, int]) -> None:
    """Refuse to train or validate on one view alone.

    Args:
        part: `training` or `validation`.
        images: How many images there are of each view.

    Raises:
        UserError: A view is missing.
    """
    missing = [view for view in VIEWS if not images.get(view)]
    if missing:
        have = ", ".join(f"{n} {view}" for view, n in images.items() if n) or "none"
        raise UserError(f"no {missing[0]} image to use for {part} ({have}); label some")


def check_split(parts: Split) -> None:
    """Refuse a split that would train or validate on nothing, or on known patients.

    Raises:
        UserError: A view is missing from a part, or an image or a patient is in both.
    """
    for name, part in (("training", parts.training), ("validation", parts.validation)):
        check_views(name, {view: int((part["label"] == view).sum()) for view in VIEWS})
    shared = parts.validation[of_known_patients(parts.validation, parts.training)]
    if len(shared):
        number = patients(shared).nunique()
        named = ", ".join(shared["path"].sort_values()[:EXAMPLES])
        raise UserError(
            f"{number} patients are in both training and validation labels ({len(shared)} "
            f"validation images, e.g. {named}); keep each patient on one side"
        )

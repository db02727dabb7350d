"""Whose image it is: the one rule by which training, evaluation and intervals know a patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


def patients(images: pd.DataFrame) -> pd.Series:
    """The patient of each image, by id and source, as ids of two sources may be the same.

    An id that occurs without a source may be of any of them, so the source of such an id does
    not count. An image without an id is a patient of its own.

    Args:
        images: Columns image_id, patient_id and source (strings, the last two perhaps null).
    """
    images = images[["image_id", "patient_id", "source"]].astype(object)
    unknown = images["source"].isna()
    anywhere = images["patient_id"].isin(images.loc[unknown, "patient_id"].dropna())
    source = images["source"].mask(unknown | anywhere, "")
    known = source + "/" + images["patient_id"]
    return known.fillna("image " + images["image_id"])


def number_patients(images: pd.DataFrame) -> Ints:
    """The patient of each image as a number from 0, shape (n,)."""
    return np.asarray(pd.factorize(patients(images))[0], np.int64)


def of_known_patients(images: pd.DataFrame, others: pd.DataFrame) -> Bools:
    """Which images are of a patient of the others, or are among them, shape (n,).

    Args:
        images: Columns image_id, patient_id, source and perhaps subject_id, the archive's own
            name of the patient.
        others: The same.
    """
    known = names(others)
    found = [asked.isin(known).to_numpy() for asked in asked_names(images)]
    return np.asarray(np.any(found, axis=0), np.bool_)


def names(images: pd.DataFrame) -> list[str]:
    """All that these images can be recognised by: by id, patient and the archive's own subject.

    Args:
        images: As for `of_known_patients`.

    Returns:
        Strings, of which one of an image's `asked_names` is one where it is one of these images
        or of a patient of theirs.
    """
    found = pd.concat([*_own(images), "anywhere/" + _text(images, "patient_id")])
    return [str(name) for name in found.dropna().unique()]


def asked_names(images: pd.DataFrame) -> list[pd.Series]:
    """What to look for among `names`, the images' own first; null where there is no such name."""
    patient = _text(images, "patient_id")
    has_source = images["source"].notna()
    return [*_own(images), ("patient//" + patient).where(has_source, "anywhere/" + patient)]


def _own(images: pd.DataFrame) -> list[pd.Series]:
    source = _text(images, "source").fillna("")
    own = [
        "image/" + _text(images, "image_id"),
        "patient/" + source + "/" + _text(images, "patient_id"),
    ]
    if "subject_id" in images:
        own.append("subject/" + _text(images, "subject_id"))
    return own


def _text(images: pd.DataFrame, column: str) -> Any:
    return images[column].astype("string")

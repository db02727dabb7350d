"""What views are called: by this project, by MIMIC-CXR, by DICOM. The one place for the words."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

FRONTAL, LATERAL, UNCERTAIN = "frontal", "lateral", "uncertain"
"""What the model calls an image."""

VIEWS = (FRONTAL, LATERAL)
"""What a label, or a header that means one of them, says."""

OTHER = "other"
"""What a label, a header or the model says of an image that is neither."""

AP, PA = "AP", "PA"
"""Projections of a frontal image: the rays come from the front, or from the back."""

NO_VIEW = "no view"
"""A label or a header that says nothing."""

SAYS_NOTHING = ("UNKNOWN", "UNK", "NONE", "NAN", "NULL", "N/A")
"""What stands for a missing word, in capitals: the next place is asked."""

# AP, PA, LATERAL and LL are the rule of MIMIC-CXR's own authors, XTABLE LATERAL (through a lying
# patient) is theirs too, RL a defined term of DICOM PS3.3, C.8.1.1. The others are PadChest's
# (Projection, ViewPosition_DICOM), BRAX's (L), MIMIC-CXR's ViewCodeSequence and devices' own.
_PROJECTIONS = {
    **dict.fromkeys(
        ("AP", "AP HORIZONTAL", "AP ERECT", "AP SUPINE", "ANTEROPOSTERIOR", "ANTERO POSTERIOR",
         "ANTERIOR POSTERIOR"),
        AP,
    ),
    **dict.fromkeys(
        ("PA", "POSTEROANTERIOR", "POSTERO ANTERIOR", "POSTERIOR ANTERIOR"),
        PA,
    ),
}  # fmt: skip
_WORDS = {
    "FRONTAL": FRONTAL,
    **dict.fromkeys(_PROJECTIONS, FRONTAL),
    **dict.fromkeys(
        ("LATERAL", "LL", "RL", "XTABLE LATERAL", "L", "LA", "LAT", "LLAT", "RLAT", "LEFT LATERAL",
         "RIGHT LATERAL"),
        LATERAL,
    ),
}  # fmt: skip

# DICOM's PatientOrientation, where rows and columns run to: PS3.3, C.7.6.1.1.1. In a frontal image
# one of them runs to the left or right, in a lateral one to front or back.
_ORIENTATIONS = {
    "\\".join(pair): view
    for sides, view in (("LR", FRONTAL), ("AP", LATERAL))
    for side in sides
    for end in "HF"
    for pair in ((side, end), (end, side))
}

SNOMED = {
    "AP": "399348003",
    "PA": "272479007",
    FRONTAL: "399033003",
    "LL": "399173006",
    "RL": "399198007",
    LATERAL: "399067008",
}
"""SNOMED CT codes of views: DICOM PS3.16, CID 4010."""

LOINC = {"AP": "36572-6", FRONTAL: "36554-4", LATERAL: "39051-8"}
"""Codes of one chest radiograph: XR Chest AP, XR Chest Single view, XR Chest Lateral."""

# SNOMED's codes and those that DICOM used before (PS3.16, annex J).
_CODES = {
    **dict.fromkeys((*(SNOMED[n] for n in ("AP", "PA", FRONTAL)), "R 10206", "R 40888", "R 10202"),
                    FRONTAL),
    **dict.fromkeys((*(SNOMED[n] for n in ("LL", "RL", LATERAL)), "R 10236", "R 10232", "R 102CD"),
                    LATERAL),
}  # fmt: skip

MEANING = _WORDS | _ORIENTATIONS | _CODES
"""View that a word means, in capitals: of a ViewPosition, a label or a PatientOrientation."""


def view_of(words: pd.Series[str], own: Mapping[str, str] | None = None) -> pd.Series[str]:
    """View that each word means; missing where it means neither, or is missing.

    Args:
        words: In any case; `_` and `-` are blanks.
        own: Views by words that a user adds; they win.
    """
    meaning = MEANING | {_plain(word): view for word, view in (own or {}).items()}
    return _plain_words(words).map(meaning).astype("string")


def projection_of(words: pd.Series[str]) -> pd.Series[str]:
    """`AP` or `PA` where a word means one of them, as for `view_of`; else missing."""
    return _plain_words(words).map(_PROJECTIONS).astype("string")


def _plain_words(words: pd.Series[str]) -> pd.Series[str]:
    return words.str.upper().str.replace(r"[\s_-]+", " ", regex=True)


def _plain(word: str) -> str:
    return " ".join(word.upper().replace("_", " ").replace("-", " ").split())

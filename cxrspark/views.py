"""What views are called: by this project, by MIMIC-CXR, by DICOM. The one place for the words."""

from __future__ import annotations

import pandas as pd

FRONTAL, LATERAL, UNCERTAIN = "frontal", "lateral", "uncertain"
"""What the model calls an image."""

VIEWS = (FRONTAL, LATERAL)
"""What a label, or a header that means one of them, says."""

OTHER = "other"
"""What a label or a header says of an image that is neither."""

NO_VIEW = "no view"
"""A label or a header that says nothing."""

# AP, PA, LATERAL and LL are the rule of MIMIC-CXR's own authors, XTABLE LATERAL (through a lying
# patient) is theirs too, RL a defined term of DICOM PS3.3, C.8.1.1.
_WORDS = {
    "AP": FRONTAL,
    "PA": FRONTAL,
    "LATERAL": LATERAL,
    "LL": LATERAL,
    "RL": LATERAL,
    "XTABLE LATERAL": LATERAL,
    "FRONTAL": FRONTAL,
}

# DICOM's PatientOrientation, where rows and columns run to: PS3.3, C.7.6.1.1.1. In a frontal image
# one of them runs to the left or right, in a lateral one to front or back.
_ORIENTATIONS = {
    "\\".join(pair): view
    for sides, view in (("LR", FRONTAL), ("AP", LATERAL))
    for side in sides
    for end in "HF"
    for pair in ((side, end), (end, side))
}

MEANING = _WORDS | _ORIENTATIONS
"""View that a word means, in capitals: of a ViewPosition, a label or a PatientOrientation."""


def view_of(words: pd.Series[str]) -> pd.Series[str]:
    """View that each word means, in any case; missing where it means neither, or is missing."""
    return words.str.upper().map(MEANING).astype("string")

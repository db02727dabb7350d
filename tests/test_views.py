"""One meaning for a word, whoever reads it."""

import pandas as pd
import pytest

from cxrspark.views import view_of


@pytest.mark.parametrize(
    ("word", "view"),
    [
        ("AP", "frontal"),
        ("pa", "frontal"),
        ("Frontal", "frontal"),
        ("LL", "lateral"),
        ("RL", "lateral"),
        ("XTABLE LATERAL", "lateral"),
        ("L\\F", "frontal"),
        ("P\\H", "lateral"),
        ("LAO", None),
        (None, None),
    ],
)
def test_meaning(word: str | None, view: str | None) -> None:
    (found,) = view_of(pd.Series([word], dtype="string")).astype(object).replace({pd.NA: None})
    assert found == view

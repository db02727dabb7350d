"""Labelled radiographs that lie beside the project; no test may need them."""

import os
from pathlib import Path

import pytest

SHARED_DATA = Path(
    os.environ.get("CXRSPARK_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")
)

needs_shared_data = pytest.mark.skipif(
    not (SHARED_DATA / "labels.csv").exists(),
    reason="no labelled radiographs in ../shared/data; CXRSPARK_SHARED_DATA names another folder",
)

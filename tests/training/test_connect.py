"""A training through Spark Connect, on a server of its own."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pyspark
import pytest

from helpers.connect import client, connect_server
from helpers.toys import write_toys

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(pyspark.__version__ < "4", reason="Spark Connect is supported from 4.0 on"),
]


def test_a_training_learns_the_same_through_connect(tmp_path: Path) -> None:
    write_toys(tmp_path / "archive", 40)
    given = ["--archive", tmp_path / "archive", "--labels", tmp_path / "archive" / "labels.csv"]
    words = ["-m", "cxrspark.jobs.command", "train", *given, "--epochs", "2", "--batch-size", "16"]
    cards = {}
    with connect_server(tmp_path) as server:
        for name, url in (("classic", ""), ("connect", server)):
            arguments = client([*words, "--bundle", tmp_path / name], url)
            done = subprocess.run(**arguments if url else {**arguments, "env": None})
            assert done.returncode == 0, done.stderr
            cards[name] = json.loads((tmp_path / name / "model.json").read_text())
    for what in ("trained_on", "validated_on", "recipe"):
        assert cards["connect"][what] == cards["classic"][what]
    histories = [pd.read_csv(tmp_path / name / "history.csv") for name in cards]
    losses = [history["loss"].tolist() for history in histories]
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)  # threads add in any order

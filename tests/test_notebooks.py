"""The notebooks run to their end, say what is true, and are kept without traces of a machine."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from deltalake import DeltaTable

from cxrspark.model.bundle import load_bundle
from cxrspark.phantoms.archive import METADATA

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
LIMIT_BYTES = 300_000
TRACES = (
    f"{ROOT}/",
    f"{Path.home()}/",
    f"{tempfile.gettempdir()}/",
    f"//{socket.gethostname()}",
    "127.0.0.1",
    "Warning",
    "WARN",
)
HEADER_VIEWS = {"AP": "frontal", "PA": "frontal", "LATERAL": "lateral", "LL": "lateral"}


def run_notebook(
    file: Path, folder: Path, python: str | Path = sys.executable
) -> "subprocess.CompletedProcess[str]":
    """Execute a copy of a notebook in a folder that has what it finds beside it."""
    (folder / "notebooks").mkdir()
    (folder / "conf").symlink_to(ROOT / "conf")
    copy = shutil.copy(file, folder / "notebooks")
    command = [python, str(NOTEBOOKS / "execute.py"), str(copy)]
    environment = {**os.environ, "PYSPARK_PYTHON": str(python)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def outputs(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Outputs of each code cell, by the cell's id."""
    cells = json.loads(file.read_text())["cells"]
    return {cell["id"]: cell["outputs"] for cell in cells if cell["cell_type"] == "code"}


def text_of(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    lines = output.get("text", data.get("text/plain", []))
    return "".join([*lines, "\n", *data.get("text/html", [])])


def assert_no_traces(file: Path) -> None:
    for cell, found in outputs(file).items():
        for output in found:
            assert output.get("name") != "stderr", cell
            assert [trace for trace in TRACES if trace in text_of(output)] == [], cell


@pytest.mark.usefixtures("delta")
def test_explore_scores(tmp_path: Path) -> None:
    done = run_notebook(NOTEBOOKS / "explore_scores.ipynb", tmp_path)
    assert done.returncode == 0, done.stderr
    assert_no_traces(tmp_path / "notebooks" / "explore_scores.ipynb")

    work = tmp_path / "build" / "notebooks" / "explore"
    listed = set((work / "archive" / "IMAGE_FILENAMES").read_text().split())
    early = {path for path in listed if path < "files/p15"}
    before = DeltaTable(work / "scores", version=1).to_pandas(columns=["path"])
    scores = DeltaTable(work / "scores", version=2).to_pandas()
    assert 0 < len(early) < len(listed)
    assert sorted(before["path"]) == sorted(early)
    assert sorted(scores["path"]) == sorted(listed)

    metadata = pd.read_csv(work / "archive" / METADATA).set_index("dicom_id")["ViewPosition"]
    header = scores["image_id"].map(metadata).map(HEADER_VIEWS)
    has_both = header.notna() & scores["view"].notna()
    called = scores["view"].isin(["frontal", "lateral"])
    wrong = int((has_both & called & (scores["view"] != header)).sum())
    found = outputs(tmp_path / "notebooks" / "explore_scores.ipynb")
    assert wrong > 0
    assert text_of(found["wrong-code"][0]).startswith(f"{wrong} of {has_both.sum()} images")
    assert [line.split()[1:3] for line in text_of(found["history-code"][0]).splitlines()[1:4]] == [
        ["0", "CREATE"], ["1", "MERGE"], ["2", "MERGE"]
    ]  # fmt: skip
    pictures = [cell for cell, given in found.items() if any("image/png" in str(o) for o in given)]
    assert pictures == ["wrong-images", "histogram-code"]


def test_train_and_judge(training_python: Path, tmp_path: Path) -> None:
    done = run_notebook(NOTEBOOKS / "train_and_judge.ipynb", tmp_path, training_python)
    assert done.returncode == 0, done.stderr
    assert_no_traces(tmp_path / "notebooks" / "train_and_judge.ipynb")

    work = tmp_path / "build" / "notebooks" / "train"
    learn, judge = pd.read_csv(work / "learn.csv"), pd.read_csv(work / "judge.csv")
    assert not set(learn["patient_id"]) & set(judge["patient_id"])
    trained = load_bundle(str(work / "bundle"))
    scores = pd.read_parquet(work / "scores")
    assert set(scores["model_id"]) == {trained.model_id, load_bundle().model_id}
    scores = scores[scores["model_id"] == trained.model_id].set_index("path")
    assert sorted(scores.index) == sorted(judge["path"])
    frontal = scores.loc[judge["path"], "p_frontal"].to_numpy() >= 0.5
    accuracy = (frontal == (judge["view"] == "frontal")).mean()
    assert accuracy > 0.85  # the more frequent view alone would give 0.66
    shown = text_of(outputs(tmp_path / "notebooks" / "train_and_judge.ipynb")["judge-code"][0])
    assert f"{100 * accuracy:.2f} (" in shown


@pytest.mark.parametrize("name", ["explore_scores", "train_and_judge"])
def test_kept_outputs_can_be_read_as_they_are(name: str) -> None:
    file = NOTEBOOKS / f"{name}.ipynb"
    assert file.stat().st_size < LIMIT_BYTES
    notebook = json.loads(file.read_text())
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    counts = [cell["execution_count"] for cell in notebook["cells"] if "outputs" in cell]
    assert counts == list(range(1, len(counts) + 1)), "not executed from top to bottom"
    assert sum(map(bool, outputs(file).values())) > len(counts) / 2
    assert_no_traces(file)
    markdown = ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]
    assert not re.search(r"\]\(/|127\.0\.0\.1", "\n".join(markdown))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import warnings; warnings.warn('take care')", "wrote to stderr: .*take care"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_notebook_that_warns_or_fails_is_not_written(
    tmp_path: Path, source: str, message: str
) -> None:
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source}
    cells = [cell | {"execution_count": None, "outputs": []}]
    text = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    file = tmp_path / "one.ipynb"
    file.write_text(text)
    done = run_notebook(file, tmp_path)
    assert done.returncode == 1
    assert re.search(message, done.stderr)
    assert (tmp_path / "notebooks" / "one.ipynb").read_text() == text


def test_progress_is_not_kept(tmp_path: Path) -> None:
    lines = ["768 of 768 images · 90 images/s", "epoch 3 of 3 · loss 0.1", "kept"]
    prints = [
        f"import sys; print({line!r}, file=sys.{stream})"
        for line, stream in zip(lines, ("stderr", "stderr", "stdout"), strict=True)
    ]
    cell = {"cell_type": "code", "id": "a", "metadata": {"x": 1}, "source": "\n".join(prints)}
    cells = [cell | {"execution_count": None, "outputs": []}]
    file = tmp_path / "one.ipynb"
    file.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    assert run_notebook(file, tmp_path).returncode == 0
    kept = outputs(tmp_path / "notebooks" / "one.ipynb")["a"]
    assert [text_of(output).strip() for output in kept] == ["kept"]

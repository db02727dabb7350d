import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pyspark.sql import SparkSession

from cxrspark.evaluation.plots import BLUE, VERMILION
from cxrspark.evaluation.run import EvaluateSettings, labelled_scores
from cxrspark.model.bundle import write_bundle
from cxrspark.model.seen import SEEN, Seen
from cxrspark.tables.schemas import SCORES

from helpers.runs import job
from helpers.score_rows import score_row

Evaluate = Callable[..., int]

PLOTS = {
    "figures.png": (BLUE, VERMILION),
    "confusion.png": (),
    "reliability.png": (BLUE, VERMILION),
}
LABELS = """path,source,patient_id,view
a/1.jpg,a,p1,frontal
a/2.jpg,a,p1,lateral
a/3.jpg,a,p2,frontal
a/4.jpg,a,p3,lateral
b/1.jpg,b,,frontal
b/2.jpg,b,,frontal
b/3.jpg,b,,other
c/1.jpg,c,,lateral
"""
SCORED = [
    ("a/1.jpg", "frontal", 0.95, None),
    ("a/2.jpg", "lateral", 0.05, None),
    ("a/3.jpg", "uncertain", 0.45, None),
    ("a/4.jpg", "lateral", 0.02, None),
    ("b/1.jpg", "frontal", 0.99, None),
    ("b/2.jpg", None, None, "truncated: half an image"),
    ("b/3.jpg", "uncertain", 0.50, None),
    ("unlabelled.jpg", "frontal", 0.97, None),
]


@pytest.fixture
def write_scores(spark: SparkSession, tmp_path: Path) -> Callable[..., str]:
    def write(
        model_id: str = "model1",
        scored: list[tuple[object, ...]] = SCORED,
        table_format: str = "parquet",
    ) -> str:
        rows = [
            score_row(
                image_id=path, path=path, view=view, p_frontal=p, error=error, model_id=model_id
            )
            for path, view, p, error in scored
        ]
        table = str(tmp_path / "scores")
        spark.createDataFrame(rows, SCORES).write.mode("append").format(table_format).save(table)
        return table

    return write


@pytest.fixture
def labels(tmp_path: Path) -> str:
    file = tmp_path / "labels.csv"
    file.write_text(LABELS, encoding="utf-8")
    return str(file)


@pytest.fixture
def evaluate(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Evaluate:
    return job("evaluate", EvaluateSettings, monkeypatch)


def test_prints_and_writes_everything(
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "new" / "out"
    assert evaluate("--scores", write_scores(), "--labels", labels, "--out", out) == 0
    printed = capsys.readouterr().out
    assert "6 labelled images in the table; 1 labels without a row there, 2 rows without" in printed
    assert "left out: 1 other" in printed
    assert "no scored lateral image in b: no lateral sensitivity and no AUC there" in printed
    written = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert written["model_id"] == "model1"
    assert written["left_out"] == {"other": 1}
    assert (written["labels_without_score"], written["scores_without_label"]) == (1, 2)
    overall, a, b = written["evaluations"]
    assert (overall["name"], overall["images"], overall["errors"]) == ("overall", 6, 1)
    assert overall["accuracy"]["value"] == pytest.approx(4 / 5)
    assert overall["accuracy_called"]["value"] == 1
    assert overall["uncertain"]["value"] == pytest.approx(1 / 5)
    assert (a["auc"]["value"], a["patients"], b["auc"]) == (1, 3, None)
    for name, colours in PLOTS.items():
        assert name in printed
        with Image.open(out / name) as plot:
            drawn = np.asarray(plot.convert("RGB"))
        assert drawn.shape[1] >= 800
        for colour in colours:
            wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
            assert (drawn == wanted).all(axis=2).sum() > 200, (name, colour)


def test_rows_come_in_one_order_whatever_spark_does(
    spark: SparkSession, write_scores: Callable[..., str], labels: str
) -> None:
    settings = EvaluateSettings(scores=write_scores(scored=SCORED[::-1]), labels=labels)
    rows = labelled_scores(spark, settings).rows
    assert list(rows["image_id"]) == sorted(row[0] for row in SCORED[:6])


def test_without_matplotlib_only_the_plots_are_missing(
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    out = tmp_path / "out"
    assert evaluate("--scores", write_scores(), "--labels", labels, "--out", out) == 0
    assert "no plots: pip install matplotlib" in capsys.readouterr().out
    assert [file.name for file in out.iterdir()] == ["evaluation.json"]


def test_several_models_need_a_name(
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_scores("model1")
    table = write_scores("model2", SCORED[:3])
    assert evaluate("--scores", table, "--labels", labels) == 2
    assert "--model-id with one of model1 (8 images), model2 (3 images)" in capsys.readouterr().err
    assert evaluate("--scores", table, "--labels", labels, "--model-id", "none") == 2
    assert "has no scores of it, only of model1" in capsys.readouterr().err
    assert evaluate("--scores", table, "--labels", labels, "--model-id", "model2") == 0
    assert "model model2" in (printed := capsys.readouterr().out)
    assert "3 labelled images in the table; 4 labels without a row" in printed


def test_says_what_the_model_has_seen(
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = {"thresholds": {"lateral_below": 0.3, "frontal_above": 0.7}}
    model_id = write_bundle(tmp_path / "bundle", b"model", card).model_id
    given = ("--scores", write_scores(model_id), "--labels", labels, "--out", tmp_path / "out")
    assert evaluate(*given) == 0
    assert f"images that model {model_id} was trained on: unknown" in capsys.readouterr().out
    assert evaluate(*given, "--model", tmp_path / "bundle") == 0  # of an older version
    assert "trained on: unknown" in capsys.readouterr().out

    trained_on = pd.DataFrame(
        {"image_id": ["a/1.jpg", "b/1.jpg"], "patient_id": ["p1", None], "source": ["a", "b"]}
    )
    Seen.of(trained_on).write(tmp_path / "bundle" / SEEN)
    assert evaluate(*given, "--model", tmp_path / "bundle") == 0
    printed = capsys.readouterr().out
    assert "calibrated on 2 of these images and on others of the patients of 1" in printed
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert written["seen"] == {"images": 2, "of_their_patients": 1}
    assert [(e["name"], e["images"]) for e in written["evaluations"][:3]] == [
        ("overall", 6),
        ("never seen", 3),
        ("seen in training", 3),
    ]

    Seen.of(trained_on.assign(image_id="x", patient_id=None)).write(tmp_path / "bundle" / SEEN)
    assert evaluate(*given, "--model", tmp_path / "bundle") == 0
    assert "none of these images, nor of their patients" in capsys.readouterr().out
    write_scores("other")
    assert evaluate(*given, "--model", tmp_path / "bundle") == 0  # whose scores are meant
    assert evaluate(*given, "--model", tmp_path / "bundle", "--model-id", "other") == 2
    assert "not other; name that one's bundle" in capsys.readouterr().err


def test_refusals_are_one_line(
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = write_scores()
    elsewhere = tmp_path / "elsewhere.csv"
    elsewhere.write_text("path,view\nx/1.jpg,frontal\nx/2.jpg,lateral\n", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    for argv, said in [
        (
            ["--scores", tmp_path / "none", "--labels", labels],
            "cannot be read; name one that a run wrote",
        ),
        (["--scores", empty, "--labels", labels], "the folder is empty; name a table"),
        (["--scores", table, "--labels", elsewhere], "2 of 2 labels"),
        (["--scores", table, "--labels", labels, "--out", labels], "name another folder"),
        (["--scores", table], "needs --labels"),
    ]:
        assert evaluate(*argv) == 2
        error = capsys.readouterr().err
        assert said in error
        assert len(error.strip().splitlines()) == 1


def test_delta_table(
    delta: None,
    write_scores: Callable[..., str],
    labels: str,
    evaluate: Evaluate,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = write_scores(table_format="delta")
    assert evaluate("--scores", table, "--labels", labels, "--format", "delta") == 0
    assert "6 labelled images in the table" in capsys.readouterr().out
    assert evaluate("--scores", table, "--labels", labels) == 2
    assert "is a delta table; use --format delta" in capsys.readouterr().err

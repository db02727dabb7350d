import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.jobs import local_spark, training_environment
from cxrspark.model.bundle import load_bundle
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from helpers.toys import write_toys

ROOT = Path(__file__).parents[2]


def test_where_there_is_no_such_environment_a_line_says_how_to_make_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_environment, "TRAINING_PYTHON", tmp_path / "python")
    monkeypatch.setattr(training_environment, "training_is_here", lambda: False)
    with pytest.raises(UserError, match=r"lacks: run `make train-setup` in a clone of cxrspark"):
        training_environment.to_training_environment(["train"])


def test_from_plain_python_it_gets_the_settings_of_a_laptop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where an archive of classes has them in PYSPARK_SUBMIT_ARGS."""
    python, started = tmp_path / "python", []
    python.touch()
    monkeypatch.setattr(training_environment, "TRAINING_PYTHON", python)
    monkeypatch.setattr(training_environment, "training_is_here", lambda: False)
    monkeypatch.setattr(os, "execve", lambda *given: started.append(given))
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    environment = local_spark.by_archive("SharedArchiveFile", tmp_path / "classes.jsa")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    training_environment.to_training_environment(["train", "--epochs", "2"])
    ((file, arguments, given),) = started
    assert file == python
    assert arguments[1:] == ["-m", "cxrspark.jobs.command", "train", "--epochs", "2"]
    assert given["SPARK_CONF_DIR"] == str(local_spark.LOCAL_CONF)
    assert given["PYSPARK_PYTHON"] == str(python)
    assert given["PYSPARK_SUBMIT_ARGS"] == "pyspark-shell"


@pytest.mark.usefixtures("training_python")
def test_pixels_go_to_a_training_and_its_bundle_comes_back(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = write_toys(tmp_path / "archive", 24)
    kept = {"archive": str(tmp_path / "archive"), "pixels": str(tmp_path / "pixels")}
    shipped = score_archive(spark, ScoreSettings(scores=str(tmp_path / "scores"), **kept))
    bundle = tmp_path / "bundle"
    start = [Path(sys.executable).with_name("spark-submit"), "--master", "local[2]"]
    labels = ["--labels", tmp_path / "archive" / "labels.csv"]
    done = subprocess.run(
        [*start, "jobs/train.py", "--pixels", kept["pixels"], "--bundle", bundle, *labels,
         "--epochs", "2", "--batch-size", "8"],
        cwd=ROOT,
        env={**os.environ, "SPARK_CONF_DIR": "conf/local", "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "weights of epoch" in done.stdout
    settings = ScoreSettings(scores=str(tmp_path / "scores"), model=str(bundle), **kept)
    trained = score_archive(spark, settings)
    assert trained.model_id == load_bundle(str(bundle)).model_id != shipped.model_id
    assert trained.images == sum(trained.views.values()) == len(rows)

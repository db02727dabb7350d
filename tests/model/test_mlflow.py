"""A bundle in MLflow: logged, registered, used in Spark and named by `--model`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from cxrspark.errors import UserError
from cxrspark.model.bundle import CARD, load_bundle
from cxrspark.model.inference import said_of
from cxrspark.model.mlflow_model import log_bundle
from cxrspark.model.registry import registered_bundle
from cxrspark.model.seen import load_seen

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's, and SQLAlchemy's about MLflow


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URI of the shipped bundle in a registry of its own, as its version 1."""
    folder = tmp_path_factory.mktemp("mlflow")
    store = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(store)
    mlflow.set_experiment(
        experiment_id=mlflow.create_experiment("views", artifact_location=(folder / "a").as_uri())
    )
    with mlflow.start_run():
        log_bundle(registered_name="cxr-views")
    yield "models:/cxr-views/1"
    mlflow.set_tracking_uri(None)


@pytest.fixture
def pixels() -> pd.Series:
    """Three pictures of noise, and none."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, 4096, np.uint8).tobytes() for _ in range(3)]
    return pd.Series([pictures[0], None, *pictures[1:]], name="pixels")


def test_the_model_says_what_the_bundle_says(registered: str, pixels: pd.Series) -> None:
    model = mlflow.pyfunc.load_model(registered)
    said = model.predict(pixels.to_frame())
    pd.testing.assert_frame_equal(said, said_of(pixels, load_bundle().networks))
    assert said.isna().all(axis=1).tolist() == [False, True, False, False]
    assert model.metadata.metadata["model_id"] == load_bundle().model_id


IN_SPARK = """
import sys
import mlflow
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from cxrspark import load_bundle, score
from cxrspark.model.inference import COLUMNS
from cxrspark.tables.schemas import PIXELS
from cxrspark.tables.table import in_columns

spark = SparkSession.builder.master("local[2]").getOrCreate()
pixels = [*(bytes(range(n, n + 64)) * 64 for n in range(3)), None]
few = spark.createDataFrame(list(zip("abcd", pixels)), "image_id string, pixels binary")
types = ", ".join(f"{name} float" for name in COLUMNS)
udf = mlflow.pyfunc.spark_udf(spark, sys.argv[1], result_type=types, env_manager="local")
ours = score(in_columns(few, PIXELS), load_bundle(), archive="a", run_id="r")
theirs = few.select("image_id", udf(F.struct("pixels")).alias("said"))
for rows in (ours.select("image_id", "p_frontal", "p_chest"),
             theirs.select("image_id", "said.p_frontal", "said.p_chest")):
    print(rows.orderBy("image_id").collect())
"""


def test_its_spark_udf_gives_the_same_scores(registered: str) -> None:
    """In a process of its own, for its workers load what those of a run must not."""
    done = subprocess.run(
        [sys.executable, "-c", IN_SPARK, registered],
        env={**os.environ, "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri()},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ours, theirs = done.stdout.splitlines()[-2:]
    assert ours == theirs
    assert "p_frontal=0." in ours


def test_a_registered_model_is_a_bundle(registered: str) -> None:
    assert load_bundle(registered).model_id == load_bundle().model_id
    assert load_seen(registered) == load_seen()


def test_what_is_no_bundle_is_one_line(registered: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="model models:/nobody/1: MLflow cannot give it: ") as error:
        load_bundle("models:/nobody/1")
    assert "\n" not in str(error.value)

    def predict(model_input: list[str]) -> list[str]:
        return model_input

    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="other", python_model=predict, registered_model_name="other", pip_requirements=[]
        )
    with pytest.raises(UserError, match="models:/other/1: holds no bundle; register one"):
        registered_bundle("models:/other/1", CARD)


def test_without_mlflow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match=r"needs pip install 'cxrspark\[mlflow\]'"):
        registered_bundle("models:/views/9", CARD)


def test_a_run_without_it_does_not_import_mlflow() -> None:
    code = "import sys, cxrspark.scoring.run; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

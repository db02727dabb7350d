"""A bundle in MLflow: logged, registered, used in Spark and named by `--model`."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.errors import UserError
from cxrspark.model.bundle import CARD, load_bundle
from cxrspark.model.inference import COLUMNS, said_of
from cxrspark.model.mlflow_model import log_bundle
from cxrspark.model.registry import registered_bundle
from cxrspark.model.seen import load_seen
from cxrspark.scoring.scores import score
from cxrspark.tables.schemas import PIXELS
from cxrspark.tables.table import in_columns

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


def test_its_spark_udf_gives_the_same_scores(
    spark: SparkSession, registered: str, pixels: pd.Series
) -> None:
    kept = zip("abcd", pixels, strict=True)
    few = spark.createDataFrame(list(kept), "image_id string, pixels binary")
    rows = in_columns(few, PIXELS)
    types = ", ".join(f"{name} float" for name in COLUMNS)
    udf = mlflow.pyfunc.spark_udf(spark, registered, result_type=types, env_manager="local")
    scored = score(rows, load_bundle(), archive="a", run_id="r")
    ours = scored.orderBy("image_id").select("p_frontal", "p_chest").toPandas()
    said = rows.withColumn("said", udf(F.struct("pixels"))).orderBy("image_id")
    theirs = said.select("said.p_frontal", "said.p_chest").toPandas()
    pd.testing.assert_frame_equal(ours, theirs)


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

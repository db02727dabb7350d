"""A bundle as a model of MLflow, which comes with the extra `mlflow`."""

from __future__ import annotations

from threading import Lock
from typing import Any

import mlflow
import pandas as pd
from mlflow.models.model import ModelInfo
from mlflow.models.signature import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types.schema import ColSpec, Schema

from cxrspark import __version__
from cxrspark.model.bundle import bundle_folder, load_bundle
from cxrspark.model.inference import COLUMNS, said_of

ONE_AT_A_TIME = Lock()
"""A network has one interpreter, and MLflow's server a thread for each request."""


class BundleModel(PythonModel):  # type: ignore[misc]
    """What MLflow runs: kept pixels in, what the bundle's networks say of them out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the bundle that MLflow has unpacked."""
        self._networks = load_bundle(context.artifacts["bundle"]).networks

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None
    ) -> pd.DataFrame:
        """See `cxrspark.model.inference.said_of`, of the column `pixels`."""
        with ONE_AT_A_TIME:
            return said_of(model_input["pixels"], self._networks)


def log_bundle(folder: str | None = None, registered_name: str | None = None) -> ModelInfo:
    """Log a bundle in the run of MLflow that is at work, as a pyfunc model.

    The model takes a column `pixels` (4,096 bytes each: uint8, row-major, 64×64) and gives float32
    `cxrspark.model.inference.COLUMNS`, null where pixels are. So does
    `mlflow.pyfunc.spark_udf(spark, uri, result_type=…)("pixels")`. It holds the bundle whole, and
    needs this version of cxrspark where it is used.

    Args:
        folder: Of the bundle; the shipped one by default.
        registered_name: Under which a version is registered as well; then `--model` takes
            `models:/NAME/VERSION`.

    Returns:
        MLflow's description, with its `model_uri`.

    Raises:
        UserError: No such bundle.
    """
    bundle = load_bundle(folder)
    signature = ModelSignature(
        inputs=Schema([ColSpec("binary", "pixels", required=False)]),
        outputs=Schema([ColSpec("float", name) for name in COLUMNS]),
    )
    return mlflow.pyfunc.log_model(
        name="cxrspark",
        python_model=BundleModel(),
        artifacts={"bundle": bundle_folder(folder)},
        signature=signature,
        metadata={"model_id": bundle.model_id, "pixels_recipe": bundle.pixels_recipe},
        pip_requirements=[f"cxrspark=={__version__}"],
        registered_model_name=registered_name,
    )

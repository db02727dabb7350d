"""Bundles that are registered with MLflow."""

from __future__ import annotations

from pathlib import Path

from cxrspark.errors import UserError


def registered_bundle(name: str, card: str) -> str:
    """Fetch a registered model's bundle.

    Args:
        name: `models:/NAME/VERSION`, in the registry that MLFLOW_TRACKING_URI or
            MLFLOW_REGISTRY_URI names.
        card: Name of a bundle's card.

    Returns:
        The folder that the bundle lies in now.

    Raises:
        UserError: MLflow is not installed, has no such model, or it is none of
            `cxrspark.model.mlflow_model.log_bundle`.
    """
    try:
        import mlflow
    except ImportError as error:
        raise UserError(f"model {name}: needs pip install 'cxrspark[mlflow]'") from error
    try:
        model = Path(mlflow.artifacts.download_artifacts(artifact_uri=name))
    except (mlflow.exceptions.MlflowException, OSError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"model {name}: MLflow cannot give it: {said}") from error
    found = next(model.glob(f"artifacts/*/{card}"), None)
    if found is None:
        raise UserError(f"model {name}: holds no bundle; register one by log_bundle")
    return str(found.parent)

"""Write a bundle's networks in ONNX."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliApp

from cxrspark.errors import UserError
from cxrspark.jobs.training_environment import to_training_environment
from cxrspark.quiet import silent_stderr
from cxrspark.settings import JobSettings


class OnnxSettings(JobSettings):
    """Write a bundle's networks in ONNX, and check that they say the same."""

    model: str | None = Field(None, description="bundle; the shipped one by default")
    out: Path = Field(description="folder to write to")


SETTINGS = OnnxSettings


def run(settings: OnnxSettings) -> None:
    """Convert them where TensorFlow is, and name the files."""
    to_training_environment(["onnx", *CliApp.serialize(settings)], "a conversion to ONNX")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silent_stderr():  # TensorFlow tells every user of its CPU instructions
            from cxrspark.model.onnx_export import write_onnx
    except ImportError as error:
        raise UserError(f"{error}; pip install 'cxrspark[onnx]' beside TensorFlow") from error
    for file in write_onnx(settings.model, settings.out):
        print(file)

"""The settings of a training: what is trained on, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from cxrspark.settings import ViewSettings
from cxrspark.tables.table import Format


class TrainSettings(ViewSettings):
    """Train the network on labelled images; without a recipe file, as the paper did."""

    network: Literal["view", "answers", "projection"] = Field(
        "view",
        description="frontal or lateral; or all the other answers (view, projection, kind in "
        "--labels); or of these AP and PA alone, on labels of an archive of one's own",
    )
    labels: str = Field(
        description="CSV or Parquet with path (or image_id) and view, or a public set's own table",
        min_length=1,
    )
    archive: str | None = Field(None, description="root of the labelled images: a folder or a URL")
    manifest: str | None = Field(None, description="manifest of the archive, as for scoring")
    pixels: str | None = Field(
        None, description="pixels table of an earlier run; then no image is read"
    )
    format: Format = Field("parquet", description="format of the tables that are read")
    bundle: Path = Field(description="folder to write the model bundle to")
    validation_labels: str | None = Field(
        None, description="labels to validate on; else a share of the patients of --labels"
    )
    frontal: int | None = Field(
        None,
        gt=1,
        description="frontal images to draw from those that the archive holds; else all",
    )
    lateral: int | None = Field(None, gt=1, description="lateral images to draw, with --frontal")
    add_scores: str | None = Field(
        None, description="scores table whose confident rows are trained on as well"
    )
    continue_from: str | None = Field(
        None,
        description="bundle whose weights to begin with; --add-scores takes its scores. For "
        "other networks than view: the bundle whose networks are kept, by default the shipped one",
    )
    min_confidence: float = Field(
        0.99, gt=0.5, lt=1, description="confidence that --add-scores asks of a row"
    )
    validation_share: float = Field(0.2, gt=0, lt=1, description="share of each view to hold back")
    seed: int = Field(1, ge=0, description="of the draw, the split, the weights, the order")

    epochs: int = Field(1000, gt=0, description="passes over the training images")
    batch_size: int = Field(32, gt=0, description="images a step")
    augmentation: Literal["paper", "hospitals", "none"] = Field(
        "paper", description="the paper's five layers, or all that differs between hospitals"
    )
    preparation: Literal["repeated", "equalised"] = Field(
        "repeated", description="grey over three channels as it is, or its histogram equalised"
    )
    optimizer: Literal["rmsprop", "adamw"] = Field("rmsprop", description="Keras' optimizer")
    learning_rate: float = Field(0.001, gt=0, description="constant, or the peak of a cosine")
    cosine: bool = Field(False, description="warm up, then let the rate fall to 0 as a cosine")
    keep: Literal["best", "last"] = Field(
        "best", description="weights of the lowest validation loss, or of the last epoch"
    )
    called_right: float = Field(
        0.999, gt=0.5, lt=1, description="share of right calls that sets the uncertain band"
    )
    least_confidence: float = Field(
        0.7, ge=0.5, lt=1, description="probability below which no view is called"
    )
    projection_sure: float | None = Field(
        None, gt=0.5, lt=1, description="probability from which AP or PA is answered; else never"
    )
    tensorboard: Path | None = Field(None, description="folder for a TensorBoard log")

    @model_validator(mode="after")
    def _has_images(self) -> TrainSettings:
        if (self.archive is None) == (self.pixels is None):
            raise ValueError("name either --archive ROOT or --pixels TABLE")
        if (self.frontal is None) != (self.lateral is None):
            raise ValueError("--frontal and --lateral go together")
        if self.add_scores and not self.continue_from:
            raise ValueError("--add-scores needs --continue-from, the bundle that gave the scores")
        return self

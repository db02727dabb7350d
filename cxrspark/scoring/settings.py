"""The settings of a scoring run."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from cxrspark.scoring.patients import KEY, Kept
from cxrspark.settings import BucketSettings
from cxrspark.tables.table import Format

MAY_PASS = ("missing", "unreadable", "crashed")
"""Kinds of error that may be gone when an image is read again."""


class ScoreSettings(BucketSettings):
    """Call every image of a chest X-ray archive frontal or lateral."""

    stand_alone: ClassVar[tuple[str, ...]] = ("--retry-errors",)

    archive: str = Field(description="root of the archive: a folder or a URL", min_length=1)
    scores: str = Field(description="table to append the scores to", min_length=1)
    manifest: str | None = Field(
        None,
        description="CSV, Parquet, list of paths, DICOMDIR or a public set's table; "
        "IMAGE_FILENAMES or cxr-record-list.csv.gz at the root, else a listing, where not given",
    )
    every_file: bool = Field(
        False, description="without a manifest: take every file for an image that is not hidden"
    )
    model: str | None = Field(
        None,
        description="model bundle, also models:/NAME/VERSION of MLflow; the shipped one where not "
        "given",
    )
    pixels: str | None = Field(None, description="table that keeps the 64x64 pixels for later runs")
    patient_ids: Kept = Field(
        "off",
        description="patient ids of DICOM headers, where the manifest names none: not kept, hashed "
        f"with the key in {KEY}, or plain",
    )
    format: Format = Field("parquet", description="format of the tables")
    commit_images: int | None = Field(
        None,
        gt=0,
        description="images a commit; 4096 a core, at least 8192 and at most 65536 where not given",
    )
    retry_errors: str | None = Field(
        None,
        description="score rows again whose error is of these kinds, separated by commas; "
        f"{','.join(MAY_PASS)} where none is named",
    )

    def retried(self) -> tuple[str, ...]:
        """Kinds of error that are to be tried again."""
        if self.retry_errors is None:
            return ()
        kinds = (kind.strip() for kind in self.retry_errors.split(","))
        return tuple(kind for kind in kinds if kind) or MAY_PASS

    @field_validator("archive")
    @classmethod
    def _without_slash(cls, archive: str) -> str:
        """Spell a root in one way, since rows are told apart by it."""
        return archive.rstrip("/") or "/"

"""What a synthetic archive is to hold, decided before anything is drawn."""

from __future__ import annotations

import os
from itertools import chain, islice
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from cxrspark.phantoms.files import UNUSUAL_KINDS, Kind
from cxrspark.settings import JobSettings


class ArchiveSettings(JobSettings):
    """Write an archive of synthetic chest X-rays in MIMIC-CXR-JPG's layout."""

    out: Path = Field(description="new folder to write the archive to")
    dicom: Path | None = Field(
        None,
        description="new folder for the same images as DICOM files in MIMIC-CXR's layout, of many "
        "transfer syntaxes; the JPEGs are then made of their pixels by the published steps",
    )
    studies: int = Field(150, gt=0, le=1_000_000, description="studies, of about 1.6 images each")
    rows: int = Field(
        3056, ge=80, le=8192, description="pixels along the longer side; 3056 is MIMIC's 3056x2544"
    )
    bad: float = Field(
        0.0, ge=0, le=1, description="share of bad or unusual files, of all kinds in turn"
    )
    missing_views: float = Field(
        0.0, ge=0, le=1, description="share of images whose ViewPosition is empty; MIMIC's is 0.042"
    )
    wrong_views: float = Field(
        0.0, ge=0, le=1, description="share of images whose ViewPosition is wrong; MIMIC's is 0.001"
    )
    others: float = Field(
        0.0, ge=0, le=0.5, description="share of images that are no chest; JPEG archives alone"
    )
    laid: float = Field(
        0.0, ge=0, le=0.5, description="share that is turned, inverted or mirrored; likewise"
    )
    seed: int = Field(0, ge=0, description="the same seed and rows give the same archive")
    processes: int = Field(
        default_factory=lambda: os.cpu_count() or 1, gt=0, description="all cores by default"
    )


class Image(NamedTuple):
    """One image of the archive."""

    lateral: bool
    dicom_id: str
    kind: Kind
    recorded: Literal["right", "wrong", "missing"]
    """How the metadata keep ViewPosition."""


class Study(NamedTuple):
    """One study of the archive."""

    subject_id: int
    study_id: int
    date: str
    time: str
    body: np.random.SeedSequence
    """The subject's, so that all studies of a person show one body."""
    exposure: np.random.SeedSequence
    images: tuple[Image, ...]
    """The frontal and, in about three studies of five, the lateral one."""


def plan_studies(settings: ArchiveSettings) -> list[Study]:
    """Decide on subjects, studies, images and what is wrong with them."""
    base = np.random.SeedSequence(settings.seed)
    rng = np.random.default_rng(base)
    count = settings.studies
    subject_of = np.cumsum(rng.random(count) < 0.6)
    subjects = rng.choice(9_999_999, subject_of[-1] + 1, replace=False) + 10_000_000
    studies = rng.choice(9_999_999, count, replace=False) + 50_000_000
    bodies = base.spawn(len(subjects))
    exposures = base.spawn(count)
    views = [(False, True) if both else (False,) for both in rng.random(count) < 0.62]
    images = iter(_plan_images(rng, settings, list(chain.from_iterable(views))))
    return [
        Study(
            subject_id=int(subjects[subject_of[number]]),
            study_id=int(studies[number]),
            date=f"{rng.integers(2110, 2200)}{rng.integers(1, 13):02}{rng.integers(1, 29):02}",
            time=f"{rng.integers(0, 24)}{rng.integers(0, 60):02}{rng.integers(0, 60):02}.0",
            body=bodies[subject_of[number]],
            exposure=exposures[number],
            images=tuple(islice(images, len(views[number]))),
        )
        for number in range(count)
    ]


def _plan_images(
    rng: np.random.Generator, settings: ArchiveSettings, laterals: list[bool]
) -> list[Image]:
    count = len(laterals)
    kinds: list[Kind] = ["jpeg"] * count
    unusual = rng.choice(count, round(settings.bad * count), replace=False).tolist()
    for turn, number in enumerate(unusual):
        kinds[number] = UNUSUAL_KINDS[turn % len(UNUSUAL_KINDS)]
    place = rng.permutation(count) / count  # so that a small archive has its share of each, too
    missing, either = settings.missing_views, settings.missing_views + settings.wrong_views
    names = rng.bytes(20 * count)
    return [
        Image(
            lateral=lateral,
            dicom_id=names[20 * n : 20 * n + 20].hex("-", 4),
            kind=kinds[n],
            recorded="missing" if place[n] < missing else "wrong" if place[n] < either else "right",
        )
        for n, lateral in enumerate(laterals)
    ]

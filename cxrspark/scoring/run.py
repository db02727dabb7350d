"""One scoring run: what is left to do, done commit by commit, and checked at its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

import pandas as pd
from pyspark import Broadcast, StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.manifest import IMAGE_ID, load_manifest
from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import open_store
from cxrspark.errors import ObjectError, UserError
from cxrspark.model.bundle import Bundle, Networks, load_bundle
from cxrspark.scoring.patients import PatientIds
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.progress import Progress
from cxrspark.scoring.scores import refuse_other_recipe, score
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.scoring.summary import Summary, checked_counts, run_row
from cxrspark.scoring.tally import Tally
from cxrspark.scoring.tasks import in_tasks
from cxrspark.tables.commits import Commit, Table
from cxrspark.tables.open import open_table, qualified
from cxrspark.tables.schemas import MANIFEST, PIXELS, RUNS, SCORES

BATCH_IMAGES = 64
"""Images handed on at once: few enough that scoring starts while the task still reads."""

SCORING_IS_FASTER = 16
"""Kept pixels are scored in commits so many times larger than images are read in."""

MOST_IMAGES = 65_536
"""Images of a commit, however many cores there are: what a killed run loses has a bound."""

TRIED = 16
"""Images of a manifest that are looked for before its root is called wrong."""

ARROW_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"


@dataclass(frozen=True)
class Run:
    """All that the steps of one run share."""

    spark: SparkSession
    settings: ScoreSettings
    bundle: Bundle
    networks: Broadcast[Networks]
    scores: Table
    runs: Table
    pixels: Table | None
    tally: Tally
    run_id: str = field(default_factory=lambda: uuid4().hex[:12])
    numbers: Iterator[int] = field(default_factory=count)

    def next_commit(self) -> Commit:
        """Name the commit that follows."""
        return Commit(self.run_id, next(self.numbers), self.settings.model_dump_json())

    def scored(self) -> DataFrame:
        """Rows of this model."""
        return self.scores.read().where(F.col("model_id") == self.bundle.model_id)

    def score_commit(self, pixels: DataFrame, tally: Tally | None = None) -> None:
        """Score pixels and append them to the table."""
        scores = score(
            pixels,
            self.bundle,
            archive=self.settings.archive,
            run_id=self.run_id,
            networks=self.networks,
            tally=tally,
        )
        self.scores.append(scores, self.next_commit())


def score_archive(spark: SparkSession, settings: ScoreSettings) -> Summary:
    """Bring the scores table up to date with the archive.

    Args:
        spark: The session; its cores decide the size of commits.
        settings: The run's settings.

    Returns:
        What was done, after checking that each image of the manifest has exactly one row.

    Raises:
        UserError: The archive, manifest, model or a table is not what it should be.
        RuntimeError: The table is incomplete or holds an image twice.
    """
    started_at = datetime.now(UTC)
    bundle = load_bundle(settings.model, settings.access())
    manifest = load_manifest(settings.archive, settings.manifest, settings.access())
    run = _open(spark, settings, bundle)
    todo = manifest[~_among(manifest, run.scored(), settings.archive, settings.scores)]
    with Progress(len(todo), run.tally.counts), _small_batches(spark):
        _score(run, todo, whole=len(todo) == len(manifest))
    views, errors = checked_counts(run.scored(), manifest["image_id"])
    run.networks.destroy()
    summary = Summary(
        run_id=run.run_id,
        model_id=bundle.model_id,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        images=len(manifest),
        scored=len(todo),
        views=views,
        errors=errors,
    )
    row = spark.createDataFrame([run_row(summary, settings, spark.version)], RUNS)
    run.runs.append(row, run.next_commit())
    return summary


def runs_path(scores: str) -> str:
    """Where the runs of a scores table are kept: beside it."""
    return f"{scores.rstrip('/')}_runs"


def _open(spark: SparkSession, settings: ScoreSettings, bundle: Bundle) -> Run:
    if settings.pixels:
        taken = (qualified(spark, path) for path in (settings.scores, runs_path(settings.scores)))
        if qualified(spark, settings.pixels) in taken:
            raise UserError(f"--pixels {settings.pixels}: is the scores table; name another path")

    def table(path: str, schema: T.StructType, comment: str) -> Table:
        return open_table(spark, path, settings.format, schema, comment)

    return Run(
        spark=spark,
        settings=settings,
        bundle=bundle,
        networks=spark.sparkContext.broadcast(bundle.networks),
        scores=table(settings.scores, SCORES, "View of each image of a chest X-ray archive"),
        runs=table(runs_path(settings.scores), RUNS, "Runs that filled the scores table"),
        pixels=table(settings.pixels, PIXELS, "64x64 pixels") if settings.pixels else None,
        tally=Tally.on(spark.sparkContext),
    )


def _score(run: Run, todo: pd.DataFrame, *, whole: bool) -> None:
    if run.pixels:
        pixels = run.pixels.read()
        refuse_other_recipe(pixels, run.bundle)
        kept = _among(todo, pixels, run.settings.archive, run.pixels.path)
        elsewhere = kept & _failed_elsewhere(todo, pixels, run.settings.archive)
        for images in _commits(run, todo[kept & ~elsewhere], SCORING_IS_FASTER):
            run.score_commit(_listed_as(images, run.pixels.read()), run.tally)
        for images in _commits(run, todo[elsewhere], 1):
            _score_images(run, images, None)  # the pixels table has its row of them
        todo = todo[~kept]
        whole = whole and not kept.any()
    _try_archive(run, todo, whole=whole)
    for images in _commits(run, todo, 1):
        _score_images(run, images, run.pixels)


def _failed_elsewhere(images: pd.DataFrame, pixels: DataFrame, archive: str) -> pd.Series[bool]:
    """Images whose kept row is an error of another copy of the archive: this one may have them."""
    failed = pixels.where(F.col("error").isNotNull() & (F.col("archive") != archive))
    return images["image_id"].isin(failed.select("image_id").toPandas()["image_id"])


def _listed_as(images: pd.DataFrame, pixels: DataFrame) -> DataFrame:
    """Kept pixels of these images, with the path and ids that this manifest gives them."""
    ids = pixels.sparkSession.createDataFrame(images[MANIFEST.names], MANIFEST)
    of_pixels = [name for name in PIXELS.names if name not in MANIFEST.names]
    joined = pixels.select("image_id", *of_pixels).join(F.broadcast(ids), "image_id")
    by_header = {
        "study_id": F.coalesce("study_id", "study_uid"),
        "subject_id": F.coalesce("subject_id", "patient_id"),
    }
    return joined.withColumns(by_header).select(*PIXELS.names)


def _try_archive(run: Run, images: pd.DataFrame, *, whole: bool) -> None:
    """Read an image here, so that an archive that cannot be read ends the run before any task.

    Args:
        run: The run.
        images: Those to read.
        whole: Whether they are the whole manifest. Then some of them must be there.

    Raises:
        UserError: The bucket cannot be read, or not one of `TRIED` images is below the root.
    """
    store = open_store(run.settings.archive, run.settings.access())
    paths = images["path"].iloc[:: max(1, len(images) // TRIED)].head(TRIED if whole else 1)
    for path in paths:
        (content,) = read_many(store, [path])
        if not isinstance(content, ObjectError):
            return
        said = f"{path}: {content}"
    if len(paths) == TRIED:
        raise UserError(
            f"archive {run.settings.archive}: of {TRIED} images tried none can be read ({said}); "
            "name the root that the manifest's paths start from"
        )


def _score_images(run: Run, images: pd.DataFrame, keep: Table | None) -> None:
    """Read, shrink and score images, and keep their pixels in a table."""
    manifest = in_tasks(run.spark, images)
    patients = PatientIds.of_environment(run.settings.patient_ids)
    pixels = read_pixels(manifest, run.settings.archive, run.settings.access(), run.tally, patients)
    if keep is None:
        run.score_commit(pixels)
        return
    pixels.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        keep.append(pixels, run.next_commit())
        run.score_commit(pixels)
    finally:
        pixels.unpersist()


def _commits(run: Run, images: pd.DataFrame, scale: int) -> Iterator[pd.DataFrame]:
    cores = run.spark.sparkContext.defaultParallelism
    usual = min(max(8192, 4096 * cores), MOST_IMAGES)
    size = run.settings.commit_images or usual
    size = max(size, min(scale * size, 2 * MOST_IMAGES))
    for start in range(0, len(images), size):
        yield images.iloc[start : start + size]


def _among(images: pd.DataFrame, rows: DataFrame, archive: str, table: str) -> pd.Series[bool]:
    """Which images the rows of a table hold already.

    Raises:
        UserError: They hold another archive's, and its images are called the same, or they hold
            an image twice.
    """
    of_mimic = F.col("image_id").rlike(f"^{IMAGE_ID}$")
    of_another = (F.col("archive") != archive) & ~of_mimic
    other = F.when(of_another, F.col("archive")).alias("other")
    held = rows.select("image_id", other).toPandas()
    held = held[held["image_id"].isin(images["image_id"])]
    same = held.dropna()
    if len(same):
        image_id, other_archive = same.iloc[0]
        raise UserError(
            f"table {table}: holds {image_id} of archive {other_archive}; give that --archive "
            "again, or name another table for this one"
        )
    twice = held["image_id"][held["image_id"].duplicated()]
    if len(twice):
        raise UserError(
            f"table {table}: holds {twice.iloc[0]} twice, for two runs wrote to it at once; "
            "name another table"
        )
    return images["image_id"].isin(held["image_id"])


@contextmanager
def _small_batches(spark: SparkSession) -> Iterator[None]:
    """Hand few rows to Python at once, while images are read and scored."""
    usual = str(spark.conf.get(ARROW_ROWS))
    spark.conf.set(ARROW_ROWS, BATCH_IMAGES)
    try:
        yield
    finally:
        spark.conf.set(ARROW_ROWS, usual)

"""One scoring run: what is left to do, done commit by commit, and checked at its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from itertools import count as counting
from threading import Lock
from uuid import uuid4

import pandas as pd
from pyspark import Broadcast
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.manifest import SIZED, list_pieces, write_manifest
from cxrspark.archive.storage import open_store
from cxrspark.errors import UserError
from cxrspark.model.bundle import Bundle, Networks, load_bundle
from cxrspark.scoring import plan as planning
from cxrspark.scoring.patients import PatientIds
from cxrspark.scoring.pipeline import commits_at_once, in_turn, overlap
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.plan import AGAIN, NEW, Cut, Plan, compare, count, sample_paths
from cxrspark.scoring.probe import TRIED, find_witness
from cxrspark.scoring.progress import Progress
from cxrspark.scoring.scores import refuse_other_recipe, with_scores
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.scoring.summary import Summary, run_row
from cxrspark.scoring.tally import CommitTally, Tally
from cxrspark.scoring.tasks import MOST_IMAGES, commit_images, count_tasks, in_tasks
from cxrspark.sessions import InClosure, changed, cores, is_connect, to_executors
from cxrspark.tables.open import is_name, open_table, qualified
from cxrspark.tables.schemas import (
    MANIFEST,
    PIXELS,
    PIXELS_TABLE,
    RUNS,
    RUNS_TABLE,
    SCORES,
    SCORES_TABLE,
    Spec,
)
from cxrspark.tables.table import Commit, Table, stage

BATCH_IMAGES = 64
"""Images handed on at once: few enough that scoring starts while the task still reads."""

SCORING_IS_FASTER = 16
"""Kept pixels are scored in commits so many times larger than images are read in, at most twice
as large as these may be."""

JOINED_ONCE = 1_000_000
"""A manifest of so many images, more than the table has rows, is set beside it once and written
down; to do it twice, for the counts and for the plan, takes longer."""

SHARED = "its folder must be one and the same for the driver and all workers"

ARROW_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"

log = logging.getLogger(__name__)

ALL_COLUMNS = [*PIXELS.names, *(name for name in SCORES.names if name not in PIXELS.names)]


@dataclass(frozen=True)
class Run:
    """All that the steps of one run share."""

    spark: SparkSession
    settings: ScoreSettings
    run_id: str
    bundle: Bundle
    networks: Broadcast[Networks] | InClosure[Networks]
    scores: Table
    runs: Table
    pixels: Table | None
    counted: Tally | CommitTally
    numbers: Iterator[int] = field(default_factory=counting)
    publishing: Lock = field(default_factory=Lock)

    @property
    def tally(self) -> Tally | None:
        """For the executors to count with; through Spark Connect they cannot."""
        return self.counted if isinstance(self.counted, Tally) else None

    @property
    def cores(self) -> int:
        """Of the cluster."""
        return cores(self.spark)

    def next_commit(self) -> Commit:
        """Name the commit that follows."""
        return Commit(self.run_id, next(self.numbers), self.settings.model_dump_json())

    def scored(self) -> DataFrame:
        """Rows of this model."""
        return self.scores.read().where(F.col("model_id") == self.bundle.model_id)


def score_archive(spark: SparkSession, settings: ScoreSettings) -> Summary:
    """Bring the scores table up to date with the archive.

    Args:
        spark: The session; its cores decide the size of commits.
        settings: The run's settings.

    Returns:
        What was done, after checking that each image of the manifest has exactly one row.

    Raises:
        UserError: The archive, manifest, model or a table is not what it should be, or another run
            writes to a table, or rows that were written are not there.
    """
    started_at = datetime.now(UTC)
    bundle = load_bundle(settings.model, settings.access())
    pieces = list_pieces(
        settings.archive, settings.manifest, settings.access(), every_file=settings.every_file
    )
    with _opened(spark, settings, bundle) as run:
        images, all_images = write_manifest(spark, pieces, run.scores.aside)
        compared = compare(images, run.scored(), settings.archive, settings.retried())
        joined = all_images >= JOINED_ONCE and 0 < run.scored().count() < all_images
        if joined:
            compared = run.scores.aside.keep(compared, "compared")
        counts = count(compared, all_images, run.scores)
        scored = counts.left
        if scored:
            plan = _plan(run, compared, scored)
            if joined:
                run.scores.aside.discard("compared")
            _score(run, plan)
            counts = count(compare(images, run.scored(), settings.archive), all_images, run.scores)
            _refuse_lost(run, scored - counts.left, scored)
        if run.pixels:
            _warn_of_no_pixels(run.pixels, all_images)
        summary = Summary(
            run_id=run.run_id,
            model_id=bundle.model_id,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            images=all_images,
            scored=scored,
            views=counts.views,
            errors=counts.errors,
        )
        said = pd.DataFrame([run_row(summary, settings, spark.version)], columns=RUNS.names)
        row = spark.createDataFrame(said, RUNS)  # of pandas: a tuple would start a Python worker
        run.runs.append(row, run.next_commit())
    return summary


def runs_path(scores: str) -> str:
    """Where the runs of a scores table are kept: beside it."""
    return f"{scores.rstrip('/')}_runs"


@contextmanager
def _opened(spark: SparkSession, settings: ScoreSettings, bundle: Bundle) -> Iterator[Run]:
    """Open the tables, and close them at the end, however it comes."""
    if settings.pixels:
        taken = (qualified(spark, path) for path in (settings.scores, runs_path(settings.scores)))
        if qualified(spark, settings.pixels) in taken:
            raise UserError(f"--pixels {settings.pixels}: is the scores table; name another path")
    run_id = uuid4().hex[:12]
    with ExitStack() as at_end:

        def table(path: str, spec: Spec) -> Table:
            opened = open_table(spark, path, settings.format, spec, run_id)
            at_end.callback(opened.close)
            return opened

        networks = to_executors(spark, bundle.networks)
        at_end.callback(networks.destroy)
        yield Run(
            spark=spark,
            settings=settings,
            run_id=run_id,
            bundle=bundle,
            networks=networks,
            scores=table(settings.scores, SCORES_TABLE),
            runs=table(runs_path(settings.scores), RUNS_TABLE),
            pixels=table(settings.pixels, PIXELS_TABLE) if settings.pixels else None,
            counted=CommitTally() if is_connect(spark) else Tally.on(spark.sparkContext),
        )


def _plan(run: Run, compared: DataFrame, left: int) -> Plan:
    todo = compared.where(F.col("state").isin(NEW, AGAIN)).select(*SIZED.names, "state")
    if run.pixels:
        pixels, archive = run.pixels.read(), run.settings.archive
        refuse_other_recipe(pixels, run.bundle)
        count(compare(todo.drop("state"), pixels, archive), left, run.pixels)
        todo = planning.beside_pixels(todo, pixels, archive)
    else:
        todo = planning.without_pixels(todo)
    size = run.settings.commit_images or commit_images(run.cores)
    faster = max(size, min(SCORING_IS_FASTER * size, 2 * MOST_IMAGES))
    sizes = {
        planning.KEPT: faster,
        planning.KEPT_REPLACED: faster,
        planning.READ: size,
        planning.READ_REPLACED: size,
    }
    return planning.write_plan(todo, run.scores.aside, sizes)


def _score(run: Run, plan: Plan) -> None:
    """Do all commits of the plan."""
    witness = _witness(run, plan) if any(cut.reads for cut in plan.cuts) else None

    def do(cut: Cut) -> None:
        rows = _read(run, plan, cut, witness) if cut.reads else _kept(run, plan, cut)
        name = f"commit-{cut.number}"
        staged = stage(rows, run.scores.aside, name)
        with run.publishing:
            _publish(run, cut, staged)
        run.scores.aside.discard(name)

    left = plan.cuts[0].left
    small = changed(run.spark, ARROW_ROWS, BATCH_IMAGES)
    with Progress(left, run.counted.counts), small:
        if isinstance(run.counted, Tally):
            overlap(run.spark, plan.cuts, do, commits_at_once(run.cores))
        else:
            in_turn(run.spark, plan.cuts, do, run.counted, run.cores)


def _witness(run: Run, plan: Plan) -> str | None:
    """Path of an image that the driver can read; see `find_witness`."""
    archive = run.settings.archive
    store = open_store(archive, run.settings.access())
    todo = plan.todo.where(F.col("work").isin(planning.READ, planning.READ_REPLACED))
    sound = F.col("error").isNull() & (F.col("archive") == archive)
    known = [run.scored(), *([run.pixels.read()] if run.pixels else [])]

    def sampled(*tables: DataFrame) -> Iterator[str]:
        for rows in tables:
            yield from sample_paths(rows, TRIED)

    first = next(cut.sample for cut in plan.cuts if cut.reads)  # mostly there, and costs no query
    return find_witness(
        store,
        archive,
        chain([first], sampled(todo)),
        sampled(*(rows.where(sound) for rows in known)),
    )


def _read(run: Run, plan: Plan, cut: Cut, witness: str | None) -> DataFrame:
    """Read, shrink and score images; also with their pixels where these are to be kept."""
    tasks = count_tasks(cut.images, cut.size, cut.left, run.cores)
    images = in_tasks(plan.images(cut), tasks, cut.usual)
    settings = run.settings
    patients = PatientIds.of_environment(settings.patient_ids)
    pixels = read_pixels(images, settings.archive, settings.access(), run.tally, witness, patients)
    return _scored(run, pixels).select(*(ALL_COLUMNS if run.pixels else SCORES.names))


def _kept(run: Run, plan: Plan, cut: Cut) -> DataFrame:
    """Score kept pixels, with the path and ids that this manifest gives them."""
    assert run.pixels
    of_pixels = [name for name in PIXELS.names if name not in MANIFEST.names]
    pixels = cut.of(run.pixels.read()).select("image_id", *of_pixels)
    ids = plan.images(cut).select(*MANIFEST.names)
    listed = pixels.join(F.broadcast(ids), "image_id").withColumns(
        {
            "study_id": F.coalesce("study_id", "study_uid"),
            "subject_id": F.coalesce("subject_id", "patient_id"),
        }
    )
    return _scored(run, listed, run.tally).select(*SCORES.names)


def _scored(run: Run, pixels: DataFrame, tally: Tally | None = None) -> DataFrame:
    return with_scores(
        pixels,
        run.bundle,
        archive=run.settings.archive,
        run_id=run.run_id,
        networks=run.networks,
        tally=tally,
    )


def _publish(run: Run, cut: Cut, staged: DataFrame) -> None:
    """Let a commit's rows appear: first its pixels, then its scores."""
    commit = run.next_commit()
    tables = [run.pixels, run.scores] if run.pixels and cut.reads else [run.scores]
    for table in tables:
        (table.replace if cut.replaces else table.append)(staged, commit)
    if commit.number == 0 and cut.images < cut.left:  # the last commit is checked at the end
        _refuse_lost(run, cut.of(run.scored()).count(), cut.images)


def _warn_of_no_pixels(pixels: Table, images: int) -> None:
    """Say that a table which was named later lacks images that had been scored before."""
    if (kept := pixels.read().count()) < images:
        log.warning(
            "--pixels %s: has %s rows for %s images; those scored without it are read and kept by "
            "the first run of another model or another --scores table",
            pixels.name, f"{kept:,}", f"{images:,}",
        )  # fmt: skip


def _refuse_lost(run: Run, found: int, written: int) -> None:
    """Check that rows that were written are there.

    Raises:
        UserError: They are not.
    """
    if found < written:
        raise UserError(
            f"table {run.scores.name}: holds {found} of the {written} rows just written; "
            + ("another program has changed it" if is_name(run.scores.name) else SHARED)
        )

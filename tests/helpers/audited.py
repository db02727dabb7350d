"""An archive with wrong and missing headers, its scores and its audit."""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.manifest import read_manifest
from cxrspark.audit import run as audit_run
from cxrspark.audit.run import Audit, AuditSettings
from cxrspark.phantoms.archive import METADATA, write_archive
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.scoring.pixels import read_pixels
from cxrspark.tables.schemas import SCORES

from helpers.tables import truth_of

MEANS = {"AP": "frontal", "PA": "frontal", "LATERAL": "lateral", "LL": "lateral"}


@dataclass(frozen=True)
class Audited:
    """Phantoms with wrong and missing headers, and scores that are right about every image."""

    root: Path
    scores: Path
    pixels: Path
    truth: pd.DataFrame
    """``path``, ``view`` (empty for a file that cannot be read), ``header``, ``image_id``."""

    def arguments(self, out: Path) -> list[object]:
        metadata = self.root / METADATA
        return ["--scores", self.scores, "--metadata", metadata, "--out", out]

    def wrong(self) -> set[str]:
        known = self.truth[(self.truth["view"] != "") & (self.truth["header"] != "")]
        return set(known["image_id"][known["header"].map(MEANS) != known["view"]])


def audited_archive(spark: SparkSession, folder: Path) -> Audited:
    """Write it to an empty folder."""
    root, pixels = folder / "archive", folder / "pixels"
    settings = ArchiveSettings(
        out=root, studies=30, rows=128, bad=0.3, missing_views=0.15, wrong_views=0.2, seed=3,
        processes=1,
    )  # fmt: skip
    write_archive(settings)
    truth = truth_of(root, root).reset_index()
    read_pixels(read_manifest(spark, str(root)), str(root)).write.parquet(str(pixels))
    views = spark.createDataFrame(truth[["path", "view"]])
    readable = F.when(F.col("error").isNull(), F.col("view"))
    sure = F.lit(0.9) + F.rand(seed=1) * 0.0999
    p_frontal = F.when(readable == "frontal", sure).when(readable == "lateral", 1 - sure)
    scores = spark.read.parquet(str(pixels)).join(views, "path")
    scores = scores.withColumns(
        {
            "view": readable,
            "p_frontal": p_frontal.cast("float"),
            "model_id": F.lit("perfect"),
            "archive": F.lit(str(root)),
            "run_id": F.lit("run"),
            "scored_at": F.current_timestamp(),
        }
    )
    unknown = [field for field in SCORES if field.name not in scores.columns]
    for field in unknown:  # as in rows of an older version
        scores = scores.withColumn(field.name, F.lit(None).cast(field.dataType))
    scores.select(*SCORES.names).coalesce(1).write.parquet(str(folder / "scores"))
    return Audited(root, folder / "scores", pixels, truth)


def audit_of(spark: SparkSession, audited: Audited) -> Audit:
    """The audit with larger pictures, and a path that would break a careless page."""
    settings = AuditSettings(
        scores=str(audited.scores), metadata=str(audited.root / METADATA),
        archive=str(audited.root), thumbnail=96, out=audited.root.parent / "unused",
    )  # fmt: skip
    found = audit_run.audit_views(spark, settings)
    evil = found.errors.head(1).assign(path="a/\"><script>alert('1')</script>&amp;.jpg")
    return replace(found, errors=pd.concat([found.errors, evil]))

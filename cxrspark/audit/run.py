"""One audit: scores and metadata read, compared, and brought to the driver as far as shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from pydantic import Field
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.storage import open_store
from cxrspark.audit import judge as audit
from cxrspark.audit.answers import Answers, answers_of
from cxrspark.audit.duplicates import duplicates, paths_of
from cxrspark.audit.fused import fuse, write_views
from cxrspark.audit.headers import Headers, dicom_headers, read_headers
from cxrspark.audit.omop import to_omop, write_omop
from cxrspark.audit.thumbnails import data_uris, from_archive, from_pixels
from cxrspark.errors import UserError
from cxrspark.pixels.image import SIDE
from cxrspark.scoring.scores import choose_model
from cxrspark.settings import ViewSettings
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import PIXELS_TABLE, SCORES_TABLE
from cxrspark.tables.table import Format

SUSPECTED_SHOWN, UNCERTAIN_SHOWN, ERRORS_SHOWN, PAIRS_SHOWN = 240, 60, 8, 60
THUMBNAIL = 160


class AuditSettings(ViewSettings):
    """Compare the views of a scores table with those of the archive's metadata or headers."""

    scores: str = Field(description="scores table", min_length=1)
    metadata: str | None = Field(
        None,
        description="a public set's own table, or CSV or Parquet with image_id or path and a view; "
        "the DICOM headers in --pixels where not given",
    )
    out: Path = Field(description="folder for report.html and the tables; made private to you")
    format: Format = Field("parquet", description="format of the tables that are read")
    view_column: str | None = Field(
        None, description="column of the metadata; the set's, view or ViewPosition where not given"
    )
    model_id: str | None = Field(
        None, description="whose scores to take; needed where the table holds several models'"
    )
    pixels: str | None = Field(
        None, description="pixels table, for the pictures of the report and for DICOM headers"
    )
    archive: str | None = Field(
        None, description="root of the archive, to read larger pictures from for the report"
    )
    duplicates: bool = Field(
        False, description="look in --pixels for pictures that are there under several ids"
    )
    views: str | None = Field(
        None,
        description="table to write one view for each image to, with suggested tags and codes; CSV "
        "or JSON where its name ends so, else Parquet",
    )
    omop: str | None = Field(
        None, description="folder to write the same views to as tables of OMOP's imaging extension"
    )
    thumbnail: int | None = Field(
        None, ge=64, le=256, description=f"longer side of those pictures; {THUMBNAIL} by default"
    )


@dataclass(frozen=True)
class Audit:
    """All that the tables and the report show.

    Attributes:
        model_id: Whose scores.
        scores: The table they come from.
        archives: Roots of the archive, as the table names them.
        metadata: The file, or the pixels table, that the headers come from.
        view_column: Its column.
        images: Images of the table.
        unscored: Images of the metadata that the table does not hold.
        when: End of the audit.
        agreement: See `cxrspark.audit.judge.agreement`.
        suspected: See `cxrspark.audit.judge.suspected_header_errors`.
        filled: See `cxrspark.audit.judge.filled_views`.
        studies: How many studies there are with a chest.
        without: See `cxrspark.audit.judge.studies_without`, by view.
        histogram: See `cxrspark.audit.judge.histogram`.
        least_certain: See `cxrspark.audit.judge.least_certain`.
        errors: See `cxrspark.audit.judge.errors`.
        answers: See `cxrspark.audit.answers.Answers`.
        duplicates: See `cxrspark.audit.duplicates.duplicates`; None where nobody looked.
        pictures: Data URIs by image id.
        picture_side: Longer side of most of the pictures.
    """

    model_id: str
    scores: str
    archives: list[str]
    metadata: str
    view_column: str
    images: int
    unscored: int
    when: datetime
    agreement: pd.DataFrame
    suspected: pd.DataFrame
    filled: pd.DataFrame
    studies: int
    without: Mapping[str, pd.DataFrame]
    histogram: pd.DataFrame
    least_certain: pd.DataFrame
    errors: pd.DataFrame
    answers: Answers
    duplicates: pd.DataFrame | None = None
    pictures: Mapping[str, str] = field(default_factory=dict)
    picture_side: int = SIDE

    def tables(self) -> dict[str, pd.DataFrame]:
        """What is written beside the report, by name."""
        looked = {} if self.duplicates is None else {"duplicates": self.duplicates}
        return looked | {
            "agreement": self.agreement,
            "confusion": audit.confusion(self.agreement),
            "suspected_header_errors": self.suspected.drop(columns="error"),
            "filled_views": self.filled,
            "studies_without_frontal": self.without["frontal"],
            "studies_without_lateral": self.without["lateral"],
            **self.answers.tables(),
        }


def audit_views(spark: SparkSession, settings: AuditSettings) -> Audit:
    """Compare scores with headers.

    Args:
        spark: The session.
        settings: What to read; ``out`` is not touched.

    Returns:
        Aggregates, the lists that are written as tables, and a few hundred pictures.

    Raises:
        UserError: A table, the archive or the metadata is not what it should be, or no image of
            the table is in the metadata.
    """
    _check_pictures(settings)
    if settings.duplicates and not settings.pixels:
        raise UserError("--duplicates needs --pixels, the table whose pictures are compared")
    table = read_table(spark, settings.scores, settings.format, SCORES_TABLE)
    model_id, images = choose_model(table, settings.scores, settings.model_id)
    scores = table.where(F.col("model_id") == model_id)
    archives = sorted(row[0] for row in scores.select("archive").distinct().collect())
    pixels = None
    if settings.pixels:
        pixels = read_table(spark, settings.pixels, settings.format, PIXELS_TABLE)
        pixels = pixels.where(F.col("archive").isin(archives))
    headers = _headers_of(settings, pixels, archives)
    listed_headers = headers.to_spark(spark)
    compared = audit.compare(scores, listed_headers, headers.key)
    compared = compared.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        agreed = audit.agreement(compared)
        listed = images - _images_of(agreed, audit.NOT_LISTED)
        if not listed:
            raise UserError(_no_match(scores, headers))
        suspected = audit.suspected_header_errors(compared).toPandas()
        uncertain = audit.least_certain(compared, UNCERTAIN_SHOWN).toPandas()
        failed = audit.errors(compared, ERRORS_SHOWN).toPandas()
        answers = answers_of(compared)
        lists = (suspected.head(SUSPECTED_SHOWN), uncertain, failed, answers.shown())
        shown = pd.concat([images[["image_id", "path"]] for images in lists])
        fused = fuse(scores, listed_headers, headers.key)
        if settings.views:
            write_views(fused, settings.views)
        if settings.omop:
            write_omop(to_omop(fused.persist(StorageLevel.MEMORY_AND_DISK), scores), settings.omop)
            fused.unpersist()
        copies = _duplicates(pixels) if settings.duplicates and pixels is not None else None
        paths = dict(zip(shown["image_id"], shown["path"], strict=True))
        if copies is not None:
            paths |= paths_of(copies.head(PAIRS_SHOWN))
        counted = audit.studies(compared)
        return Audit(
            model_id=model_id,
            scores=settings.scores,
            archives=archives,
            metadata=headers.file,
            view_column=headers.view_column,
            images=images,
            unscored=len(headers.rows) - listed,
            when=datetime.now(UTC),
            agreement=agreed,
            suspected=suspected,
            filled=audit.filled_views(compared).toPandas(),
            studies=counted.count(),
            without={
                view: audit.studies_without(counted, view).toPandas()
                for view in ("frontal", "lateral")
            },
            histogram=audit.histogram(compared).toPandas(),
            least_certain=uncertain,
            errors=failed,
            answers=answers,
            duplicates=copies,
            pictures=_pictures(spark, settings, pixels, paths),
            picture_side=(settings.thumbnail or THUMBNAIL) if settings.archive else SIDE,
        )
    finally:
        compared.unpersist()


def _images_of(agreed: pd.DataFrame, header: str) -> int:
    return int(agreed.loc[agreed["header"] == header, "images"].sum())


def _no_match(scores: DataFrame, headers: Headers) -> str:
    there = scores.select(F.min(headers.key.of_images())).collect()[0][0]
    return (
        f"metadata {headers.file}: matches no image of the scores by {headers.key}; it has "
        f"{headers.rows['key'].min()}, the scores {there}"
    )


def _headers_of(settings: AuditSettings, pixels: DataFrame | None, archives: list[str]) -> Headers:
    if settings.metadata:
        return read_headers(
            settings.metadata, settings.view_column, settings.access(),
            roots=archives, words=settings.view_words,
        )  # fmt: skip
    if pixels is None:
        raise UserError("needs --metadata FILE, or the --pixels table of a DICOM archive")
    return dicom_headers(pixels, str(settings.pixels))


def _duplicates(pixels: DataFrame) -> pd.DataFrame:
    """Those of different subjects first, the most alike first."""
    apart_first = F.col("same_subject").asc_nulls_first()
    return duplicates(pixels).orderBy(apart_first, F.desc("alike"), F.col("image_id")).toPandas()


def _check_pictures(settings: AuditSettings) -> None:
    """Refuse what pictures cannot be read from, before any work."""
    if settings.thumbnail and not settings.archive:
        raise UserError("--thumbnail needs --archive, the root that images are read from")
    if settings.archive:
        open_store(settings.archive, settings.access())


def _pictures(
    spark: SparkSession,
    settings: AuditSettings,
    pixels: DataFrame | None,
    paths: Mapping[str, str],
) -> dict[str, str]:
    """Data URIs by image id, of the images with these paths by image id."""
    pictures = {}
    if settings.archive:
        side = settings.thumbnail or THUMBNAIL
        pictures = from_archive(spark, settings.archive, paths, side, settings.access())
    left = [image_id for image_id in paths if image_id not in pictures]
    if pixels is not None and left:
        pictures |= from_pixels(pixels, left)
    return data_uris(pictures)

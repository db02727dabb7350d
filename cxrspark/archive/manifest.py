"""Which images an archive holds, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import chain, islice
from typing import BinaryIO

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.csv_file import PIECE, by_rules, path_rules
from cxrspark.archive.listing import list_images
from cxrspark.archive.members import open_stream
from cxrspark.archive.pieces import KNOWN, read_pieces
from cxrspark.archive.storage import local_path, open_file, open_store
from cxrspark.archive.store import Store
from cxrspark.errors import UserError
from cxrspark.tables.schemas import MANIFEST
from cxrspark.tables.table import Aside

AT_ROOT = ("IMAGE_FILENAMES", "cxr-record-list.csv.gz")
"""Manifests that MIMIC-CXR-JPG and MIMIC-CXR bring along."""

IMAGE_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
"""MIMIC-CXR's ids, which name one image wherever a copy of it lies."""

_MIMIC_PATH = rf"(?:^|/)p(\d+)/s(\d+)/({IMAGE_ID})\.\w+$"
_IN_PATH = {"subject_id": 1, "study_id": 2, "image_id": 3}
"""Groups of `_MIMIC_PATH`."""

LARGEST = 1e15
"""Bytes of a file: more, or `inf`, is no size."""

LISTED = T.StructType([T.StructField(name, T.StringType()) for name in KNOWN])
SIZED = T.StructType([*MANIFEST, T.StructField("size", T.DoubleType())])


def read_manifest(
    spark: SparkSession,
    archive: str,
    manifest: str | None = None,
    access: Access = DEFAULT_ACCESS,
) -> DataFrame:
    """One row for each distinct image of an archive.

    Args:
        spark: The session.
        archive: Root folder or URL.
        manifest: CSV with a `path` column (and `image_id` or `dicom_id`, `study_id`,
            `subject_id` or `patient_id`), Parquet with the same (a file or a folder of them), a
            list of paths, one a line, a public set's own table, whose images are looked for in the
            archive (`cxrspark.archive.data_sets`), or a DICOMDIR; gzip or not. Where not given:
            `AT_ROOT`, else a recursive listing.
        access: How to reach a bucket.

    Returns:
        Columns of `cxrspark.tables.schemas.MANIFEST`. Ids missing from the manifest come from
        MIMIC's path layout; elsewhere the image id is the path and the others are null.

    Raises:
        UserError: No such archive or manifest, no path column, or no image in it.
    """
    pieces = list_pieces(archive, manifest, access)
    frames = [_frame(spark, piece) for piece in pieces]
    listed = identify(reduce(DataFrame.unionByName, frames))
    count_images(listed)
    return listed.to(MANIFEST)


def write_manifest(
    spark: SparkSession, pieces: Iterable[pd.DataFrame], aside: Aside
) -> tuple[DataFrame, int]:
    """The same in bounded memory, written down.

    Args:
        spark: The session.
        pieces: From `list_pieces`.
        aside: Where to.

    Returns:
        Columns of `SIZED`, read from there: also the file's `size` in bytes, from the listing or
        the manifest's column `size` or `bytes`; null where unknown. And how many images there are.

    Raises:
        UserError: Image ids name several files each.
    """
    pieces = iter(pieces)
    first, second = next(pieces), next(pieces, None)
    if second is None:
        listed = _frame(spark, first)
    else:
        for piece in chain([first, second], pieces):
            listed = aside.keep(_frame(spark, piece).coalesce(1), "listed", append=True)
    images = aside.keep(identify(listed), "images")
    return images.select(*SIZED.names), count_images(images)


def list_pieces(
    archive: str,
    manifest: str | None = None,
    access: Access = DEFAULT_ACCESS,
    *,
    every_file: bool = False,
) -> Iterator[pd.DataFrame]:
    """What a manifest or a listing says, a piece at a time.

    The driver reads it, whatever the executors see, by the means that images are read by.

    Args:
        archive: Root folder or URL.
        manifest: See `read_manifest`.
        access: How to reach a bucket.
        every_file: In a listing, take every file for an image that is not hidden.

    Yields:
        `KNOWN` columns as strings, `path` relative to the root.

    Raises:
        UserError: No such archive or manifest, no path column, or no image in it.
    """
    store = open_store(archive, access)
    named = _named(manifest, access) if manifest else _at_root(store)
    if named is None:
        found, source = _listing(store, every_file), f"archive {archive}"
    else:
        source = named[0]
        read = (read_pieces(source, file, lambda: list_images(store)) for file in named[1])
        found = _relative(chain.from_iterable(read), archive)
    pieces = (piece for piece in found if len(piece))
    first = next(pieces, None)
    if first is None:
        raise UserError(f"{source}: holds no image; name another archive or --manifest FILE")
    return chain([first], pieces)


def identify(listed: DataFrame) -> DataFrame:
    """Fill in ids, and keep one row of an image that is listed more than once.

    Returns:
        Columns of `SIZED`, and `also`: another file of the same id, where the list gave the id.
    """
    path = F.coalesce("path", F.lit(""))

    def given(name: str) -> Column:
        return F.nullif(F.trim(name), F.lit(""))

    def in_path(name: str) -> Column:
        return F.nullif(F.regexp_extract(path, _MIMIC_PATH, _IN_PATH[name]), F.lit(""))

    size = F.expr("try_cast(size AS double)")
    ids = {name: F.coalesce(given(name), in_path(name)) for name in _IN_PATH}
    ids["image_id"] = F.coalesce(ids["image_id"], path)
    rows = listed.select(
        *(value.alias(name) for name, value in ids.items()),
        path.alias("path"),
        F.when(size.between(0, LARGEST), size).alias("size"),
        F.when(given("image_id").isNotNull() & (path != ""), path).alias("named"),
    )
    best = F.min(F.struct(F.col("path") == "", "path", "study_id", "subject_id", "size"))
    one = rows.groupBy("image_id").agg(
        best.alias("best"), F.min("named").alias("first"), F.max("named").alias("last")
    )
    return one.select(
        "image_id",
        *(F.col(f"best.{name}") for name in SIZED.names[1:]),
        F.when(F.col("first") != F.col("last"), F.col("last")).alias("also"),
    )


def count_images(images: DataFrame) -> int:
    """Count images, and refuse ids that name several files: one of them would have no row.

    Args:
        images: From `identify`.

    Raises:
        UserError: There are some.
    """
    several = F.col("also").isNotNull()
    example = F.min(F.when(several, F.struct("image_id", "path", "also")))
    found = images.agg(F.count("*"), F.count_if(several), example).head()
    assert found
    if found[1]:
        raise UserError(
            f"manifest: {found[1]} image ids name several files each, e.g. {found[2].image_id} "
            f"both {found[2].path} and {found[2].also}; make them unique or leave the column out"
        )
    return int(found[0])


def _frame(spark: SparkSession, piece: pd.DataFrame) -> DataFrame:
    whole = piece.reindex(columns=list(KNOWN))
    return spark.createDataFrame(whole.astype(object).where(whole.notna(), None), LISTED)


def _named(manifest: str, access: Access) -> tuple[str, Iterator[BinaryIO]]:
    local = local_path(manifest)
    try:
        if local is not None and local.is_dir():
            files = sorted(f for f in local.iterdir() if f.suffix == ".parquet")
            return manifest, (file.open("rb") for file in files)
        return manifest, iter([open_file(manifest, access)])
    except FileNotFoundError as error:
        raise UserError(f"manifest {manifest}: no such file; name an existing one") from error
    except OSError as error:
        raise UserError(f"manifest {manifest}: cannot be read: {error.strerror}") from error


def _at_root(store: Store) -> tuple[str, Iterator[BinaryIO]] | None:
    for name in AT_ROOT:
        try:
            return name, iter([open_stream(store, name)])
        except (FileNotFoundError, IsADirectoryError):
            continue
        except OSError as error:
            said = f"manifest {name}: cannot be read: {error.strerror}"
            raise UserError(f"{said}; make it readable or name a --manifest") from error
    return None


def _listing(store: Store, every_file: bool) -> Iterator[pd.DataFrame]:
    images = list_images(store, every_file=every_file)
    while piece := list(islice(images, PIECE)):
        yield pd.DataFrame(piece, columns=["path", "size"]).astype("string")


def _relative(pieces: Iterable[pd.DataFrame], archive: str) -> Iterator[pd.DataFrame]:
    """Paths of a manifest, relative to the root however it was written."""
    local = local_path(archive)
    roots = {str(local.absolute()), str(local.resolve())} if local else {archive}
    undecided = local is not None
    for piece in pieces:
        path = piece["path"].fillna("").str.strip()
        if undecided and local is not None:
            # Paths that begin as a relative root does may be meant from the root on none the less.
            alike = path[path.str.startswith(f"{local}/")].head(1)
            undecided = alike.empty
            if not all((local / first).exists() for first in alike):
                roots.add(str(local))
        yield piece.assign(path=by_rules(path, path_rules(roots)))

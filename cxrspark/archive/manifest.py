"""Which images an archive holds, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import reduce
from itertools import chain, islice
from typing import BinaryIO, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyspark
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.csv_file import PIECE, by_rules, path_rules
from cxrspark.archive.listing import list_images
from cxrspark.archive.members import open_stream
from cxrspark.archive.pieces import read_pieces
from cxrspark.archive.storage import local_path, open_file, open_store
from cxrspark.archive.store import Store
from cxrspark.errors import UserError
from cxrspark.sessions import changed, is_connect
from cxrspark.tables.schemas import MANIFEST
from cxrspark.tables.table import Aside

AT_ROOT = ("IMAGE_FILENAMES", "cxr-record-list.csv.gz")
"""Manifests that MIMIC-CXR-JPG and MIMIC-CXR bring along."""

IMAGE_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
"""MIMIC-CXR's ids, which name one image wherever a copy of it lies."""

_MIMIC_PATH = rf"(?:^|/)p(?P<subject_id>\d+)/s(?P<study_id>\d+)/(?P<image_id>{IMAGE_ID})\.\w+$"

FILES = 2
"""Into so many at most a piece of a manifest is written, each by a task."""

ARROW_TABLES = int(pyspark.__version__.split(".")[0]) >= 4
"""Whether Spark makes a DataFrame of an Arrow table."""

LOCAL_ROWS = "spark.sql.execution.arrow.localRelationThreshold"
"""Bytes up to which the driver itself turns rows into Spark's; in tasks that is faster."""

LARGEST = 1e15
"""Bytes of a file: more, or `inf`, is no size."""

SIZED = T.StructType([*MANIFEST, T.StructField("size", T.DoubleType())])
NAMED = T.StructType([*SIZED, T.StructField("named", T.StringType())])
"""Also the path where the list itself gave the id, not the path: others may not have that id."""

Item = TypeVar("Item")


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
    frames = [_frame(spark, identify(piece)) for piece in pieces]
    listed = once_each(reduce(DataFrame.unionByName, frames))
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
    tasks_read = nullcontext() if is_connect(spark) else changed(spark, LOCAL_ROWS, 0)
    with tasks_read:
        for table in one_ahead(map(identify, pieces)):
            named = aside.keep(_frame(spark, table).coalesce(FILES), "images", append=True)
    counted = named.agg(F.count("*"), F.count_distinct(F.xxhash64("image_id"))).head()
    assert counted
    if counted[0] == counted[1]:  # as nearly always; to group all rows takes far longer
        return named.select(*SIZED.names), int(counted[0])
    images = aside.keep(once_each(named), "images-once")
    aside.discard("images")
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
        Columns `cxrspark.archive.pieces.KNOWN` as strings, `path` relative to the root.

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
        other = "--manifest" if manifest else "archive or --manifest FILE"
        raise UserError(f"{source}: holds no image; name another {other}")
    return chain([first], pieces)


def identify(listed: pd.DataFrame) -> pa.Table:
    """Fill in ids, by Arrow's expressions: a tenth of the time that Spark's take for a piece.

    Args:
        listed: As `list_pieces` yields it.

    Returns:
        Columns `NAMED`: those of `SIZED`, and the path where the list itself gave the id.
    """
    path = pc.fill_null(pa.array(listed["path"], pa.string()), "")
    in_path = pc.extract_regex(path, _MIMIC_PATH)
    given = {name: _given(listed, name) for name in ("image_id", "study_id", "subject_id")}
    ids = {name: pc.coalesce(said, pc.struct_field(in_path, name)) for name, said in given.items()}
    size = pd.to_numeric(listed["size"], errors="coerce") if "size" in listed else None
    known = [None] * len(listed) if size is None else size.where(size.between(0, LARGEST))
    named = pc.and_(pc.is_valid(given["image_id"]), pc.not_equal(path, ""))
    columns = {
        **ids,
        "image_id": pc.coalesce(ids["image_id"], path),
        "path": path,
        "size": pa.array(known, pa.float64(), from_pandas=True),
        "named": pc.if_else(named, path, None),
    }
    return pa.table([columns[name] for name in NAMED.names], NAMED.names)


def once_each(named: DataFrame) -> DataFrame:
    """Keep one row of an image that is listed more than once.

    Args:
        named: Columns `NAMED`, from `identify`.

    Returns:
        Columns of `SIZED`, and `also`: another file of the same id, where the list gave the id.
    """
    best = F.min(F.struct(F.col("path") == "", "path", "study_id", "subject_id", "size"))
    one = named.groupBy("image_id").agg(
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
        images: From `once_each`.

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


def _given(listed: pd.DataFrame, name: str) -> pa.Array:
    """What a list gives, without blanks around it; null where that is nothing."""
    if name not in listed:
        return pa.nulls(len(listed), pa.string())
    trimmed = pc.ascii_trim(pa.array(listed[name], pa.string()), " ")
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, the next of which is made in a thread while one is worked on."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item


def _frame(spark: SparkSession, table: pa.Table) -> DataFrame:
    if ARROW_TABLES:
        return spark.createDataFrame(table, NAMED)
    rows = table.to_pandas()
    return spark.createDataFrame(rows.astype(object).where(rows.notna(), None), NAMED)


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

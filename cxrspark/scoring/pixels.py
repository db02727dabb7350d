"""Manifest to pixels: every image is read and shrunk where its partition is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice, tee

import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.read_ahead import read_many
from cxrspark.archive.storage import open_store
from cxrspark.archive.store import Store
from cxrspark.archive.witness import WitnessedStore
from cxrspark.errors import ObjectError
from cxrspark.pixels.image import NO_HEADER, RECIPE, Header, Pixels, PixelsError
from cxrspark.pixels.isolated import Isolated
from cxrspark.pixels.shrink_to_64 import shrink
from cxrspark.scoring.patients import PatientIds
from cxrspark.scoring.tally import Tally
from cxrspark.scoring.worker import forget_zips
from cxrspark.tables.schemas import MANIFEST, PIXELS

Batches = Iterator[pa.RecordBatch]
Row = tuple[int | bytes | str | None, ...]
Decode = Callable[[bytes], Pixels]

PATIENCE = 60.0
"""Seconds for which a task repeats a request that fails in passing; it is tried four times."""


def read_pixels(
    manifest: DataFrame,
    archive: str,
    access: Access = DEFAULT_ACCESS,
    tally: Tally | None = None,
    witness: str | None = None,
    patients: PatientIds = PatientIds(),  # noqa: B008  # it is frozen
) -> DataFrame:
    """Shrink every image of the manifest to 64×64.

    Args:
        manifest: Columns of `cxrspark.tables.schemas.MANIFEST`; its partitions are the tasks.
        archive: Root folder or URL, as the executors see it.
        access: How they reach it.
        tally: Counts images and errors as tasks end.
        witness: Path of an image that the driver has read. An image that is missing, or to which
            access is denied, is an error of that image if this one can be read; else of the host.
        patients: What becomes of the patient ids of DICOM files.

    Returns:
        Columns of `cxrspark.tables.schemas.PIXELS`, a row for each row of `manifest`: `pixels`
        holds 4,096 bytes (uint8, row-major, shape (64, 64)), or is null and `error` says why. What
        a DICOM header says is there in both cases; it names study and subject where the manifest
        does not.
    """
    ids = manifest.select(*MANIFEST.names)
    return ids.mapInArrow(_reader(archive, access, tally, witness, patients), PIXELS)


def _reader(
    archive: str,
    access: Access,
    tally: Tally | None,
    witness: str | None,
    patients: PatientIds,
) -> Callable[[Batches], Batches]:
    def read(batches: Batches) -> Batches:
        listed, ahead = tee(batches)
        paths = (path for batch in ahead for path in batch.column("path").to_pylist())
        contents = read_many(executor_store(archive, access, witness), paths)
        with _decoder() as decode:
            for ids in listed:
                rows = [_row(content, decode) for content in islice(contents, ids.num_rows)]
                if tally:
                    tally.count(len(rows), sum(row[3] is not None for row in rows))
                yield _with_pixels(ids, rows, archive, patients)
        forget_zips()

    return read


@contextmanager
def _decoder() -> Iterator[Decode]:
    """What shrinks an image: a process of its own where the task has been tried before.

    A file may have ended its first try, and this process with it. (A speculative copy of a task
    counts as tried, which costs it some tenths of a second.)
    """
    context = TaskContext.get()
    if context is None or context.attemptNumber() == 0:
        yield shrink
        return
    isolated = Isolated()
    try:
        yield isolated.shrink
    finally:
        isolated.close()


@lru_cache(maxsize=4)
def executor_store(archive: str, access: Access, witness: str | None = None) -> Store:
    """The archive's store; a Python worker keeps its connections from task to task.

    Args:
        archive: Root, as the executors see it.
        access: How they reach it.
        witness: See `read_pixels`.
    """
    return WitnessedStore(open_store(archive, access, PATIENCE), archive, witness)


def _row(content: bytes | ObjectError, decode: Decode) -> Row:
    """(rows, columns, pixels, error) of one image, and its header."""
    if isinstance(content, ObjectError):
        return None, None, None, str(content), *NO_HEADER
    try:
        pixels = decode(content)
    except PixelsError as error:
        return None, None, None, str(error), *error.header
    return pixels.rows, pixels.columns, pixels.values.tobytes(), None, *pixels.header


def _with_pixels(
    ids: pa.RecordBatch, rows: list[Row], archive: str, patients: PatientIds
) -> pa.RecordBatch:
    schema = to_arrow_schema(PIXELS)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * (4 + len(NO_HEADER))
    header = dict(zip(Header._fields, columns[4:], strict=True))
    header["patient_id"] = [patients(patient) for patient in header["patient_id"]]
    known = ids.to_pydict()
    for name, said in (("study_id", "study_uid"), ("subject_id", "patient_id")):
        pairs = zip(known[name], header[said], strict=True)
        known[name] = [given if given is not None else other for given, other in pairs]
    values = [
        *known.values(), *columns[:4], *header.values(), [RECIPE] * len(rows),
        [archive] * len(rows),
    ]  # fmt: skip
    arrays = [pa.array(v, field.type) for v, field in zip(values, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)

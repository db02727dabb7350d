"""Small pictures of a few images, for people to look at."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pandas as pd
from PIL import Image, ImageFile
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.read_ahead import read_many
from cxrspark.errors import ObjectError
from cxrspark.pixels.dicom.sniff import is_dicom
from cxrspark.pixels.image import SIDE, Grey8, PixelsError
from cxrspark.pixels.picture_file import read_picture
from cxrspark.scoring.pixels import executor_store
from cxrspark.sessions import cores

QUALITIES = (85, 75, 60, 45, 30, 15)
BUDGET = 3_000_000
"""Bytes of all the pictures of a page, as data URIs."""

RESULT = "image_id string, rows int, columns int, grey binary"


def from_pixels(pixels: DataFrame, images: Iterable[str]) -> dict[str, Grey8]:
    """Take pictures from a pixels table.

    Args:
        pixels: Columns of `cxrspark.tables.schemas.PIXELS`.
        images: Image ids; a few hundred.

    Returns:
        uint8, shape (64, 64), by image id, for those that the table holds pixels of.
    """
    wanted = pixels.where(F.col("image_id").isin(list(images)) & F.col("pixels").isNotNull())
    rows = wanted.select("image_id", "pixels").collect()
    return {row[0]: np.frombuffer(row[1], np.uint8).reshape(SIDE, SIDE) for row in rows}


def from_archive(
    spark: SparkSession,
    archive: str,
    paths: Mapping[str, str],
    side: int,
    access: Access = DEFAULT_ACCESS,
) -> dict[str, Grey8]:
    """Read images again and shrink them to thumbnails, on the executors.

    Args:
        spark: The session.
        archive: Root folder or URL, as the executors see it.
        paths: Path relative to the root, by image id; a few hundred.
        side: Pixels along the longer side.
        access: How the executors reach the archive.

    Returns:
        uint8 with the image's own aspect ratio, by image id; those that cannot be read are left
        out.
    """
    if not paths:
        return {}
    table = pd.DataFrame({"image_id": list(paths), "path": list(paths.values())})
    tasks = 4 * cores(spark)
    listed = spark.createDataFrame(table).repartition(tasks)
    rows = listed.mapInPandas(_reader(archive, side, access), RESULT)
    return {
        row["image_id"]: np.frombuffer(row["grey"], np.uint8).reshape(row["rows"], row["columns"])
        for row in rows.collect()
    }


def thumbnail(data: bytes, side: int) -> Grey8:
    """Decode an image file and shrink it, keeping its aspect ratio.

    Of a truncated picture file it shows what is there, where its decoder can.

    Args:
        data: The whole file.
        side: Pixels along the longer side of the result.

    Returns:
        uint8, shape (rows, columns), air black.

    Raises:
        PixelsError: Not an image that pixels can be made of.
    """
    if is_dicom(data):
        from cxrspark.pixels.dicom.grey import read_dicom  # pydicom is optional

        grey = read_dicom(data).grey
    else:
        with _as_far_as_they_go():
            grey, _, _ = read_picture(data, side)
    grey.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(grey)


def data_uris(pictures: Mapping[str, Grey8], budget: int = BUDGET) -> dict[str, str]:
    """Encode pictures as JPEG data URIs, as well as the budget allows.

    Args:
        pictures: uint8 pictures by image id.
        budget: Characters of all URIs together.

    Returns:
        Data URIs by image id, all of one quality.
    """
    uris: dict[str, str] = {}
    for quality in QUALITIES:
        uris = {name: _data_uri(grey, quality) for name, grey in pictures.items()}
        if sum(map(len, uris.values())) <= budget:
            break
    return uris


@contextmanager
def _as_far_as_they_go() -> Iterator[None]:
    """Pillow shows what is there of a truncated file, for as long as nothing is to be scored."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _reader(
    archive: str, side: int, access: Access
) -> Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]:
    def read(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        store = executor_store(archive, access)
        for batch in batches:
            contents = read_many(store, batch["path"])
            for image_id, content in zip(batch["image_id"], contents, strict=True):
                yield from _row(image_id, content, side)

    return read


def _row(image_id: str, content: bytes | ObjectError, side: int) -> Iterator[pd.DataFrame]:
    if isinstance(content, ObjectError):
        return
    try:
        grey = thumbnail(content, side)
    except PixelsError:
        return
    rows, columns = grey.shape
    yield pd.DataFrame(
        {"image_id": [image_id], "rows": [rows], "columns": [columns], "grey": [grey.tobytes()]}
    )


def _data_uri(grey: Grey8, quality: int) -> str:
    file = BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=quality, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()

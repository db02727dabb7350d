"""The same picture under several ids: found among kept pixels, confirmed on them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from hashlib import blake2b
from operator import add

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from cxrspark.audit.alike import BANDS, Coder, are_same, as_pixels
from cxrspark.pixels.image import SIDE
from cxrspark.sessions import to_executors

SAMPLE = 4096
"""Pictures that codes are fitted to, about, and at most twice as many."""

CROWD = 1000
"""More pictures with one code in common are no copies of each other but a kind of picture, blank
ones say; codes that they share are left aside."""

EXACT, NEAR = "exact", "near"

COLUMNS = (
    "kind", "alike", "same_subject", "image_id", "subject_id", "path", "other_image_id",
    "other_subject_id", "other_path",
)  # fmt: skip
"""A row of `duplicates`: two ids of one picture."""

_SCORED = T.StructType(
    [
        T.StructField("id", T.StringType()),
        T.StructField("other", T.StringType()),
        T.StructField("alike", T.FloatType()),
    ]
)


def duplicates(pixels: DataFrame) -> DataFrame:
    """Pairs of images that are the same picture.

    Exact copies have the same 64×64 pixels; each is paired with the first of them by id. Near
    copies are compressed, resized or of another contrast; those of exact copies are found once.
    Candidates have a code of `cxrspark.audit.alike.Coder` in common (banding of random
    projections), and `are_same` decides on their pixels.

    Args:
        pixels: `image_id`, `subject_id`, `path` and `pixels`, one row per image; is read several
            times.

    Returns:
        Columns `COLUMNS`; `same_subject` is null where a subject is unknown.
    """
    readable = pixels.where(F.col("pixels").isNotNull())
    coder = _coder(readable)
    coded = _coded(readable, coder).persist()  # asked for often, some 200 bytes an image
    pictures = coded.groupBy("picture").agg(
        F.min("id").alias("first"),
        F.min_by("codes", "id").alias("codes"),
        F.count("*").alias("copies"),
    )
    exact = (
        coded.join(pictures.where(F.col("copies") > 1).drop("codes"), "picture")
        .where(F.col("id") != F.col("first"))
        .select(F.col("first").alias("id"), F.col("id").alias("other"))
        .withColumn("alike", F.lit(1.0).cast("float"))
    )
    near = _confirmed(_candidates(pictures, coder.far), readable)
    pairs = exact.withColumn("kind", F.lit(EXACT)).unionByName(near.withColumn("kind", F.lit(NEAR)))
    return _named(pairs, readable)


def paths_of(pairs: pd.DataFrame) -> dict[str, str]:
    """Path by image id, of both images of each pair."""
    firsts = zip(pairs["image_id"], pairs["path"], strict=True)
    others = zip(pairs["other_image_id"], pairs["other_path"], strict=True)
    return dict(firsts) | dict(others)


def _coder(readable: DataFrame) -> Coder:
    """Fitted to pictures that are drawn by id, from all of the archive."""
    images = max(1, readable.count())
    drawn = F.pmod(F.xxhash64("image_id"), F.lit(max(1, images // SAMPLE))) == 0
    rows = readable.where(drawn).select("pixels").limit(2 * SAMPLE).collect()
    different = list(dict.fromkeys(bytes(row["pixels"]) for row in rows))
    return Coder.of(as_pixels(different or [bytes(SIDE * SIDE)]), images)


def _coded(readable: DataFrame, fitted: Coder) -> DataFrame:
    """`id`, `codes` and `picture`, which is the same where all pixels are."""
    coder = to_executors(readable.sparkSession, fitted)

    def encode(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            if not len(batch):
                continue
            rows = list(batch["pixels"])
            codes = list(coder.value.codes(as_pixels(rows)))
            pictures = [blake2b(row, digest_size=16).digest() for row in rows]
            yield pd.DataFrame({"id": batch["image_id"], "codes": codes, "picture": pictures})

    schema = "id string, codes array<bigint>, picture binary"
    return readable.select("image_id", "pixels").mapInPandas(encode, schema)


def _candidates(pictures: DataFrame, far: int) -> DataFrame:
    """Pairs `id`, `other` of pictures that have a code in common and most bits of all codes."""
    each = pictures.select(F.col("first").alias("id"), "codes", F.explode("codes").alias("code"))
    crowds = each.groupBy("code").count().where(~F.col("count").between(2, CROWD))
    each = each.join(crowds, "code", "left_anti")
    one, other = each.alias("one"), each.alias("other")
    return (
        one.join(other, F.col("one.code") == F.col("other.code"))
        .where((F.col("one.id") < F.col("other.id")) & (_bits_apart() <= far))
        .select(F.col("one.id").alias("id"), F.col("other.id").alias("other"))
        .distinct()
    )


def _bits_apart() -> Column:
    codes = (F.col("one.codes"), F.col("other.codes"))
    return reduce(add, [F.bit_count(codes[0][n].bitwiseXOR(codes[1][n])) for n in range(BANDS)])


def _confirmed(candidates: DataFrame, readable: DataFrame) -> DataFrame:
    """Those that are the same by their pixels; pixels, some kilobytes each, are joined last."""

    def decide(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            if not len(batch):
                continue
            pair = (as_pixels(list(batch[name])) for name in ("pixels", "other_pixels"))
            same, alike = are_same(*pair)
            yield batch.assign(alike=alike)[list(_SCORED.names)][same]

    with_pixels = candidates
    for name, column in (("id", "pixels"), ("other", "other_pixels")):
        named = readable.select(F.col("image_id").alias(name), F.col("pixels").alias(column))
        with_pixels = with_pixels.join(named, name)
    return with_pixels.mapInPandas(decide, _SCORED)


def _named(pairs: DataFrame, images: DataFrame) -> DataFrame:
    ids = images.select("image_id", "subject_id", "path")
    other = ids.select(*(F.col(name).alias(f"other_{name}") for name in ids.columns))
    named = pairs.withColumnsRenamed({"id": "image_id", "other": "other_image_id"})
    named = named.join(ids, "image_id").join(other, "other_image_id")
    same = F.col("subject_id") == F.col("other_subject_id")
    return named.withColumn("same_subject", same).select(*COLUMNS)

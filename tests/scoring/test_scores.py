from contextlib import suppress

import numpy as np
import psutil
import pytest
from chispa import assert_column_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.errors import UserError
from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.scoring.scores import refuse_other_recipe, score, view_of
from cxrspark.scoring.tally import Tally
from cxrspark.tables.schemas import SCORES

from helpers.tables import pixels_of

IMAGES = np.random.default_rng(3).integers(0, 256, (5, 64, 64), dtype=np.uint8)


def pixels_table(spark: SparkSession) -> DataFrame:
    rows = [(f"i{n}", "s1", 100 + n, 200, image.tobytes(), None) for n, image in enumerate(IMAGES)]
    rows.insert(2, ("bad", None, None, None, None, "empty file"))
    return pixels_of(spark, "image_id study_id rows columns pixels error", rows)


def test_every_row_is_scored_or_keeps_its_error(spark: SparkSession) -> None:
    bundle = load_bundle()
    pixels = pixels_table(spark).coalesce(1)
    tally = Tally.on(spark.sparkContext)
    scores = score(pixels, bundle, archive="gs://a", run_id="r1", tally=tally)
    assert [(f.name, f.dataType) for f in scores.schema] == [(f.name, f.dataType) for f in SCORES]
    rows = {row.image_id: row for row in scores.collect()}
    expected = Scorer(bundle.flatbuffer).p_frontal(IMAGES)
    found = [rows[f"i{n}"].p_frontal for n in range(5)]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert [rows["bad"][name] for name in ("view", "p_frontal", "error")] == [
        None,
        None,
        "empty file",
    ]
    assert {row.model_id for row in rows.values()} == {bundle.model_id}
    assert {(row.archive, row.run_id) for row in rows.values()} == {("gs://a", "r1")}
    assert (rows["i3"].rows, rows["i3"].columns, rows["i3"].study_id) == (103, 200, "s1")
    assert tally.counts() == (6, 1)


def test_views_follow_the_thresholds(spark: SparkSession) -> None:
    bundle = load_bundle()
    low, high = bundle.lateral_below, bundle.frontal_above
    cases = [
        (0.0, "lateral"),
        (low - 1e-9, "lateral"),
        (low, "uncertain"),
        (high, "uncertain"),
        (high + 1e-9, "frontal"),
        (1.0, "frontal"),
        (None, None),
    ]
    rows = spark.createDataFrame(cases, "p double, expected string")
    assert_column_equality(rows.withColumn("view", view_of("p", bundle)), "view", "expected")


def test_kept_pixels_of_another_recipe_are_refused(spark: SparkSession) -> None:
    pixels = pixels_table(spark).withColumn("pixels_recipe", F.lit("area32-9"))
    with pytest.raises(UserError, match="pixels table: holds area32-9, the model needs"):
        refuse_other_recipe(pixels, load_bundle())


def test_workers_load_litert_and_no_tensorflow(spark: SparkSession) -> None:
    pixels = pixels_table(spark).repartition(4)
    score(pixels, load_bundle(), archive="a", run_id="r").collect()
    loaded = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # a worker ended meanwhile
            if "pyspark.daemon" in process.cmdline():
                loaded |= {file.path for file in process.memory_maps()}
    assert any("/ai_edge_litert/" in path for path in loaded)
    heavy = ("/tensorflow/", "/matplotlib/", "/pydantic_core/", "/h5py/")
    assert not [path for path in loaded if any(name in path for name in heavy)]

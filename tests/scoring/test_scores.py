from contextlib import suppress
from dataclasses import replace
from io import BytesIO

import numpy as np
import pandas as pd
import psutil
import pytest
from chispa import assert_column_equality
from PIL import Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cxrspark.errors import UserError
from cxrspark.model.answers import DOUBTFUL
from cxrspark.model.bundle import Bundle, load_bundle
from cxrspark.model.inference import Scorer, said_of
from cxrspark.phantoms.study import Study, View, phantom_study, render
from cxrspark.pixels.image import Grey8
from cxrspark.pixels.shrink_to_64 import shrink
from cxrspark.scoring.scores import ANSWERS, refuse_other_recipe, score, view_of
from cxrspark.scoring.tally import Tally
from cxrspark.tables.schemas import SCORES

from benchmarks.common.jobs import python_workers
from helpers.tables import pixels_of

IMAGES = np.random.default_rng(3).integers(0, 256, (5, 64, 64), dtype=np.uint8)


def pixels_table(spark: SparkSession) -> DataFrame:
    rows = [(f"i{n}", "s1", 100 + n, 200, image.tobytes(), None) for n, image in enumerate(IMAGES)]
    rows.insert(2, ("bad", None, None, None, None, "empty file"))
    return pixels_of(spark, "image_id study_id rows columns pixels error", rows)


def both(study: Study) -> tuple[View, View]:
    return study.frontal, study.lateral


def png(grey: Grey8) -> bytes:
    file = BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


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


def answers(image: Grey8, bundle: Bundle) -> list[object]:
    """What a row must say of one image, worked out from the networks' outputs one by one."""
    given = bundle.thresholds
    assert given
    assert bundle.answers
    networks = Scorer(bundle.flatbuffer), Scorer(bundle.answers)
    p_frontal, said = (network(image[None])[0] for network in networks)
    turns = int(said[1:5].argmax()) if said[1:5].max() >= given.turn_sure else None
    inverted = said[5] > given.inverted[1]
    if said[0] >= DOUBTFUL and (turns or inverted):
        copy = np.rot90(image, -(turns or 0))
        copy = 255 - copy if inverted else copy
        p_frontal, of_copy = (network(copy[None])[0] for network in networks)
        said[[0, 6, 7]] = of_copy[[0, 6, 7]]
    view = "uncertain"
    if p_frontal < bundle.lateral_below or p_frontal > bundle.frontal_above:
        view = "frontal" if p_frontal > 0.5 else "lateral"
    if said[0] < given.chest_below:
        return ["other", None, None, None, None]

    def side(p: float, ends: tuple[float, float]) -> bool | None:
        return None if ends[0] <= p <= ends[1] else bool(p > 0.5)

    frontal = view == "frontal"
    ap = side(said[7], given.ap) if frontal else None
    return [
        view,
        None if turns is None else 90 * turns,
        side(said[5], given.inverted),
        side(said[6], given.mirrored) if frontal else None,
        None if ap is None else "AP" if ap else "PA",
    ]


def test_the_other_answers_follow_the_networks_and_the_thresholds(spark: SparkSession) -> None:
    shipped = load_bundle()
    assert shipped.answers
    assert shipped.thresholds
    # An untrained bundle's images would be of one class; this one answers to each of them.
    thresholds = replace(shipped.thresholds, ap=(0.5, 0.5), mirrored=(0.4, 0.6), turn_sure=0.5)
    card = {**shipped.card, "answers": {"thresholds": thresholds.as_card()}}
    bundle = replace(shipped, card=card)
    chests = [render(view) for n in range(6) for view in both(phantom_study(n, 128))]
    laid = [np.rot90(c, n % 4) if n % 2 else 255 - c for n, c in enumerate(chests)]
    images = np.stack([shrink(png(image)).values for image in [*chests, *laid]])
    images = np.concatenate([images, IMAGES])
    rows = [(f"i{n}", image.tobytes()) for n, image in enumerate(images)]
    pixels = pixels_of(spark, "image_id pixels", rows)
    scores = score(pixels, bundle, archive="a", run_id="r")
    found = {row.image_id: row for row in scores.collect()}
    said = said_of(pd.Series([image.tobytes() for image in images]), bundle.networks)
    names = ("view", "turn", "inverted", "mirrored", "projection")
    expected = [answers(image, bundle) for image in images]
    assert [[found[f"i{n}"][name] for name in names] for n in range(len(images))] == expected
    assert {row[0] for row in expected} >= {"frontal", "lateral", "other"}
    assert {row[1] for row in expected} >= {0, 90, 270}
    p_chest = [found[f"i{n}"].p_chest for n in range(len(images))]
    np.testing.assert_allclose(p_chest, said["p_chest"], atol=1e-6)


def test_a_turned_or_inverted_chest_gets_the_view_of_its_upright_copy() -> None:
    """A batch holds an image without pixels and an other, so that rows are not mixed up."""
    networks = load_bundle().networks
    for view in both(phantom_study(3, 128)):
        upright = shrink(png(render(view))).values
        laid = [np.rot90(grey, n) for n in range(4) for grey in (upright, 255 - upright)]
        given = [None, IMAGES[0].tobytes(), *(np.ascontiguousarray(one).tobytes() for one in laid)]
        said = said_of(pd.Series(given), networks)
        names = ["p_frontal", "p_chest", "p_mirrored", "p_ap"]
        assert said.loc[0].isna().all()
        for row in range(2, len(given)):
            assert said.loc[row, names].tolist() == said.loc[2, names].tolist()


def test_a_bundle_without_a_second_network_gives_its_columns_no_value(spark: SparkSession) -> None:
    shipped = load_bundle()
    card = {name: value for name, value in shipped.card.items() if name != "answers"}
    old = Bundle(shipped.flatbuffer, card)
    rows = score(pixels_table(spark), old, archive="a", run_id="r").collect()
    assert {row[name] for row in rows for name in ANSWERS} == {None}
    assert {row.view for row in rows} <= {"frontal", "lateral", "uncertain", None}
    assert {row.model_id for row in rows} == {old.model_id}


def test_kept_pixels_of_another_recipe_are_refused(spark: SparkSession) -> None:
    pixels = pixels_table(spark).withColumn("pixels_recipe", F.lit("area32-9"))
    with pytest.raises(UserError, match="pixels table: holds area32-9, the model needs"):
        refuse_other_recipe(pixels, load_bundle())


def test_workers_load_litert_and_no_tensorflow(spark: SparkSession) -> None:
    pixels = pixels_table(spark).repartition(4)
    score(pixels, load_bundle(), archive="a", run_id="r").collect()
    loaded = set()
    for process in python_workers(psutil.Process()):
        with suppress(psutil.NoSuchProcess):  # a worker ended meanwhile
            loaded |= {file.path for file in process.memory_maps()}
    assert any("/ai_edge_litert/" in path for path in loaded)
    heavy = ("/tensorflow/", "/matplotlib/", "/pydantic_core/", "/h5py/")
    assert not [path for path in loaded if any(name in path for name in heavy)]

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import read_manifest
from cxrspark.errors import UserError
from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.model.network import PARAMETERS, p_frontal
from cxrspark.model.seen import load_seen
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.scores import score
from cxrspark.training.feed import kept_pixels, read_labelled, write_labelled
from cxrspark.training.run import _open_work, train
from cxrspark.training.settings import TrainSettings

from helpers.toys import toy_images, write_toys

import keras  # isort: skip

pytestmark = pytest.mark.end_to_end


def _settings(tmp_path: Path, **changes: object) -> TrainSettings:
    given = {
        "labels": str(tmp_path / "archive" / "labels.csv"),
        "archive": str(tmp_path / "archive"),
        "bundle": tmp_path / "bundle",
        "epochs": 3,
        "batch_size": 16,
    }
    return TrainSettings(**(given | changes))


def test_from_labels_to_a_bundle_that_scores(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 60)
    (tmp_path / "archive" / "007.png").write_bytes(b"no image")
    settings = _settings(tmp_path)
    lines: list[str] = []
    bundle = train(spark, settings, lines.append)

    assert "warning: 1 labelled images cannot be read, left out: e.g. 007.png" in lines
    assert bundle.card["parameters"] == PARAMETERS
    on = bundle.card["trained_on"]["views"], bundle.card["validated_on"]["views"]
    assert sum(on[0].values()) + sum(on[1].values()) == len(rows) - 1
    assert set(bundle.card["recipe"]) >= {"seed", "epochs", "augmentation"}
    assert str(tmp_path) not in json.dumps(bundle.card)
    files = {path.name for path in settings.bundle.iterdir()}
    assert files == {
        "model.tflite",
        "model.keras",
        "model.json",
        "seen.json",
        "history.csv",
        "curves.png",
    }
    seen = load_seen(str(settings.bundle))
    known = rows.assign(image_id=rows["path"], source=None)
    assert seen.images(known).all()
    assert seen.patients(known.assign(image_id="other")).all()
    assert not seen.patients(known.assign(image_id="other", patient_id=None)).any()
    history = pd.read_csv(settings.bundle / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]

    again = load_bundle(str(settings.bundle))
    assert again.model_id == bundle.model_id
    images = toy_images(60)[0]
    by_keras = p_frontal(keras.models.load_model(settings.bundle / "model.keras"), images)
    by_litert = Scorer(again.flatbuffer).p_frontal(images)
    np.testing.assert_allclose(by_litert, by_keras, rtol=0, atol=1e-5)
    pixels = read_pixels(read_manifest(spark, settings.archive), settings.archive)
    scored = score(pixels, again, archive="-", run_id="-").toPandas().set_index("path")
    by_spark = scored.loc[rows["path"][8:20], "p_frontal"].to_numpy(float)
    np.testing.assert_allclose(by_spark, by_keras[8:20], rtol=0, atol=1e-5)


def test_kept_pixels_are_those_that_delta_has_committed(
    delta: None, spark: SparkSession, tmp_path: Path
) -> None:
    write_toys(tmp_path / "archive", 8)
    pixels = read_pixels(read_manifest(spark, str(tmp_path / "archive")), str(tmp_path / "archive"))
    table = str(tmp_path / "pixels")
    for _ in range(2):  # the second overwrites the first, whose files stay
        pixels.write.format("delta").mode("overwrite").save(table)
    assert kept_pixels(spark, table, "delta").count() == 8
    with pytest.raises(UserError, match="is a delta table; use --format delta"):
        kept_pixels(spark, table, "parquet")


def test_table_holds_the_pixels_that_scoring_uses(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 30).assign(source=None)
    archive = str(tmp_path / "archive")
    pixels = read_pixels(read_manifest(spark, archive), archive)
    labelled = rows.assign(image_id=rows["path"], label=rows["view"])
    table = write_labelled(spark, labelled, pixels, str(tmp_path / "table"))
    assert table.views == {"frontal": 15, "lateral": 15}
    assert table.sources == {"": 30}
    images = read_labelled(table.folder)
    expected = {image.tobytes(): float(view) for image, view in zip(*toy_images(30), strict=True)}
    for _ in range(2):  # the second pass comes from the cache
        read = list(images.as_numpy_iterator())
        assert len({pixels.tobytes() for pixels, _ in read}) == 30
        assert all(expected[pixels.tobytes()] == frontal for pixels, frontal in read)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("path,view\n000.png,frontal\nnone.png,lateral\n", "1 of 2 labels .* match no image"),
        ("path,view\n000.png,frontal\n001.png,oblique\n", "views other than .*'oblique'"),
        ("path,view\n000.png,frontal\n002.png,frontal\n", "no lateral image"),
    ],
)
def test_unusable_labels_are_refused(
    spark: SparkSession, tmp_path: Path, labels: str, message: str
) -> None:
    write_toys(tmp_path / "archive", 4)
    (tmp_path / "archive" / "labels.csv").write_text(labels)
    with pytest.raises(UserError, match=message):
        train(spark, _settings(tmp_path), print)
    assert not (tmp_path / "bundle" / "model.json").exists()


def test_a_patient_in_both_files_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 12)
    rows.iloc[7:].to_csv(tmp_path / "validation.csv", index=False)
    rows.iloc[:7].to_csv(tmp_path / "archive" / "labels.csv", index=False)
    settings = _settings(tmp_path, validation_labels=str(tmp_path / "validation.csv"))
    with pytest.raises(UserError, match=r"1 patients are in both .* e.g. 007.png"):
        train(spark, settings, print)


def test_work_of_other_settings_is_thrown_away(tmp_path: Path) -> None:
    work = tmp_path / "bundle" / "work"
    labels = tmp_path / "archive" / "labels.csv"
    labels.parent.mkdir()
    labels.write_text("path,view\n1.png,frontal\n")
    _open_work(work, _settings(tmp_path))
    (work / "state.npz").write_text("kept")
    _open_work(work, _settings(tmp_path, tensorboard=tmp_path / "log"))
    assert (work / "state.npz").exists()
    _open_work(work, _settings(tmp_path, seed=2))
    assert not (work / "state.npz").exists()
    (work / "state.npz").write_text("kept")
    labels.write_text("path,view\n1.png,lateral\n")
    _open_work(work, _settings(tmp_path, seed=2))
    assert not (work / "state.npz").exists()
    with pytest.raises(UserError, match=r"labels none\.csv: cannot be read"):
        _open_work(work, _settings(tmp_path, labels="none.csv"))


def test_one_view_left_of_unreadable_images_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 12)
    for path in rows.loc[rows["view"] == "lateral", "path"]:
        (tmp_path / "archive" / path).write_bytes(b"no image")
    with pytest.raises(UserError, match=r"no lateral image to use for training \(\d frontal\)"):
        train(spark, _settings(tmp_path), print)


def test_a_model_that_calls_nothing_is_warned_of(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 40)
    one = (tmp_path / "archive" / "000.png").read_bytes()
    for path in rows["path"]:  # nothing tells the views apart
        (tmp_path / "archive" / path).write_bytes(one)
    lines: list[str] = []
    bundle = train(spark, _settings(tmp_path, epochs=1), lines.append)
    assert any(line.startswith("warning: the model calls every image uncertain") for line in lines)
    assert bundle.card["figures"]["right_of_called"] is None
    assert load_bundle(str(tmp_path / "bundle")).frontal_above == 1

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.archive.manifest import read_manifest
from cxrspark.errors import UserError
from cxrspark.model.bundle import write_bundle
from cxrspark.model.calibration import Platt
from cxrspark.model.inference import Scorer
from cxrspark.model.network import build_network, build_scorer, p_frontal
from cxrspark.model.seen import load_seen
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.scores import score
from cxrspark.training.run import train
from cxrspark.training.second_round import first_weights
from cxrspark.training.settings import TrainSettings

from helpers.toys import toy_images, write_toys

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


def test_second_round_from_kept_pixels(spark: SparkSession, tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "archive", 40)
    pixels = read_pixels(read_manifest(spark, str(tmp_path / "archive")), str(tmp_path / "archive"))
    pixels.write.parquet(str(tmp_path / "pixels"))
    kept = {"archive": None, "pixels": str(tmp_path / "pixels"), "epochs": 1}
    alone = _settings(tmp_path, **kept, bundle=tmp_path / "first")
    first = train(spark, alone, print)
    assert first.card["continues"] is None
    scores = score(pixels, first, archive="-", run_id="-")
    scores.write.parquet(str(tmp_path / "scores"))
    more = kept | {
        "continue_from": str(tmp_path / "first"),
        "add_scores": str(tmp_path / "scores"),
        "min_confidence": 0.500001,
    }
    rows.iloc[:20].to_csv(tmp_path / "few.csv", index=False)
    few = _settings(tmp_path, labels=str(tmp_path / "few.csv"), **more)
    with pytest.raises(UserError, match="20 of 20 images are of unknown patients"):
        train(spark, few, print)  # whom the archive does not name

    nameless = rows.iloc[:20].drop(columns="patient_id")
    nameless.to_csv(tmp_path / "few.csv", index=False)
    lines: list[str] = []
    second = train(spark, few, lines.append)
    assert sum(second.card["trained_on"]["views"].values()) == 36  # 40 less 4 to validate on
    assert f"20 images of {tmp_path / 'scores'} added" in lines
    assert second.card["continues"] == first.model_id
    seen = load_seen(str(tmp_path / "bundle"))
    assert seen.images(rows.assign(image_id=rows["path"], source=None)).all()  # the first's too

    drawn = train(spark, _settings(tmp_path, **more, frontal=10, lateral=10), print)
    held_back = drawn.card["validated_on"]["patients"]  # of two images each, drawn or not
    assert sum(drawn.card["trained_on"]["views"].values()) == 40 - 2 * held_back

    with pytest.raises(UserError, match=r"table .*pixels: has other columns"):
        train(spark, _settings(tmp_path, **(more | {"add_scores": kept["pixels"]})), print)
    with pytest.raises(UserError, match=r"table .*scores: has other columns"):
        train(spark, _settings(tmp_path, **(kept | {"pixels": more["add_scores"]})), print)
    other = scores.withColumn("model_id", F.lit("other"))
    other.write.mode("append").parquet(str(tmp_path / "scores"))
    train(spark, few, print)  # whose scores are meant
    other.write.mode("overwrite").parquet(str(tmp_path / "scores"))
    with pytest.raises(UserError, match=f"model {first.model_id}: .*scores has no scores of it"):
        train(spark, few, print)


def test_a_training_goes_on_from_a_bundle(spark: SparkSession, tmp_path: Path) -> None:
    write_toys(tmp_path / "archive", 40)
    first = train(spark, _settings(tmp_path, bundle=tmp_path / "first"), print)
    write_bundle(tmp_path / "first", first.flatbuffer, {**first.card, "licence": "not for sale"})
    further = _settings(tmp_path, continue_from=str(tmp_path / "first"), learning_rate=1e-9)
    network = build_network(1)
    network.set_weights(first_weights(further, first))
    images = toy_images(40)[0]
    raw = p_frontal(build_scorer(network, "repeated"), images)
    calibrated = Platt(**first.card["calibration"])(raw)
    by_bundle = Scorer(first.flatbuffer).p_frontal(images)
    np.testing.assert_allclose(calibrated, by_bundle, rtol=0, atol=1e-4)

    second = train(spark, further, print)  # by steps too small to see
    assert second.licence == "not for sale"
    by_second = Scorer(second.flatbuffer).p_frontal(images)
    np.testing.assert_allclose(by_second, by_bundle, rtol=0, atol=1e-4)
    card = second.card | {"answers": {}}
    write_bundle(tmp_path / "both", second.flatbuffer, card)
    with pytest.raises(UserError, match="holds a second network, which a new one for views would"):
        train(spark, _settings(tmp_path, bundle=tmp_path / "both"), print)
    (tmp_path / "first" / "seen.json").unlink()
    train(spark, further, print)
    assert load_seen(str(tmp_path / "bundle")) is None  # what the first has seen, nobody knows

    other = _settings(tmp_path, continue_from=str(tmp_path / "first"), preparation="equalised")
    with pytest.raises(UserError, match="takes pixels repeated; add --preparation repeated"):
        train(spark, other, print)
    (tmp_path / "first" / "model.keras").unlink()
    with pytest.raises(UserError, match=r"has no model\.keras"):
        train(spark, further, print)

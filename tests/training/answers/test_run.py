"""A training of the second network from labels to a bundle, and of one head alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.errors import UserError
from cxrspark.model.bundle import load_bundle, write_bundle
from cxrspark.model.inference import Scorer
from cxrspark.model.network import build_network, build_scorer, to_flatbuffer
from cxrspark.training.answers import examples
from cxrspark.training.answers.run import train_answers
from cxrspark.training.settings import TrainSettings

from helpers.toys import toy_images, write_toys


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 images: frontal AP and PA, lateral, and others, which are noise."""
    folder = tmp_path_factory.mktemp("answers") / "toys"
    rows = write_toys(folder, 240)
    rows["patient_id"] = [f"p{number}" for number in range(240)]
    rows.loc[rows.index % 3 == 2, "view"] = "other"
    rows["projection"] = np.where(rows.index % 4 == 0, "AP", "PA")
    rows["projection"] = rows["projection"].where(rows["view"] == "frontal")
    rows["kind"] = np.where(rows["view"] == "other", "toy", None)
    rows.to_csv(folder / "labels.csv", index=False)
    return folder


def settings(toys: Path, bundle: Path, **changes: object) -> TrainSettings:
    given = {
        "network": "answers", "labels": str(toys / "labels.csv"), "archive": str(toys),
        "bundle": bundle, "epochs": 1, "batch_size": 40, "learning_rate": 0.002, **changes,
    }  # fmt: skip
    return TrainSettings.model_validate(given)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that says frontal or lateral alone, as a training of views writes it."""
    folder = tmp_path_factory.mktemp("bundle") / "own"
    flatbuffer = to_flatbuffer(build_scorer(build_network(1), "repeated"))
    write_bundle(folder, flatbuffer, {"thresholds": load_bundle().card["thresholds"]})
    return folder


@pytest.fixture(scope="module")
def trained(
    spark: SparkSession, toys: Path, own: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    bundle = tmp_path_factory.mktemp("bundle") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "SYNTHETIC", (1, 1))  # a minute's drawing of them changes nothing
        train_answers(spark, settings(toys, bundle, continue_from=str(own)), lambda line: None)
    return bundle


def test_a_bundle_holds_the_new_network_beside_the_old(trained: Path, own: Path) -> None:
    bundle, before = load_bundle(str(trained)), load_bundle(str(own))
    assert bundle.flatbuffer == before.flatbuffer
    assert bundle.card["thresholds"] == before.card["thresholds"]
    assert bundle.licence is None  # nothing of the shipped bundle is in it
    assert bundle.answers
    assert bundle.model_id != before.model_id
    assert bundle.card["answers"]["labelled"] == {
        "frontal": 80, "lateral": 80, "other": 80, "AP": 40, "PA": 40,
    }  # fmt: skip
    assert "/" not in str(bundle.card["answers"]["recipe"])
    said = Scorer(bundle.answers)(toy_images(8)[0])
    assert said.shape == (8, 8)


def test_one_head_is_trained_alone(spark: SparkSession, toys: Path, tmp_path: Path) -> None:
    """Of the shipped bundle, where none is named."""
    changed = settings(toys, tmp_path / "own", network="projection", epochs=2, projection_sure=0.9)
    train_answers(spark, changed, lambda line: None)
    before, after = load_bundle(), load_bundle(str(tmp_path / "own"))
    assert after.flatbuffer == before.flatbuffer
    assert after.licence == before.licence
    images = toy_images(16)[0]
    assert before.answers
    assert after.answers
    one, other = Scorer(before.answers)(images), Scorer(after.answers)(images)
    np.testing.assert_allclose(one[:, :7], other[:, :7], atol=1e-5)
    assert np.abs(one[:, 7] - other[:, 7]).max() > 1e-4
    assert after.thresholds
    assert after.thresholds.ap == pytest.approx((0.1, 0.9))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"view": "frontal"}, r"needs 20 images each of frontal, lateral, other; there are 240 f"),
        ({"projection": "oblique"}, r"has projections other than AP and PA: 'oblique' \(240\)"),
        ({"view": "knee"}, r"has views other than frontal, lateral, other: 'knee' \(240,"),
    ],
)
def test_labels_that_make_no_training_are_refused(
    spark: SparkSession, toys: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    labels = tmp_path / "labels.csv"
    pd.read_csv(toys / "labels.csv", dtype=str).assign(**change).to_csv(labels, index=False)
    changed = settings(toys, tmp_path / "bundle", labels=str(labels))
    with pytest.raises(UserError, match=said) as refused:
        train_answers(spark, changed, lambda line: None)
    assert len(str(refused.value).splitlines()) == 1


def test_a_network_for_views_is_not_overwritten_with_another(
    spark: SparkSession, toys: Path, trained: Path
) -> None:
    before = load_bundle(str(trained))
    with pytest.raises(UserError, match="holds another network for views than") as refused:
        train_answers(spark, settings(toys, trained), lambda line: None)  # beside the shipped one
    assert "--continue-from" in str(refused.value)
    assert load_bundle(str(trained)) == before


def test_a_base_without_the_network_is_refused(
    spark: SparkSession, toys: Path, trained: Path, tmp_path: Path
) -> None:
    (trained / "answers.keras").rename(tmp_path / "kept.keras")
    changed = settings(toys, tmp_path / "own", network="projection", continue_from=str(trained))
    try:
        with pytest.raises(UserError, match=r"has no answers\.keras; name a local bundle"):
            train_answers(spark, changed, lambda line: None)
    finally:
        (tmp_path / "kept.keras").rename(trained / "answers.keras")

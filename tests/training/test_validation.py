from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from cxrspark.evaluation.intervals import wilson
from cxrspark.model.network import build_network, build_scorer, p_frontal, repeated
from cxrspark.training import validation
from cxrspark.training.fit import Trained
from cxrspark.training.settings import TrainSettings
from cxrspark.training.validation import calibrate

from helpers.toys import toy_images


def _settings(**changes: object) -> TrainSettings:
    return TrainSettings(**({"labels": "-", "archive": "-", "bundle": Path("-")} | changes))


def test_figures_are_by_patient(tmp_path: Path) -> None:
    images, frontal = toy_images(40)
    table = pd.DataFrame(
        {
            "pixels": [images[0].tobytes()] * 40,  # so that half of them are right
            "frontal": frontal.astype(np.float32),
            "source": "",
            "patient": np.arange(40) // 4,
        }
    )
    (tmp_path / "table").mkdir()
    table.to_parquet(tmp_path / "table" / "part.parquet")
    trained = Trained(build_network(1), [], 0)
    checked = calibrate(_settings(), trained, str(tmp_path / "table"))[1]
    figures = checked.as_card()
    low, high = wilson(0.5, 10)
    expected = {"value": 0.5, "low": low, "high": high, "images": 40}
    assert figures["validation_accuracy"] == pytest.approx(expected, abs=1e-6)
    assert checked.patients == 10
    assert checked.band.called == 0
    assert figures["right_of_called"] is None
    assert figures["uncertain"]["value"] == 1


def test_a_model_for_other_hospitals_is_as_sure_as_changed_images_let_it_be(tmp_path: Path) -> None:
    images, frontal = toy_images(64)
    columns = {"pixels": [image.tobytes() for image in images], "patient": range(64)}
    (tmp_path / "table").mkdir()
    table = pd.DataFrame(columns | {"frontal": frontal.astype(np.float32)})
    table.to_parquet(tmp_path / "table" / "part.parquet")
    network = build_network(1)
    network.compile("rmsprop", "binary_crossentropy")
    network.fit(np.asarray(repeated(images)), frontal, epochs=30, verbose=0)
    checked = {}
    for augmentation in ("none", "hospitals"):
        settings = _settings(augmentation=augmentation, preparation="repeated")
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
        checked[augmentation] = calibrate(settings, Trained(copy, [], 0), str(tmp_path / "table"))[
            1
        ]
    right = [of.figures["validation_accuracy"] for of in checked.values()]
    assert [figure.value for figure in right if figure] == [1.0, 1.0]
    slopes = {name: of.platt.slope for name, of in checked.items()}
    assert slopes["hospitals"] < 0.8 * slopes["none"], slopes


def test_copies_are_of_the_held_back_images_and_count_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, frontal = toy_images(16)
    columns = {"pixels": [image.tobytes() for image in images], "patient": range(16)}
    (tmp_path / "table").mkdir()
    pd.DataFrame(columns | {"frontal": frontal.astype(np.float32)}).to_parquet(
        tmp_path / "table" / "part.parquet"
    )
    given: list[tuple[int, int]] = []
    fit_platt = validation.fit_platt

    def noted(p: np.ndarray, truths: np.ndarray, copies: int) -> object:
        given.append((len(p), copies))
        np.testing.assert_array_equal(truths[16:32], frontal)
        return fit_platt(p, truths, copies)

    monkeypatch.setattr(validation, "fit_platt", noted)
    assert validation.COPIES == 16
    trained = Trained(build_network(1), [], 0)
    calibrate(_settings(augmentation="hospitals"), trained, str(tmp_path / "table"))
    assert given == [(16 * 17, 17)]


def test_the_calibration_is_folded_into_the_network(tmp_path: Path) -> None:
    images, frontal = toy_images(32)
    columns = {"pixels": [image.tobytes() for image in images], "patient": range(32)}
    (tmp_path / "table").mkdir()
    pd.DataFrame(columns | {"frontal": frontal.astype(np.float32)}).to_parquet(
        tmp_path / "table" / "part.parquet"
    )
    network = build_network(3)
    raw = p_frontal(build_scorer(network, "repeated"), images)
    scorer, checked = calibrate(_settings(), Trained(network, [], 0), str(tmp_path / "table"))
    assert abs(checked.platt.offset) > 1e-3
    calibrated = p_frontal(scorer, images)
    np.testing.assert_allclose(calibrated, checked.platt(raw), rtol=0, atol=2e-4)
    assert checked.band.images == 32

"""Labels that make no training are refused, patients stay together, and thresholds hold."""

from collections.abc import Callable

import keras
import numpy as np
import pandas as pd
import pytest

from cxrspark.errors import UserError
from cxrspark.model.answers_network import build_answers
from cxrspark.training.answers.examples import (
    Examples,
    check,
    hold_back,
    synthetic_others,
    with_patients,
)
from cxrspark.training.answers.judge import LEAST_CHEST, judge, lay_at_random

from helpers.toys import toy_images


@pytest.fixture(scope="module")
def examples() -> Examples:
    images, frontal = toy_images(120)
    label = np.where(frontal, "frontal", "lateral").astype(object)
    label[::5] = "other"
    rows = pd.DataFrame(
        {
            "image_id": [f"i{n}" for n in range(120)],
            "label": label,
            "label_projection": ["AP" if n % 4 else "PA" for n in range(120)],
            "label_kind": None,
            "patient_id": [f"p{n // 3}" for n in range(120)],
            "source": "a",
        }
    )
    return Examples(with_patients(rows), images)


def test_counts_each_class_and_refuses_too_few(examples: Examples) -> None:
    counts = examples.counts()
    assert counts["frontal"] + counts["lateral"] + counts["other"] == 120
    assert counts["AP"] + counts["PA"] == counts["frontal"]
    with pytest.raises(UserError, match=r"needs 20 images each of AP, PA; there are 48 AP, 0 PA"):
        check({"AP": 48, "PA": 0}, ("AP", "PA"), "training")


def test_a_patient_is_on_one_side(examples: Examples) -> None:
    training, held_back = hold_back(examples, 0.25, 1)
    assert not set(training.rows["patient"]) & set(held_back.rows["patient"])
    assert len(training.pixels) + len(held_back.pixels) == 120
    assert 0.15 < len(held_back.pixels) / 120 < 0.35


def test_synthetic_others_come_again_by_their_seed() -> None:
    one, same, other = (synthetic_others(seed, (1, 1)) for seed in (1, 1, 2))
    assert np.array_equal(one.pixels, same.pixels)
    assert not np.array_equal(one.pixels, other.pixels)
    assert one.rows["kind"].nunique() == len(one.pixels) == 18
    assert all(image.min() < image.max() for image in one.pixels)


def test_a_network_that_knows_nothing_answers_little(examples: Examples) -> None:
    keras.utils.set_random_seed(1)
    judged = judge(build_answers(1), examples, None, 1)
    figures = judged.figures
    assert judged.thresholds.ap == (0.0, 1.0)
    assert judged.thresholds.chest_below <= LEAST_CHEST
    lost = figures["chests_called_other"]
    assert lost
    assert lost.value <= 0.05
    for name in ("turn", "mirrored"):
        answered = figures[f"{name}_answered"]
        assert answered
        assert answered.value < 0.5, name


def test_images_are_laid_as_is_said() -> None:
    images, _ = toy_images(30)
    laid = lay_at_random(images, np.random.default_rng(1))
    back: Callable[[int], np.ndarray] = lambda n: np.rot90(laid.pixels[n], -laid.quarter[n])  # noqa: E731
    for number, image in enumerate(images):
        found = back(number)
        found = 255 - found if laid.inverted[number] else found
        found = found[:, ::-1] if laid.mirrored[number] else found
        assert np.array_equal(found, image)

"""What is done to images must be what the heads are told."""

import numpy as np
import pytest
import tensorflow as tf

from cxrspark.pixels.upright import upright
from cxrspark.training.answers.variation import lay, no_chest, turned, vary_upright

IMAGES = np.random.default_rng(1).integers(0, 256, (40, 64, 64), dtype=np.uint8)


def test_laid_images_are_set_upright_by_what_is_told_of_them() -> None:
    tf.random.set_seed(3)
    laid, truth = lay(tf.cast(IMAGES, tf.float32) / 255.0)
    quarter = truth.quarter.numpy()
    inverted, mirrored = truth.inverted.numpy() == 1, truth.mirrored.numpy() == 1
    assert {*quarter.tolist()} == {0, 1, 2, 3}
    assert 0 < inverted.sum() < 40
    assert 0 < mirrored.sum() < 40
    for number, image in enumerate((laid.numpy() * 255).round().astype(np.uint8)):
        told = int(quarter[number]) * 90, bool(inverted[number]), bool(mirrored[number])
        assert np.array_equal(upright(image, *told), IMAGES[number])


@pytest.mark.parametrize("quarter", range(4))
def test_turns_are_anticlockwise(quarter: int) -> None:
    found = turned(tf.constant(IMAGES, tf.float32), tf.fill((40,), quarter)).numpy()
    assert np.array_equal(found, np.rot90(IMAGES, quarter, axes=(1, 2)).astype(np.float32))


def test_varied_images_stay_upright() -> None:
    tf.random.set_seed(3)
    dark_left = np.full((64, 64, 64), 200, np.uint8)
    dark_left[:, 16:48, 8:28] = 40
    dark_left[:, :12] = 120
    grey = vary_upright(dark_left).numpy()
    assert grey.shape == (64, 64, 64)
    assert grey.min() >= 0
    assert grey.max() <= 1
    left, right = grey[:, 20:44, 10:30].mean((1, 2)), grey[:, 20:44, 34:54].mean((1, 2))
    assert (left < right).mean() > 0.9


def test_chests_made_others_are_changed_and_stay_images() -> None:
    tf.random.set_seed(3)
    made = no_chest(tf.constant(IMAGES, tf.float32) / 255.0).numpy()
    assert made.shape == IMAGES.shape
    assert np.isfinite(made).all()
    unchanged = [np.allclose(new, old / 255.0) for new, old in zip(made, IMAGES, strict=True)]
    assert sum(unchanged) <= 4  # a shuffle of four tiles may leave them as they were

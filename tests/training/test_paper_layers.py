"""The ranges of the paper's augmentation, as a bright dot is moved by them."""

import keras
import numpy as np
import pytest

from cxrspark.training.augmentation import paper_layers

DOT = (44, 50)
"""Row and column of a bright dot, whose ways through a layer are then looked at."""


def moved_by(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the dot after the layer of the paper's augmentation, 800 times."""
    keras.utils.set_random_seed(4)
    layer = {type(layer).__name__: layer for layer in paper_layers(3).layers}[name]
    images = np.zeros((800, 64, 64, 1), np.float32)
    images[:, DOT[0] - 1 : DOT[0] + 2, DOT[1] - 1 : DOT[1] + 2] = 1.0
    moved = np.asarray(layer(images, training=True))[..., 0]
    total, axis = moved.sum(axis=(1, 2)), np.arange(64)
    return (moved.sum(axis=2) @ axis) / total, (moved.sum(axis=1) @ axis) / total


def spread(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def test_rotated_by_up_to_45_degrees() -> None:
    row, column = moved_by("RandomRotation")
    angle = np.degrees(np.arctan2(row - 31.5, column - 31.5))
    before = np.degrees(np.arctan2(DOT[0] - 31.5, DOT[1] - 31.5))
    inside = np.hypot(row - 31.5, column - 31.5) > 20  # not reflected from a border
    assert spread((angle - before)[inside]) == pytest.approx((-45, 45), abs=2)


def test_shifted_by_up_to_a_tenth_of_the_side() -> None:
    row, column = moved_by("RandomTranslation")
    assert spread(row - DOT[0]) == pytest.approx((-6.4, 6.4), abs=0.3)
    assert spread(column - DOT[1]) == pytest.approx((-6.4, 6.4), abs=0.3)


def test_sheared_by_up_to_a_tenth() -> None:
    row, column = moved_by("RandomShear")
    assert spread(row - DOT[0]) == pytest.approx((-0.1 * DOT[1], 0.1 * DOT[1]), abs=0.6)
    assert spread(column - DOT[1]) == pytest.approx((-0.1 * DOT[0], 0.1 * DOT[0]), abs=0.6)


def test_zoomed_by_up_to_a_tenth() -> None:
    row, column = moved_by("RandomZoom")
    for place, start in ((row, DOT[0]), (column, DOT[1])):
        shown = (start - 31.5) / (place - 31.5)  # how much of the scene the image shows
        assert spread(shown) == pytest.approx((0.9, 1.1), abs=0.03)


def test_half_are_mirrored_and_none_is_upside_down() -> None:
    row, column = moved_by("RandomFlip")
    np.testing.assert_allclose(row, DOT[0], atol=1e-3)
    mirrored = np.isclose(column, 63 - DOT[1], atol=1e-3)
    np.testing.assert_allclose(column[~mirrored], DOT[1], atol=1e-3)
    assert 0.44 < mirrored.mean() < 0.56

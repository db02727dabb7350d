import keras
import numpy as np
import pytest
import tensorflow as tf

from cxrspark.training.augmentation import (
    add_borders,
    add_objects,
    paper_layers,
    vary,
    vary_contrast,
    vary_exposure,
    vary_geometry,
)

from helpers.toys import toy_images


@pytest.fixture(autouse=True)
def _seed() -> None:
    keras.utils.set_random_seed(5)


def _greys(count: int = 64) -> tf.Tensor:
    return tf.constant(toy_images(count)[0] / 255.0, tf.float32)


@pytest.mark.parametrize("count", [1, 33])
def test_varied_pixels_are_pixels(count: int) -> None:
    images = toy_images(count)[0]
    varied = vary(tf.constant(images)).numpy()
    assert varied.dtype == np.uint8
    assert varied.shape == images.shape
    assert (varied != images).any(axis=(1, 2)).all()


def test_each_image_draws_its_own_changes() -> None:
    same = np.repeat(toy_images(1)[0], 40, axis=0)
    varied = vary(tf.constant(same)).numpy()
    assert len({image.tobytes() for image in varied}) == 40


def test_a_share_is_inverted_turned_and_upside_down() -> None:
    below = np.zeros((400, 64, 64), np.float32)
    below[:, 40:, :] = 1.0  # bright below, as the abdomen of a chest is
    moved = vary_geometry(tf.constant(below)).numpy()
    down = moved[:, 40:, 16:48].mean(axis=(1, 2)) - moved[:, :24, 16:48].mean(axis=(1, 2))
    assert 0.03 < (down < -0.3).mean() < 0.25
    assert (down > 0.3).mean() > 0.6


def test_contrast_keeps_shape_and_range() -> None:
    grey = _greys()
    changed = vary_contrast(grey).numpy()
    assert changed.min() >= 0
    assert changed.max() <= 1
    spread = changed.std(axis=(1, 2)) / grey.numpy().std(axis=(1, 2))
    assert spread.min() < 0.9
    assert spread.max() > 1.2


def test_borders_cover_some_images_only() -> None:
    grey = tf.fill((300, 64, 64), 0.5)
    covered = (add_borders(grey).numpy() != 0.5).mean(axis=(1, 2))
    assert 0.15 < (covered > 0).mean() < 0.45
    assert covered.max() < 0.9


def test_objects_stay_small() -> None:
    grey = tf.fill((300, 64, 64), 0.5)
    drawn = (np.abs(add_objects(grey).numpy() - 0.5) > 0.02).mean(axis=(1, 2))
    assert 0.4 < (drawn > 0).mean() < 0.95
    assert drawn.max() < 0.5
    assert np.median(drawn) < 0.05


def test_exposure_changes_little_enough_to_see_the_image() -> None:
    grey = _greys(200)
    changed = vary_exposure(grey).numpy()
    related = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(grey.numpy(), changed, strict=True)
    ]
    assert min(related) > 0.5
    assert np.abs(changed - grey.numpy()).mean(axis=(1, 2)).max() > 0.1


def test_paper_layers_move_but_do_not_change_greys() -> None:
    layers = paper_layers(3)
    names = [type(layer).__name__ for layer in layers.layers]
    assert names == [
        "RandomRotation",
        "RandomTranslation",
        "RandomShear",
        "RandomZoom",
        "RandomFlip",
    ]
    images = toy_images(16)[0][..., None].astype(np.float32)
    moved = np.asarray(layers(images, training=True))
    assert moved.shape == images.shape
    assert (moved != images).any(axis=(1, 2, 3)).all()
    assert moved.min() >= images.min() - 1e-3
    assert moved.max() <= images.max() + 1e-3

import keras
import numpy as np
import pytest
import tensorflow as tf

from cxrspark.training import augmentation
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


PARTS = ("vary_contrast", "vary_geometry", "_cover", "vary_exposure")


def test_every_part_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    for name in PARTS:
        monkeypatch.setattr(augmentation, name, lambda grey, name=name: done.append(name) or grey)
    vary(tf.constant(toy_images(4)[0]))
    assert tuple(done) == PARTS
    monkeypatch.undo()
    done.clear()
    for name in ("add_borders", "add_objects"):
        monkeypatch.setattr(augmentation, name, lambda grey, name=name: done.append(name) or grey)
    augmentation._cover.python_function(tf.zeros((1, 64, 64)))
    assert done == ["add_borders", "add_objects"]


def test_an_eighth_is_inverted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PARTS:
        monkeypatch.setattr(augmentation, name, lambda grey: grey)
    black = tf.zeros((2000, 64, 64), tf.uint8)
    assert (vary(black).numpy()[:, 0, 0] == 255).mean() == pytest.approx(0.12, abs=0.02)


def test_a_share_is_turned_and_upside_down() -> None:
    below = np.zeros((2000, 64, 64), np.float32)
    below[:, 40:, :] = 1.0  # bright below, as the abdomen of a chest is
    moved = vary_geometry(tf.constant(below)).numpy()
    middle = slice(16, 48)
    sides = [
        moved[:, 46:, middle], moved[:, :18, middle], moved[:, middle, :18], moved[:, middle, 46:]
    ]  # fmt: skip
    brightest = np.argmax([side.mean(axis=(1, 2)) for side in sides], axis=0)
    bottom, top, left, right = np.bincount(brightest, minlength=4) / 2000
    # A third of the turned each; and of the others the upside down.
    assert top == pytest.approx(0.14 / 3 + 0.08 * 0.86, abs=0.04)
    assert (left + right) == pytest.approx(0.14 * 2 / 3, abs=0.06)
    assert min(left, right) > 0.02
    assert bottom > 0.7


def test_zoomed_stretched_rotated_and_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "_border_grey", lambda grey: tf.zeros_like(grey[:, :1, :1]))
    monkeypatch.setattr(augmentation, "TURNED_SHARE", 0.0)
    monkeypatch.setattr(augmentation, "UPSIDE_DOWN_SHARE", 0.0)
    shape = np.zeros((2000, 64, 64), np.float32)
    shape[:, 26:38, 26:38] = 0.5
    shape[:, 26:38, 34:38] = 1.0  # bright on its right
    moved = vary_geometry(tf.constant(shape)).numpy()
    axis = np.arange(64)
    total = moved.sum(axis=(1, 2))
    row, column = (moved.sum(axis=2) @ axis) / total, (moved.sum(axis=1) @ axis) / total
    larger = total / shape[0].sum()
    assert larger.min() < 0.5
    assert larger.max() > 1.8
    assert np.std(row - 31.5) > 1
    assert np.std(column - 31.5) > 1
    high = np.sqrt((moved.sum(axis=2) * (axis - row[:, None]) ** 2).sum(axis=1) / total)
    wide = np.sqrt((moved.sum(axis=1) * (axis - column[:, None]) ** 2).sum(axis=1) / total)
    assert np.percentile(wide / high, [3, 97]) == pytest.approx((0.65, 1.6), abs=0.12)
    bright = (moved**2).sum(axis=1) @ axis / (moved**2).sum(axis=(1, 2))
    assert (bright < column).mean() == pytest.approx(0.5, abs=0.05)
    brighter_row = (moved**2).sum(axis=2) @ axis / (moved**2).sum(axis=(1, 2))
    angle = np.degrees(np.arctan2(np.abs(brighter_row - row), np.abs(bright - column)))
    assert np.percentile(angle, 98) > 25


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

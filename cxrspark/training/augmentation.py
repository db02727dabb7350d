"""Random changes to batches of 64×64 pixels: the paper's, and what differs between hospitals."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from cxrspark.pixels.image import SIDE

Tensor = Any
"""A tensor; TensorFlow ships no types that mypy could use."""

INVERTED_SHARE = 0.12
TURNED_SHARE = 0.14
UPSIDE_DOWN_SHARE = 0.08
ZOOM = (-0.5, 0.6)
"""Natural logarithm of how much of the scene is shown; below 0 a crop, above 0 a frame around."""

ASPECT = 0.35
"""Natural logarithm of the most that an image is stretched one way and squeezed the other."""


def paper_layers(seed: int) -> keras.Sequential:
    """Keras' own layers for the paper's augmentations: rotation, shifts, shear, zoom, flip.

    The paper gives a range for the rotation alone (45°); 0.1 of the side for shifts, shear and
    zoom, and Keras' own filling by reflection, were decided here (`docs/training.md`).

    Args:
        seed: Of their random numbers.

    Returns:
        A model of shape (n, 64, 64, 1) in and out, to be called with `training=True`.
    """
    return keras.Sequential(
        [
            keras.layers.RandomRotation(45 / 360, seed=seed),
            keras.layers.RandomTranslation(0.1, 0.1, seed=seed),
            keras.layers.RandomShear(0.1, 0.1, seed=seed),
            keras.layers.RandomZoom((-0.1, 0.1), (-0.1, 0.1), seed=seed),
            keras.layers.RandomFlip("horizontal", seed=seed),
        ],
        name="paper_augmentation",
    )


def vary(images: Tensor) -> Tensor:
    """Change a batch of radiographs as another hospital, device or reader would have made them.

    Every image draws its own changes, and none depends on the label: contrast processing;
    rotation, shear, aspect ratio, crop, mirroring, quarter turns; collimator borders; markers,
    lines and covered parts; shading, blur, noise; inversion.

    Args:
        images: uint8, shape (n, 64, 64).

    Returns:
        uint8, shape (n, 64, 64).
    """
    grey = vary_geometry(vary_contrast(tf.cast(images, tf.float32) / 255.0))
    grey = vary_exposure(_cover(grey))
    grey = tf.where(_happens(grey, INVERTED_SHARE), 1.0 - grey, grey)
    return tf.cast(tf.round(tf.clip_by_value(grey, 0.0, 1.0) * 255.0), tf.uint8)


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
def _cover(grey: Tensor) -> Tensor:
    return add_objects(add_borders(grey))


def vary_contrast(grey: Tensor) -> Tensor:
    """Apply a random gamma, window, unsharp mask and local contrast normalisation.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64).

    Returns:
        float32 0 … 1, same shape.
    """
    grey = tf.pow(grey, tf.exp(_uniform(grey, -0.7, 0.7)))
    low, high = _uniform(grey, -0.3, 0.25), _uniform(grey, 0.75, 1.3)
    windowed = tf.clip_by_value((grey - low) / (high - low), 0.0, 1.0)
    grey = tf.where(_happens(grey, 0.5), windowed, grey)
    surround = _blur(grey, 19)
    deviation = tf.sqrt(tf.maximum(_blur(grey * grey, 19) - surround * surround, 0.0))
    local = 0.5 + 0.22 * (grey - surround) / (deviation + 0.04)
    share = _uniform(grey, 0.2, 1.0)
    grey = tf.where(_happens(grey, 0.3), share * local + (1.0 - share) * grey, grey)
    sharpened = grey + _uniform(grey, 0.3, 2.0) * (grey - surround)
    return tf.clip_by_value(tf.where(_happens(grey, 0.2), sharpened, grey), 0.0, 1.0)


def vary_geometry(grey: Tensor, *, upright: bool = False) -> Tensor:
    """Rotate, shear, stretch, crop, shift, mirror and turn; outside is one grey or the edge.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64).
        upright: Neither mirror nor turn, and rotate by 25° at most.

    Returns:
        float32 0 … 1, same shape.
    """
    most, mirrored, upside_down = (25.0, 0.0, 0.0) if upright else (45.0, 0.5, UPSIDE_DOWN_SHARE)
    degrees = tf.where(
        _happens(grey, 0.2), _uniform(grey, -most, most), _uniform(grey, -12.0, 12.0)
    )
    quarter = 90.0 * tf.round(_uniform(grey, 0.5, 3.5))
    degrees += tf.where(_happens(grey, 0.0 if upright else TURNED_SHARE), quarter, 0.0)
    angle = degrees * (math.pi / 180.0)
    strength = _uniform(grey, 0.1, 1.0)
    zoom, aspect = strength * _uniform(grey, *ZOOM), strength * _uniform(grey, -ASPECT, ASPECT)
    wide = tf.exp(zoom + aspect) * tf.where(_happens(grey, mirrored), -1.0, 1.0)
    high = tf.exp(zoom - aspect) * tf.where(_happens(grey, upside_down), -1.0, 1.0)
    shear = strength * _uniform(grey, -0.2, 0.2)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    a, b = wide * cosine, wide * (shear * cosine - sine)
    c, d = high * sine, high * (shear * sine + cosine)
    centre = (SIDE - 1) / 2.0
    reach = strength * SIDE * (0.12 + 0.35 * tf.maximum(0.0, 1.0 - tf.exp(zoom)))
    x = _uniform(grey, -1.0, 1.0) * reach + centre - (a + b) * centre
    y = _uniform(grey, -1.0, 1.0) * reach + centre - (c + d) * centre
    zero = tf.zeros_like(a)
    transforms = tf.concat([a, b, x, c, d, y, zero, zero], axis=-1)[:, 0, :]
    moved = _transform(grey, transforms, "NEAREST")
    inside = _transform(tf.ones_like(grey), transforms, "CONSTANT")
    fill = tf.where(_happens(grey, 0.3), moved, _border_grey(grey))
    return inside * moved + (1.0 - inside) * fill


def add_borders(grey: Tensor) -> Tensor:
    """Cover what lies outside a random, slightly turned rectangle, as a collimator does.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64).

    Returns:
        float32 0 … 1, same shape.
    """
    field = _rectangle(
        _uniform(grey, -0.12, 0.12),
        _uniform(grey, -0.12, 0.12),
        _uniform(grey, 0.55, 1.1),
        _uniform(grey, 0.55, 1.1),
        _uniform(grey, -0.2, 0.2),
    )
    covered = field * grey + (1.0 - field) * _border_grey(grey)
    return tf.where(_happens(grey, 0.3), covered, grey)


def add_objects(grey: Tensor) -> Tensor:
    """Draw letters' worth of bright or dark patches, lines like tubes, and a covered part.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64).

    Returns:
        float32 0 … 1, same shape.
    """
    for share, smallest, largest in ((0.3, 0.02, 0.12), (0.2, 0.02, 0.12), (0.2, 0.1, 0.4)):
        patch = _rectangle(
            _uniform(grey, -1.0, 1.0),
            _uniform(grey, -1.0, 1.0),
            _uniform(grey, smallest, largest),
            _uniform(grey, smallest, largest),
            _uniform(grey, -0.3, 0.3),
        )
        value = tf.where(_happens(grey, 0.5), tf.ones_like(patch), _uniform(grey, 0.0, 1.0))
        grey = tf.where(_happens(grey, share), patch * value + (1.0 - patch) * grey, grey)
    down, right = _grid()
    for _ in range(2):
        angle, bend = _uniform(grey, 0.0, math.pi), _uniform(grey, -0.5, 0.5)
        along = right * tf.cos(angle) + down * tf.sin(angle)
        across = down * tf.cos(angle) - right * tf.sin(angle)
        distance = across - bend * along * along - _uniform(grey, -0.7, 0.7)
        line = tf.exp(-tf.square(distance / _uniform(grey, 0.015, 0.04)))
        line *= tf.cast(along > _uniform(grey, -1.0, 0.6), tf.float32) * _uniform(grey, -0.3, 0.5)
        grey = tf.where(_happens(grey, 0.2), tf.clip_by_value(grey + line, 0.0, 1.0), grey)
    return grey


def vary_exposure(grey: Tensor) -> Tensor:
    """Add shading across the image, blur, noise and a last change of contrast.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64).

    Returns:
        float32, a little outside 0 … 1 at most, same shape.
    """
    down, right = _grid()
    shading = _uniform(grey, -0.25, 0.25) * down + _uniform(grey, -0.25, 0.25) * right
    grey = tf.where(_happens(grey, 0.3), tf.clip_by_value(grey + shading, 0.0, 1.0), grey)
    soft = _blur(grey, 3)
    share = _uniform(grey, 0.0, 1.0)
    grey = tf.where(_happens(grey, 0.3), share * soft + (1.0 - share) * grey, grey)
    speckle = tf.random.uniform(tf.shape(grey), -1.0, 1.0)
    noisy = grey + speckle * _uniform(grey, 0.0, 0.09)
    grey = tf.where(_happens(grey, 0.25), noisy, grey)
    contrast, brightness = tf.exp(_uniform(grey, -0.7, 0.3)), _uniform(grey, -0.2, 0.2)
    changed = (grey - 0.5) * contrast + 0.5 + brightness
    return tf.where(_happens(grey, 0.5), changed, grey)


def _border_grey(grey: Tensor) -> Tensor:
    """Black for two thirds of the images, white for some, else any grey; shape (n, 1, 1)."""
    draw = _uniform(grey, 0.0, 1.0)
    any_grey = tf.where(draw < 0.76, tf.ones_like(draw), _uniform(grey, 0.0, 0.6))
    return tf.where(draw < 0.66, tf.zeros_like(draw), any_grey)


def _rectangle(x: Tensor, y: Tensor, width: Tensor, height: Tensor, angle: Tensor) -> Tensor:
    """Soft mask of turned rectangles; half sizes, the image spans -1 … 1; (n, 64, 64)."""
    down, right = _grid()
    along = (right - x) * tf.cos(angle) + (down - y) * tf.sin(angle)
    across = (down - y) * tf.cos(angle) - (right - x) * tf.sin(angle)
    inside = tf.minimum(width - tf.abs(along), height - tf.abs(across))
    return tf.clip_by_value(inside * (SIDE / 2.0) + 0.5, 0.0, 1.0)


def _blur(grey: Tensor, pixels: int) -> Tensor:
    """Mean of the surroundings, a square of so many pixels (odd) around each."""
    place = tf.range(SIDE)
    near = tf.cast(tf.abs(place[:, None] - place[None, :]) <= pixels // 2, tf.float32)
    mean = near / tf.reduce_sum(near, axis=1, keepdims=True)
    return tf.einsum("ij,njk,lk->nil", mean, grey, mean)


def _transform(grey: Tensor, transforms: Tensor, outside: str) -> Tensor:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=grey[..., None],
        transforms=transforms,
        output_shape=(SIDE, SIDE),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode=outside,
    )[..., 0]


def _grid() -> tuple[Tensor, Tensor]:
    axis = tf.linspace(-1.0, 1.0, SIDE)
    return axis[None, :, None], axis[None, None, :]


def _uniform(grey: Tensor, low: float, high: float) -> Tensor:
    return tf.random.uniform((tf.shape(grey)[0], 1, 1), low, high)


def _happens(grey: Tensor, share: float) -> Tensor:
    return _uniform(grey, 0.0, 1.0) < share

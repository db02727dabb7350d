"""Batches for the second network: upright copies, what is done to them, and chests made others."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from cxrspark.model.answers_network import prepared
from cxrspark.pixels.image import SIDE
from cxrspark.training.augmentation import (
    add_borders,
    add_objects,
    vary_contrast,
    vary_exposure,
    vary_geometry,
)

Tensor = Any
"""A tensor; TensorFlow ships no types that mypy could use."""

TURNED, MIRRORED, INVERTED = 0.5, 0.5, 0.4
"""Shares of the chest images that are turned by a random quarter, mirrored and inverted."""

CUT = (0.14, 0.3)
"""Share of a side that a cut shows: too little to be called a chest radiograph."""


class Laid(NamedTuple):
    """How images were laid: what the heads are to find."""

    quarter: Tensor
    """Quarter turns clockwise that set each upright, int32 (n,)."""
    inverted: Tensor
    """float32 (n,), 0 or 1."""
    mirrored: Tensor
    """float32 (n,), 0 or 1."""


def vary_upright(images: Tensor) -> Tensor:
    """Change a batch as another hospital would have made it, but neither turn nor mirror it.

    Args:
        images: uint8, shape (n, 64, 64).

    Returns:
        float32 0 … 1, shape (n, 64, 64).
    """
    grey = vary_contrast(tf.cast(images, tf.float32) / 255.0)
    grey = vary_exposure(_cover(vary_geometry(grey, upright=True)))
    return tf.clip_by_value(grey, 0.0, 1.0)


def lay(grey: Tensor) -> tuple[Tensor, Laid]:
    """Mirror, turn and invert images at random, and tell which.

    Args:
        grey: float32 0 … 1, shape (n, 64, 64), upright.
    """
    number = (tf.shape(grey)[0],)
    draws = [tf.random.uniform(number) for _ in range(3)]
    any_quarter = tf.random.uniform(number, 0, 4, tf.int32)
    quarter = tf.where(draws[0] < TURNED, any_quarter, 0)
    mirrored, inverted = draws[1] < MIRRORED, draws[2] < INVERTED
    grey = tf.where(mirrored[:, None, None], grey[:, :, ::-1], grey)
    grey = turned(grey, quarter)
    grey = tf.where(inverted[:, None, None], 1.0 - grey, grey)
    return grey, Laid(quarter, tf.cast(inverted, tf.float32), tf.cast(mirrored, tf.float32))


def turned(grey: Tensor, quarter: Tensor) -> Tensor:
    """Turn images anticlockwise by so many quarters: as many clockwise set them upright again."""
    across = tf.transpose(grey, (0, 2, 1))
    by = quarter[:, None, None]
    odd = tf.where(by == 1, across[:, ::-1, :], across[:, :, ::-1])
    return tf.where(by == 0, grey, tf.where(by == 2, grey[:, ::-1, ::-1], odd))


def no_chest(grey: Tensor) -> Tensor:
    """Make others of chest images: scrambled, cut, contact sheets, halves exchanged.

    Args:
        grey: float32, shape (n, 64, 64).

    Returns:
        float32, same shape.
    """
    number = tf.shape(grey)[0]
    high, wide = _shrunk(grey, 2, 2), _shrunk(grey, 1, 2)
    mixed = [tf.gather(high, tf.random.shuffle(tf.range(number))) for _ in range(3)]
    sheet = tf.concat([tf.concat([high, mixed[0]], 2), tf.concat(mixed[1:], 2)], 1)
    beside = tf.concat([wide, tf.gather(wide, tf.random.shuffle(tf.range(number)))], 2)
    halves = tf.concat([grey[:, SIDE // 2 :], grey[:, : SIDE // 2]], 1)
    many = tf.tile(_shrunk(grey, 4, 4), (1, 4, 4))
    cut = _cut(grey)
    made = [
        *(_scrambled(grey, tiles) for tiles in (2, 4, 8)),
        cut,
        cut,
        sheet,
        beside,
        halves,
        many,
    ]
    which = tf.random.uniform((number,), 0, len(made), tf.int32)
    return tf.gather_nd(tf.stack(made), tf.stack([which, tf.range(number)], 1))


def lay_others(grey: Tensor) -> Tensor:
    """Turn and invert others too, so that neither tells them."""
    laid, _ = lay(grey)
    return laid


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
def ready(grey: Tensor) -> Tensor:
    """What the network takes: float32 0 … 1 (n, 64, 64) to (n, 64, 64, 1)."""
    return prepared(tf.round(grey * 255.0))


@tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
def _cover(grey: Tensor) -> Tensor:
    return add_objects(add_borders(grey))


def _shrunk(grey: Tensor, down: int, across: int) -> Tensor:
    size = (down, across)
    return tf.nn.avg_pool2d(grey[..., None], size, size, "VALID")[..., 0]


def _scrambled(grey: Tensor, tiles: int) -> Tensor:
    number, side = tf.shape(grey)[0], SIDE // tiles
    parts = tf.reshape(grey, (number, tiles, side, tiles, side))
    parts = tf.reshape(tf.transpose(parts, (0, 1, 3, 2, 4)), (number, tiles**2, side, side))
    parts = tf.gather(parts, tf.random.shuffle(tf.range(tiles**2)), axis=1)
    parts = tf.reshape(parts, (number, tiles, tiles, side, side))
    return tf.reshape(tf.transpose(parts, (0, 1, 3, 2, 4)), (number, SIDE, SIDE))


def _cut(grey: Tensor) -> Tensor:
    number = tf.shape(grey)[0]
    side = tf.random.uniform((number, 1), *CUT)
    corner = tf.random.uniform((number, 2)) * (1.0 - side)
    boxes = tf.concat([corner, corner + side], 1)
    return tf.image.crop_and_resize(grey[..., None], boxes, tf.range(number), (SIDE, SIDE))[..., 0]

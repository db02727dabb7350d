"""The small network of several heads that answers what the paper's does not; on the driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import layers, ops

from cxrspark.model.answers import OUTPUTS, P_TURN
from cxrspark.model.network import equalised
from cxrspark.pixels.image import SIDE, Grey8

Floats = npt.NDArray[np.float64]

PROJECTION_LAYERS = ("projection_1", "projection_2")
"""Layers that answer AP or PA; they can be trained again alone."""

DROPPED = 0.3


@dataclass(frozen=True)
class Scaling:
    """Calibration: `slope * logit + offset` of each output, shape (8,); the turns' slope is one."""

    slope: tuple[float, ...] = (1.0,) * len(OUTPUTS)
    offset: tuple[float, ...] = (0.0,) * len(OUTPUTS)


def build_answers(seed: int | None = None) -> keras.Model:
    """Build the network: a 5×5 convolution of stride 2, four of 3×3, and a head a question.

    A tenth of a millisecond an image: at 64×64 the first layer halves both sides at once.

    Args:
        seed: Of the initial weights; None draws one.

    Returns:
        An untrained model, input float32 (n, 64, 64, 1) as `prepared` gives it, output float32
        (n, 8) logits in the order of `cxrspark.model.answers.OUTPUTS`.
    """
    seeds = keras.random.SeedGenerator(seed)
    pixels = keras.Input((SIDE, SIDE, 1))

    def convolution(image: Any, filters: int, side: int = 3, stride: int = 1) -> Any:
        start = keras.initializers.HeNormal(seed=seeds)
        image = layers.Conv2D(
            filters, side, strides=stride, padding="same", use_bias=False, kernel_initializer=start
        )(image)
        return layers.ReLU()(layers.BatchNormalization(momentum=0.95)(image))

    def dense(name: str, units: int, activation: str | None = "relu") -> keras.Layer:
        start = keras.initializers.HeNormal(seed=seeds)
        return layers.Dense(units, activation=activation, kernel_initializer=start, name=name)

    image = layers.MaxPooling2D(2)(convolution(pixels, 16, side=5, stride=2))
    image = layers.MaxPooling2D(2)(convolution(image, 32))
    image = layers.MaxPooling2D(2)(convolution(convolution(image, 64), 64))
    trunk = layers.Flatten(name="trunk")(convolution(image, 96))
    kept = layers.Dropout(DROPPED, seed=seed)(trunk)
    others = dense("answers_2", len(OUTPUTS) - 1, None)(dense("answers_1", 64)(kept))
    first, second = PROJECTION_LAYERS
    projection = dense(second, 1, None)(dense(first, 32)(kept))
    return keras.Model(pixels, layers.Concatenate()([others, projection]), name="answers")


def prepared(grey: Any) -> Any:
    """Equalise as for the paper's network, in one channel: uint8 (n, 64, 64) to (n, 64, 64, 1)."""
    return equalised(grey)[..., :1]


def build_answers_scorer(network: keras.Model, scaling: Scaling) -> keras.Model:
    """Put the preparation before a trained network and calibrated probabilities behind it.

    Args:
        network: From `build_answers`.
        scaling: Its calibration.

    Returns:
        A model, input uint8 (n, 64, 64), output float32 (n, 8), probabilities.
    """
    pixels = keras.Input((SIDE, SIDE), dtype="uint8", name="pixels")
    slope, offset = (
        np.asarray(values, np.float32)[None, :] for values in (scaling.slope, scaling.offset)
    )
    logits = network(prepared(pixels)) * slope + offset
    ends = ops.sigmoid(logits)
    parts = [ends[:, : P_TURN.start], ops.softmax(logits[:, P_TURN]), ends[:, P_TURN.stop :]]
    return keras.Model(pixels, ops.concatenate(parts, axis=1), name="answers_scorer")


def probabilities(scorer: keras.Model, pixels: Grey8) -> Floats:
    """Score pixels with Keras, on the driver: float64 (n, 8)."""
    if not len(pixels):
        return np.empty((0, len(OUTPUTS)))
    return np.asarray(scorer.predict(pixels, batch_size=256, verbose=0), np.float64)

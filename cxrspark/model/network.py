"""The paper's network, what is done to pixels before it, and the way to LiteRT."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers, ops

from cxrspark.pixels.image import SIDE, Grey8

PARAMETERS = 105_761
"""Trainable parameters of the paper's network."""

RAMPS = 16
"""Pieces of the cumulative histogram in `equalised`."""

SPREAD = 2.5
"""Standard deviations on each side of the mean that the pieces cover."""

Tensor = Any
"""A tensor; neither TensorFlow nor Keras ships types that mypy could use."""


def build_network(seed: int | None = None) -> keras.Sequential:
    """Build the network of the paper, layer for layer.

    Choe Il Su, Jo Son Hyang (2020), table of layers: four 3×3 convolutions without padding, 2×2
    max pooling after each but the last, 4×4 average pooling, 64 ReLU units, one sigmoid unit.

    Args:
        seed: Of the initial weights; None draws one.

    Returns:
        An untrained model, input float32 (n, 64, 64, 3), output float32 (n, 1), the probability
        of a frontal view.
    """
    seeds = keras.random.SeedGenerator(seed)
    stack: list[keras.Layer] = [keras.Input((SIDE, SIDE, 3))]
    for number, filters in enumerate((16, 32, 64, 128), start=1):
        start = keras.initializers.GlorotUniform(seed=seeds)
        name = f"conv2d_{number}"
        stack.append(
            layers.Conv2D(filters, 3, activation="relu", kernel_initializer=start, name=name)
        )
        if number < 4:
            stack.append(layers.MaxPooling2D(2, name=f"max_pooling2d_{number}"))
    start = keras.initializers.GlorotUniform(seed=seeds)
    stack += [
        layers.AveragePooling2D(4, name="average_pooling2d_1"),
        layers.Flatten(name="flatten_1"),
        layers.Dense(64, activation="relu", kernel_initializer=start, name="dense_1"),
        layers.Dense(1, activation="sigmoid", kernel_initializer=start, name="dense_2"),
    ]
    return keras.Sequential(stack, name="paper")


def repeated(grey: Tensor) -> Tensor:
    """Scale to 0 … 1 and repeat over three channels, as the paper does.

    Args:
        grey: uint8, shape (n, 64, 64).

    Returns:
        float32, shape (n, 64, 64, 3).
    """
    return _three_channels(ops.cast(grey, "float32") / 255.0)


def equalised(grey: Tensor) -> Tensor:
    """Equalise each image's histogram, which undoes every monotone change of its contrast.

    The grey values, standardised to mean 0 and deviation 1, are mapped by the image's own
    cumulative histogram, approximated by `RAMPS` straight pieces over `SPREAD` deviations on each
    side; the result is standardised again. It has no parameters.

    Args:
        grey: uint8, shape (n, 64, 64).

    Returns:
        float32, shape (n, 64, 64, 3), the same in all three channels.
    """
    image = _standardised(ops.cast(grey, "float32"))
    width = 2.0 * SPREAD / RAMPS
    ramps = [
        ops.clip((image + (SPREAD - piece * width)) / width, 0.0, 1.0) for piece in range(RAMPS)
    ]
    above = [ops.mean(ramp, axis=(1, 2), keepdims=True) for ramp in ramps]
    result = above[-1] * ramps[-1]
    for piece in range(RAMPS - 1):
        result = result + (above[piece] - above[piece + 1]) * ramps[piece]
    return _three_channels(_standardised(result))


PREPARATIONS = {"repeated": repeated, "equalised": equalised}


def build_scorer(network: keras.Sequential, preparation: str) -> keras.Model:
    """Put the preparation of the pixels before a trained network.

    Args:
        network: From `build_network`.
        preparation: Key of `PREPARATIONS`.

    Returns:
        A model, input uint8 (n, 64, 64), output float32 (n, 1) `p_frontal`.
    """
    pixels = keras.Input((SIDE, SIDE), dtype="uint8", name="pixels")
    return keras.Model(pixels, network(PREPARATIONS[preparation](pixels)), name="scorer")


def to_flatbuffer(scorer: keras.Model) -> bytes:
    """Convert a model from `build_scorer` to LiteRT, in float32."""
    with redirect_stdout(StringIO()):  # the converter prints the model's variables
        flatbuffer: bytes = tf.lite.TFLiteConverter.from_keras_model(scorer).convert()
    return flatbuffer


def p_frontal(scorer: keras.Model, pixels: Grey8) -> npt.NDArray[np.float64]:
    """Score pixels with Keras, on the driver.

    Args:
        scorer: From `build_scorer`.
        pixels: uint8, shape (n, 64, 64).

    Returns:
        float64, shape (n,), 0 … 1.
    """
    if not len(pixels):
        return np.empty(0)
    return np.asarray(scorer.predict(pixels, batch_size=256, verbose=0)[:, 0], np.float64)


def _standardised(image: Tensor) -> Tensor:
    centred = image - ops.mean(image, axis=(1, 2), keepdims=True)
    variance = ops.mean(ops.square(centred), axis=(1, 2), keepdims=True)
    return centred / (ops.sqrt(variance) + 1e-3)


def _three_channels(image: Tensor) -> Tensor:
    return ops.repeat(ops.expand_dims(image, -1), 3, axis=-1)

"""Fitting the second network, and its head for AP or PA alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cxrspark.model.answers import P_AP, P_INVERTED, P_MIRRORED, P_TURN
from cxrspark.model.answers_network import PROJECTION_LAYERS, build_answers
from cxrspark.scoring.progress import duration
from cxrspark.training.answers.examples import Examples, chest_draws, drawn, other_draws
from cxrspark.training.answers.variation import lay, lay_others, no_chest, ready, vary_upright
from cxrspark.training.settings import TrainSettings

SHARES = 0.6, 0.27
"""Of a batch that are chests, and that are others; the rest is made of the chests."""

WARM_UP = 0.03
"""Of all steps."""

SMOOTHED = 0.01
"""Labels of chest or other are this far from 0 and 1."""

PROJECTION_WEIGHT = 0.5
"""Of the projection in the whole loss, as most sources hold one projection alone."""

LYING = 0.25
"""Weight of mirroring and projection where the image is turned or inverted: of such a one its
upright copy is asked, unless the turn is not seen."""

Report = Callable[[str], None]
Tensor = Any


def fit_answers(
    settings: TrainSettings,
    examples: Examples,
    report: Report,
    start: keras.Model | None = None,
) -> keras.Model:
    """Train all heads at once.

    An epoch has as many chest images as there are, drawn with weights that favour small sources.

    Args:
        settings: Epochs, batch size, learning rate and seed.
        examples: Chests and others.
        report: Gets a line per epoch.
        start: A trained network to go on with; random weights by default.
    """
    keras.utils.set_random_seed(settings.seed)
    network = start or build_answers(settings.seed)
    chests, others = (round(share * settings.batch_size) for share in SHARES)
    made = settings.batch_size - chests - others
    steps = max(int(examples.chest.sum()) // chests, 1)
    optimizer = _optimizer(settings, steps)
    optimizer.build(network.trainable_variables)
    pixels, asked = examples.pixels, _asked(examples)
    rng = np.random.default_rng(settings.seed)
    draws = zip(
        drawn(chest_draws(examples), chests, rng),
        drawn(other_draws(examples), others, rng),
        strict=False,
    )

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: Tensor, asked_of: Tensor, no_chests: Tensor) -> Tensor:
        varied = vary_upright(images)
        laid, truth = lay(varied)
        not_chests = tf.concat([vary_upright(no_chests), no_chest(varied[:made])], 0)
        batch = ready(tf.concat([laid, lay_others(not_chests)], 0))
        with tf.GradientTape() as tape:
            logits = network(batch, training=True)
            loss = _loss(logits, chests, truth, asked_of)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    began = time.monotonic()
    for epoch in range(settings.epochs):
        losses = []
        for _, (chest, other) in zip(range(steps), draws, strict=False):
            losses.append(step(pixels[chest], asked[chest], pixels[other]))
        each = (time.monotonic() - began) / (epoch + 1)
        left = duration(each * (settings.epochs - epoch - 1))
        loss = float(np.mean([float(value) for value in losses]))
        report(f"epoch {epoch + 1} of {settings.epochs} · loss {loss:.4f} · {left} left")
    return network


def fit_projection(
    settings: TrainSettings, network: keras.Model, examples: Examples, report: Report
) -> None:
    """Train the head for AP or PA again, on what the other layers see; they stay as they are.

    Args:
        settings: Epochs, batch size, learning rate and seed.
        network: From `build_answers`, trained; its `PROJECTION_LAYERS` are changed.
        examples: Frontal images whose projection is known.
        report: Gets a line per epoch.
    """
    keras.utils.set_random_seed(settings.seed)
    trunk = keras.Model(network.inputs, network.get_layer("trunk").output)
    head = [network.get_layer(name) for name in PROJECTION_LAYERS]
    variables = [variable for layer in head for variable in layer.trainable_variables]
    steps = max(len(examples.pixels) // settings.batch_size, 1)
    optimizer = _optimizer(settings, steps)
    optimizer.build(variables)
    ap = examples.ap.astype(np.float32)
    rng = np.random.default_rng(settings.seed)

    @tf.function  # type: ignore[untyped-decorator]
    def step(images: Tensor, truth: Tensor) -> Tensor:
        seen = trunk(ready(vary_upright(images)), training=False)
        with tf.GradientTape() as tape:
            hidden = tf.nn.dropout(seen, 0.3)
            loss = tf.reduce_mean(_cross_entropy(truth, head[1](head[0](hidden))[:, 0]))
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    balanced = np.where(ap == 1, 0.5 / (ap == 1).sum(), 0.5 / (ap == 0).sum())
    draws = drawn((np.arange(len(ap)), balanced), settings.batch_size, rng)
    for epoch in range(settings.epochs):
        losses = [
            float(step(examples.pixels[chosen], ap[chosen]))
            for _, chosen in zip(range(steps), draws, strict=False)
        ]
        report(f"epoch {epoch + 1} of {settings.epochs} · loss {np.mean(losses):.4f}")


def _asked(examples: Examples) -> Any:
    """What each image can be asked: frontal, whether its projection is known, and it; (n, 3)."""
    ap = examples.ap
    columns = (examples.frontal, ~np.isnan(ap), np.nan_to_num(ap))
    return np.stack(columns, axis=1).astype(np.float32)


def _loss(logits: Tensor, chests: int, truth: Any, asked: Tensor) -> Tensor:
    number = tf.shape(logits)[0]
    chest = tf.cast(tf.range(number) < chests, tf.float32)
    chest = chest * (1.0 - 2.0 * SMOOTHED) + SMOOTHED
    of_chests = logits[:chests]
    turn = tf.nn.sparse_softmax_cross_entropy_with_logits(truth.quarter, of_chests[:, P_TURN])
    inverted = _cross_entropy(truth.inverted, of_chests[:, P_INVERTED])
    mirrored = _cross_entropy(truth.mirrored, of_chests[:, P_MIRRORED])
    projection = _cross_entropy(asked[:, 2], of_chests[:, P_AP])
    lies = tf.maximum(tf.cast(truth.quarter > 0, tf.float32), truth.inverted)
    upright = 1.0 - (1.0 - LYING) * lies
    return (
        tf.reduce_mean(_cross_entropy(chest, logits[:, 0]))
        + tf.reduce_mean(turn)
        + tf.reduce_mean(inverted)
        + _mean_where(asked[:, 0] * upright, mirrored)
        + PROJECTION_WEIGHT * _mean_where(asked[:, 1] * upright, projection)
    )


def _cross_entropy(truth: Tensor, logits: Tensor) -> Tensor:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=logits)


def _mean_where(counts: Tensor, values: Tensor) -> Tensor:
    return tf.reduce_sum(counts * values) / (tf.reduce_sum(counts) + 1.0)


def _optimizer(settings: TrainSettings, steps: int) -> keras.optimizers.Optimizer:
    total = settings.epochs * steps
    warm_up = max(int(WARM_UP * total), 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(total - warm_up, 1), warmup_target=settings.learning_rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(rate, weight_decay=1e-3)

"""Fitting the network: batches, the optimizer, and a state that survives being killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cxrspark.errors import UserError
from cxrspark.model.network import PREPARATIONS, build_network
from cxrspark.scoring.progress import duration
from cxrspark.training.augmentation import paper_layers, vary
from cxrspark.training.feed import Dataset, Labelled
from cxrspark.training.settings import TrainSettings
from cxrspark.training.state import State, Weights

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")
"""What is measured after each epoch; the four curves of the paper's figure."""

CHECKPOINT_SECONDS = 20.0
"""An epoch can take half a second; its state is not written each time."""

WARM_UP_EPOCHS = 2

Report = Callable[[str], None]


@dataclass(frozen=True)
class Trained:
    """The result of `fit`.

    Attributes:
        network: With the weights that the recipe keeps.
        history: One row per epoch: epoch, seconds, and `CURVES`.
        kept_epoch: The epoch that the weights are of.
    """

    network: keras.Sequential
    history: list[dict[str, float]]
    kept_epoch: int


def fit(
    recipe: TrainSettings,
    training: tuple[Labelled, Dataset],
    validation: Dataset,
    state_file: Path,
    report: Report,
    start: Weights | None = None,
) -> Trained:
    """Train, from where the state file left off where there is one.

    Args:
        recipe: How.
        training: The table's counts, and its images as `cxrspark.training.feed.read_labelled`
            gives them.
        validation: Images of the same form.
        state_file: Written every `CHECKPOINT_SECONDS` and at the end.
        report: Gets a line per epoch.
        start: Weights to begin with, of `build_network`'s network; random ones by default.
    """
    keras.utils.set_random_seed(recipe.seed)
    table, images = training
    count = sum(table.views.values())
    steps = -(-count // recipe.batch_size)
    network = build_network(recipe.seed)
    optimizer = _optimizer(recipe, steps)
    network.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    optimizer.build(network.trainable_variables)
    if start is not None:
        network.set_weights(start)
    state = State.load(state_file) if state_file.exists() else State()
    if state.history:
        network.set_weights(state.network)
        for variable, value in zip(optimizer.variables, state.optimizer, strict=True):
            variable.assign(value)
        report(f"goes on after epoch {len(state.history)} of {recipe.epochs}")
    keeper = _Keeper(recipe, state, state_file, report)
    callbacks: list[keras.callbacks.Callback] = [keeper]
    if recipe.tensorboard:
        if find_spec("tensorboard") is None:
            raise UserError("--tensorboard needs its package: pip install tensorboard")
        callbacks.append(keras.callbacks.TensorBoard(str(recipe.tensorboard)))
    if len(state.history) < recipe.epochs:
        network.fit(
            training_batches(recipe, table, images),
            validation_data=validation_batches(recipe, validation),
            initial_epoch=len(state.history),
            epochs=recipe.epochs,
            steps_per_epoch=steps,
            callbacks=callbacks,
            verbose=0,
            shuffle=False,
        )
    kept = build_network()  # without the optimizer, which a bundle does not need
    kept.set_weights(state.kept)
    return Trained(kept, state.history, keeper.kept_epoch())


def training_batches(recipe: TrainSettings, table: Labelled, images: Dataset) -> Dataset:
    """Endless batches (float32 (n, 64, 64, 3), float32 (n,)), drawn and varied anew each epoch."""
    count = sum(table.views.values())
    shuffled = images.shuffle(count, seed=recipe.seed, reshuffle_each_iteration=True)
    batches = shuffled.batch(recipe.batch_size).repeat()
    change = _changes(recipe)
    prepare = PREPARATIONS[recipe.preparation]

    def ready(pixels: Any, frontal: Any) -> tuple[Any, Any]:
        return prepare(change(pixels)), frontal

    return batches.map(ready, num_parallel_calls=2).prefetch(4)


def validation_batches(recipe: TrainSettings, images: Dataset) -> Dataset:
    """Batches of the images as they are, prepared once and kept in memory."""
    prepare = PREPARATIONS[recipe.preparation]
    batches = images.batch(256)
    kept = batches.map(lambda pixels, frontal: (prepare(pixels), frontal)).cache()
    return kept.apply(tf.data.experimental.assert_cardinality(int(batches.cardinality())))


def _changes(recipe: TrainSettings) -> Callable[[Any], Any]:
    if recipe.augmentation == "hospitals":
        return vary
    if recipe.augmentation == "none":
        return lambda pixels: pixels
    layers = paper_layers(recipe.seed)
    return lambda pixels: layers(tf.cast(pixels, tf.float32)[..., None], training=True)[..., 0]


def _optimizer(recipe: TrainSettings, steps: int) -> keras.optimizers.Optimizer:
    rate: Any = recipe.learning_rate
    if recipe.cosine:
        warm_up = min(WARM_UP_EPOCHS * steps, recipe.epochs * steps // 4)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0,
            recipe.epochs * steps - warm_up,
            warmup_target=recipe.learning_rate,
            warmup_steps=warm_up,
        )
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=1e-4)
    return keras.optimizers.RMSprop(rate)


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps history, state and the best weights, and reports each epoch."""

    def __init__(self, recipe: TrainSettings, state: State, file: Path, report: Report):
        super().__init__()
        self._recipe, self._state, self._file, self._report = recipe, state, file, report
        self._began_at = len(state.history)

    def on_train_begin(self, logs: Any = None) -> None:
        self._start = self._saved = self._epoch_start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        now = time.monotonic()
        row = {"epoch": epoch + 1, "seconds": round(now - self._epoch_start, 2)}
        row |= {name: float(f"{logs[name]:.6g}") for name in CURVES}
        self._epoch_start = now
        self._state.history.append(row)
        if self.kept_epoch() == epoch + 1:
            self._state.kept = self.model.get_weights()
        if now - self._saved > CHECKPOINT_SECONDS or epoch + 1 == self._recipe.epochs:
            self._state.network = self.model.get_weights()
            self._state.optimizer = [np.asarray(v) for v in self.model.optimizer.variables]
            self._state.save(self._file)
            self._saved = time.monotonic()
        each = (now - self._start) / (epoch + 1 - self._began_at)
        left = each * (self._recipe.epochs - epoch - 1)
        self._report(
            f"epoch {epoch + 1} of {self._recipe.epochs} · loss {row['loss']:.4f}, "
            f"accuracy {row['accuracy']:.4f} · validation loss {row['val_loss']:.4f}, "
            f"accuracy {row['val_accuracy']:.4f} · {duration(left)} left"
        )

    def kept_epoch(self) -> int:
        """The last epoch of those with the lowest validation loss, or the last of all."""
        history = self._state.history
        if self._recipe.keep == "last":
            return len(history)
        return int(min(history, key=lambda row: (row["val_loss"], -row["epoch"]))["epoch"])

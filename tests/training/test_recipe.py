"""The paper's recipe, number by number, as it is carried out and not as it is written down."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from cxrspark.model.bundle import load_bundle
from cxrspark.model.network import build_network, repeated
from cxrspark.training import fit as training
from cxrspark.training.feed import Labelled
from cxrspark.training.fit import fit, training_batches, validation_batches
from cxrspark.training.settings import TrainSettings
from cxrspark.training.state import State

from helpers.toys import toy_images

CONF = Path(__file__).parents[2] / "conf"
PAPER = {
    "augmentation": "paper",
    "preparation": "repeated",
    "optimizer": "rmsprop",
    "learning_rate": 0.001,
    "cosine": False,
    "batch_size": 32,
    "epochs": 1000,
    "validation_share": 0.2,
    "keep": "best",
}
ROBUST = {"augmentation": "hospitals", "optimizer": "adamw", "cosine": True, "learning_rate": 0.002}


def recipe(**changes: object) -> TrainSettings:
    return TrainSettings(**({"labels": "-", "archive": "-", "bundle": Path("-")} | changes))


def table(count: int = 96) -> tuple[Labelled, tf.data.Dataset]:
    pixels, frontal = toy_images(count)
    images = tf.data.Dataset.from_tensor_slices((pixels, frontal.astype(np.float32)))
    return Labelled("", {"frontal": count - count // 2, "lateral": count // 2}, {}, []), images


def trained(state: Path, settings: TrainSettings, count: int = 96) -> training.Trained:
    return fit(settings, table(count), table(16)[1], state, lambda line: None)


def epochs_of(settings: TrainSettings, count: int, epochs: int) -> np.ndarray:
    """What the network is given: shape (epochs, count, 64, 64), grey 0 … 1."""
    steps = -(-count // settings.batch_size)
    batches = training_batches(settings, *table(count)).take(epochs * steps)
    given = np.concatenate([pixels.numpy()[..., 0] for pixels, _ in batches])
    return given.reshape(epochs, count, 64, 64)


def test_the_defaults_and_their_file_are_the_papers() -> None:
    defaults = recipe().model_dump()
    assert {name: defaults[name] for name in PAPER} == PAPER
    written = yaml.safe_load((CONF / "train-paper.yaml").read_text())
    assert written == {name: PAPER[name] for name in written}
    assert set(written) == set(PAPER) - {"cosine"}


def test_the_robust_file_is_the_shipped_models_recipe() -> None:
    written = yaml.safe_load((CONF / "train-robust.yaml").read_text())
    made_by = load_bundle().card["recipe"]
    assert written == {name: made_by[name] for name in written}
    unlike = {name for name in PAPER if made_by[name] != PAPER[name]}
    assert unlike <= set(written)


def test_rmsprop_at_the_papers_rate(tmp_path: Path) -> None:
    """Its first step is rate · g / √(0.1 g²) wherever there is a slope, as Keras' ρ is 0.9."""
    once = recipe(epochs=1, batch_size=96)
    before, after = build_network(once.seed), trained(tmp_path / "state.npz", once).network
    steps = [b - a for a, b in zip(before.get_weights(), after.get_weights(), strict=True)]
    moved = np.abs(np.concatenate([step.ravel() for step in steps]))
    assert moved.max() == pytest.approx(0.001 / np.sqrt(0.1), rel=0.005)


def test_the_papers_rate_stays(tmp_path: Path) -> None:
    trained(tmp_path / "state.npz", recipe(epochs=3, batch_size=16))
    steps, rate = State.load(tmp_path / "state.npz").optimizer[:2]
    assert (int(steps), float(rate)) == (3 * 6, pytest.approx(0.001))


def test_adamw_warms_up_and_falls_to_nothing() -> None:
    optimizer = training._optimizer(recipe(**ROBUST, epochs=20), 10)
    assert type(optimizer) is keras.optimizers.AdamW
    assert optimizer.weight_decay == pytest.approx(1e-4)
    network = build_network(1)
    optimizer.build(network.trainable_variables)
    rates = []
    for step in range(200):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    assert rates[:3] == pytest.approx([0.0, 0.0001, 0.0002])
    assert rates[20] == max(rates) == pytest.approx(0.002)  # after two epochs
    assert rates[110] == pytest.approx(0.001)
    assert rates[-1] < 1e-6


@pytest.mark.parametrize("size", [32, 10])
def test_batches_are_of_the_size_asked_for_and_hold_each_image_once_an_epoch(size: int) -> None:
    settings = recipe(batch_size=size, augmentation="none")
    sizes = [len(frontal) for _, frontal in training_batches(settings, *table(96)).take(10)]
    assert set(sizes[:-1]) <= {size, 96 % size}
    given = epochs_of(settings, 96, 2)
    greys = np.asarray(repeated(toy_images(96)[0]))[..., 0]
    for epoch in given:
        assert {image.tobytes() for image in epoch} == {image.tobytes() for image in greys}


def test_images_come_in_another_order_each_epoch() -> None:
    first, second = epochs_of(recipe(augmentation="none"), 96, 2)
    greys = np.asarray(repeated(toy_images(96)[0]))[..., 0]
    orders = [first, second, greys]
    at_their_place = [
        (orders[a] == orders[b]).all(axis=(1, 2)).sum() for a, b in ((0, 1), (0, 2), (1, 2))
    ]
    assert max(at_their_place) < 10, at_their_place  # one, by chance


@pytest.mark.parametrize("augmentation", ["paper", "hospitals"])
def test_each_image_is_changed_anew_each_epoch(augmentation: str) -> None:
    given = epochs_of(recipe(augmentation=augmentation, batch_size=1), 1, 8)[:, 0]
    original = np.asarray(repeated(toy_images(1)[0]))[0, ..., 0]
    assert len({image.tobytes() for image in given}) == 8
    assert all((image != original).any() for image in given)


def test_a_start_is_where_the_training_begins(tmp_path: Path) -> None:
    start = build_network(7).get_weights()
    settings = recipe(epochs=1, learning_rate=1e-9)
    result = fit(settings, table(), table(16)[1], tmp_path / "s.npz", lambda line: None, start)
    pairs = zip(result.network.get_weights(), start, strict=True)
    assert all(np.allclose(a, b, rtol=0, atol=1e-6) for a, b in pairs)


def test_a_training_that_goes_on_has_the_weights_that_it_had(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    trained(file, recipe(epochs=1))
    state = State.load(file)
    state.network = build_network(99).get_weights()
    state.optimizer[1] = np.float32(0.0)  # the rate, so that nothing moves them
    state.save(file)
    trained(file, recipe(epochs=2))
    pairs = zip(State.load(file).network, state.network, strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_held_back_images_are_not_changed() -> None:
    batches = list(validation_batches(recipe(), table(40)[1]))
    greys = np.asarray(repeated(toy_images(40)[0]))
    np.testing.assert_array_equal(np.concatenate([pixels for pixels, _ in batches]), greys)


@pytest.mark.parametrize(("keep", "best", "kept"), [
    ("best", 0.0, 1),  # nothing after the first epoch is as good
    ("best", 99.0, None),
    ("last", 0.0, 3),
])  # fmt: skip
def test_which_weights_are_kept(tmp_path: Path, keep: str, best: float, kept: int | None) -> None:
    file = tmp_path / "state.npz"
    settings = recipe(keep=keep, batch_size=32)
    trained(file, settings.model_copy(update={"epochs": 1}))
    state = State.load(file)
    state.history[0]["val_loss"] = best
    state.save(file)
    result = trained(file, settings.model_copy(update={"epochs": 3}))
    losses = [row["val_loss"] for row in result.history]
    assert result.kept_epoch == (kept or 1 + int(np.argmin(losses)))
    if kept == 1:
        expected = state.kept
    elif result.kept_epoch == 3:
        expected = State.load(file).network
    else:
        return
    weights = result.network.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(weights, expected, strict=True))

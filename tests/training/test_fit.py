import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cxrspark.errors import UserError
from cxrspark.model.network import build_network
from cxrspark.training import fit as training
from cxrspark.training.feed import Dataset, Labelled
from cxrspark.training.fit import CURVES, fit
from cxrspark.training.settings import TrainSettings
from cxrspark.training.state import State

from helpers.toys import toy_images

ROBUST = {
    "augmentation": "hospitals",
    "preparation": "equalised",
    "optimizer": "adamw",
    "cosine": True,
    "keep": "last",
}


def _recipe(**changes: object) -> TrainSettings:
    given = {"labels": "-", "archive": "-", "bundle": Path("-"), "epochs": 4, "batch_size": 16}
    return TrainSettings(**(given | changes))


def _table(count: int = 96, seed: int = 0) -> tuple[Labelled, Dataset]:
    pixels, frontal = toy_images(count, seed)
    images = tf.data.Dataset.from_tensor_slices((pixels, frontal.astype(np.float32)))
    views = {"frontal": int(frontal.sum()), "lateral": int((~frontal).sum())}
    return Labelled("", views, {}, []), images


def _fit(recipe: TrainSettings, state: Path) -> tuple[training.Trained, list[str]]:
    lines: list[str] = []
    return fit(recipe, _table(), _table(32, seed=1)[1], state, lines.append), lines


def _validation_loss(network: object, recipe: TrainSettings) -> float:
    batches = training.validation_batches(recipe, _table(32, seed=1)[1])
    network.compile(loss="binary_crossentropy")
    return float(network.evaluate(batches, verbose=0))


def test_paper_recipe_keeps_the_weights_of_the_lowest_validation_loss(tmp_path: Path) -> None:
    recipe = _recipe(learning_rate=0.003)
    trained, lines = _fit(recipe, tmp_path / "state.npz")
    losses = [row["val_loss"] for row in trained.history]
    assert [row["epoch"] for row in trained.history] == [1, 2, 3, 4]
    assert set(CURVES) < set(trained.history[0])
    assert trained.kept_epoch == 1 + int(np.argmin(losses))
    assert _validation_loss(trained.network, recipe) == pytest.approx(min(losses), abs=1e-4)
    assert len(lines) == 4
    assert lines[1].startswith("epoch 2 of 4 · loss ")
    assert lines[1].endswith(" left")


def test_robust_recipe_learns_and_keeps_the_last_weights(tmp_path: Path) -> None:
    recipe = _recipe(**ROBUST, epochs=24, learning_rate=0.004)
    trained, _ = _fit(recipe, tmp_path / "state.npz")
    assert trained.kept_epoch == 24
    assert trained.history[-1]["val_loss"] < 0.9 * trained.history[0]["val_loss"]
    last = State.load(tmp_path / "state.npz")
    kept = trained.network.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(kept, last.network, strict=True))


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    weights = build_network(1).get_weights()
    state = State([{"epoch": 1, "loss": 0.5}], weights, [np.float32(3.0)], weights[:2])
    state.save(tmp_path / "state.npz")
    back = State.load(tmp_path / "state.npz")
    assert back.history == state.history
    for name in ("network", "optimizer", "kept"):
        pairs = zip(getattr(state, name), getattr(back, name), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


TRAIN_FOREVER = """
import sys
from pathlib import Path
from cxrspark.training import fit
from test_fit import _fit, _recipe
fit.CHECKPOINT_SECONDS = 0.0
_fit(_recipe(epochs=500), Path(sys.argv[1]))
"""


def test_goes_on_after_being_killed(tmp_path: Path) -> None:
    file = tmp_path / "state.npz"
    path = os.pathsep.join([*map(str, (Path(__file__).parent, *Path(__file__).parents[1:3]))])
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN_FOREVER, str(file)], env=os.environ | {"PYTHONPATH": path}
    )
    try:
        give_up = time.monotonic() + 120
        while not (file.exists() and len(State.load(file).history) >= 2):
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = len(State.load(file).history)
    trained, lines = _fit(_recipe(epochs=done + 2), file)
    assert lines[0] == f"goes on after epoch {done} of {done + 2}"
    assert len(lines) == 3
    assert [row["epoch"] for row in trained.history] == list(range(1, done + 3))
    steps = int(State.load(file).optimizer[0])
    assert steps == 6 * (done + 2)


def test_tensorboard_log_on_request(tmp_path: Path) -> None:
    recipe = _recipe(epochs=1, tensorboard=tmp_path / "log")
    if find_spec("tensorboard") is None:
        with pytest.raises(UserError, match="pip install tensorboard"):
            _fit(recipe, tmp_path / "state.npz")
    else:
        _fit(recipe, tmp_path / "state.npz")
        assert list((tmp_path / "log").rglob("events*"))

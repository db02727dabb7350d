import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cxrspark.errors import UserError
from cxrspark.model.answers import OUTPUTS, Thresholds
from cxrspark.model.bundle import ANSWERS, CARD, DEFAULT, MODEL, load_bundle
from cxrspark.model.inference import Scorer

IMAGES = np.random.default_rng(3).integers(0, 256, (40, 64, 64), dtype=np.uint8)
GIVEN = Thresholds(0.4, 0.8, (0.1, 0.9), (0.2, 0.8), (0.0, 1.0))


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, folder / "bundle"))


def change(folder: Path, **answers: object) -> None:
    card = json.loads((folder / CARD).read_text())
    card["answers"] |= answers
    (folder / CARD).write_text(json.dumps(card))


def test_the_shipped_bundle_answers_with_probabilities() -> None:
    bundle = load_bundle()
    assert bundle.answers is not None
    said = Scorer(bundle.answers)(IMAGES)
    assert said.shape == (40, len(OUTPUTS))
    assert said.min() >= 0
    assert said.max() <= 1
    np.testing.assert_allclose(said[:, 1:5].sum(axis=1), 1, atol=1e-5)


def test_the_network_of_the_view_is_that_of_the_paper_to_the_last_byte() -> None:
    digest = "a9b78b5ed6b6a75dc86b083c2b7db4403535193f9a696cc908178edfded98f2d"
    assert load_bundle().card["flatbuffer_sha256"] == digest


def test_thresholds_are_kept_by_the_card() -> None:
    assert Thresholds.of_card(json.loads(json.dumps(GIVEN.as_card()))) == GIVEN


@pytest.mark.parametrize(
    "wrong", [{"ap": (0.9, 0.1)}, {"turn_sure": 0.2}, {"chest_below": None}, {"inverted": (0.5,)}]
)
def test_thresholds_that_make_no_sense_are_refused(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    folder = copied(tmp_path)
    change(folder, thresholds={**GIVEN.as_card(), **wrong})
    with pytest.raises(UserError, match=r"model\.json is damaged"):
        load_bundle(str(folder))


def test_an_older_bundle_has_no_answers_and_keeps_its_name(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    card = json.loads((folder / CARD).read_text())
    del card["answers"]
    (folder / CARD).write_text(json.dumps(card))
    (folder / ANSWERS).unlink()
    old = load_bundle(str(folder))
    assert (old.answers, old.thresholds, old.networks.answers) == (None, None, None)
    assert old.model_id == "358b0738cf39"
    assert old.model_id != load_bundle().model_id


def test_the_model_id_covers_the_answers_thresholds(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    change(folder, thresholds=GIVEN.as_card())
    assert load_bundle(str(folder)).model_id != load_bundle().model_id


@pytest.mark.parametrize("name", [ANSWERS, MODEL])
def test_a_damaged_network_is_refused(tmp_path: Path, name: str) -> None:
    folder = copied(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:-10])
    with pytest.raises(UserError, match=f"{name} is damaged; train or copy it again"):
        load_bundle(str(folder))


def test_a_network_that_the_card_names_and_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / ANSWERS).unlink()
    with pytest.raises(UserError, match=r"answers\.tflite where model\.json names answers"):
        load_bundle(str(folder))

import json
import shutil
from pathlib import Path

import pytest

from cxrspark.errors import UserError
from cxrspark.model.bundle import CARD, DEFAULT, MODEL, load_bundle, write_bundle
from cxrspark.pixels.image import RECIPE


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT, tmp_path / "bundle"))


def change(folder: Path, **changes: object) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**card, **changes}))


def test_the_shipped_bundle_is_the_default_and_complete() -> None:
    bundle = load_bundle()
    assert bundle.model_id == load_bundle(DEFAULT).model_id
    assert bundle.pixels_recipe == RECIPE
    assert 0 < bundle.lateral_below <= bundle.frontal_above < 1
    assert bundle.card["parameters"] == 105_761


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    card = {"thresholds": {"lateral_below": 0.25, "frontal_above": 0.75}}
    written = write_bundle(tmp_path / "new", b"model", card)
    read = load_bundle(str(tmp_path / "new"))
    assert (read.flatbuffer, read.lateral_below, read.frontal_above) == (b"model", 0.25, 0.75)
    assert read.model_id == written.model_id


def test_the_model_id_changes_with_all_that_decides_a_view(tmp_path: Path) -> None:
    def model_id(flatbuffer: bytes, lateral_below: float, frontal_above: float) -> str:
        thresholds = {"lateral_below": lateral_below, "frontal_above": frontal_above}
        return write_bundle(tmp_path, flatbuffer, {"thresholds": thresholds}).model_id

    ids = [
        model_id(b"a", 0.2, 0.8),
        model_id(b"b", 0.2, 0.8),
        model_id(b"a", 0.3, 0.8),
        model_id(b"a", 0.2, 0.7),
    ]
    assert len(set(ids)) == 4
    assert model_id(b"a", 0.2, 0.8) == ids[0]


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"needs model\.json and model\.tflite, .*; name a folder"):
        load_bundle(str(tmp_path))


@pytest.mark.parametrize("cut", [MODEL, CARD])
def test_a_damaged_file_is_refused(copied: Path, cut: str) -> None:
    file = copied / cut
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match=f"{cut} is damaged; train or copy it again"):
        load_bundle(str(copied))


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": {"lateral_below": 0.9}},
        {"thresholds": None},
        {"flatbuffer_sha256": "0"},
    ],
)
def test_a_card_that_does_not_fit_is_refused(copied: Path, changes: dict[str, object]) -> None:
    change(copied, **changes)
    with pytest.raises(UserError, match="is damaged"):
        load_bundle(str(copied))


def test_thresholds_out_of_order_are_refused(copied: Path) -> None:
    change(copied, thresholds={"lateral_below": 0.9, "frontal_above": 0.1})
    with pytest.raises(UserError, match=r"model\.json has thresholds out of order"):
        load_bundle(str(copied))


def test_a_model_of_another_recipe_is_refused(copied: Path) -> None:
    change(copied, pixels_recipe="area32-9")
    with pytest.raises(UserError, match=f"trained on pixels area32-9, this version makes {RECIPE}"):
        load_bundle(str(copied))


def test_the_shipped_bundle_says_what_its_weights_may_be_used_for(tmp_path: Path) -> None:
    assert "CC BY-NC-ND 4.0" in (load_bundle().licence or "")
    thresholds = {"thresholds": {"lateral_below": 0.3, "frontal_above": 0.7}}
    assert write_bundle(tmp_path, b"model", thresholds).licence is None

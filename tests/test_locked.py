import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrspark.errors import UserError
from cxrspark.model.bundle import DEFAULT, load_bundle, write_bundle
from cxrspark.model.seen import SEEN, Seen

from benchmarks.accuracy.locked import LEDGER, LOCK, lock, read
from helpers.toys import toy_images


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four images of the two locked sources, one of another."""
    for number, image in enumerate(toy_images(5)[0]):
        Image.fromarray(np.tile(image, (2, 2))).save(tmp_path / f"{number}.png")
    rows = pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(5)],
            "source": ["jsrt", "shenzhen", "jsrt", "shenzhen", "nih14"],
            "patient_id": ["a", "b", "c", "c", "d"],
            "view": "frontal",
        }
    )
    rows.to_csv(tmp_path / "labels_more.csv", index=False)
    lock(tmp_path, tmp_path)
    return tmp_path


def test_a_second_reading_needs_a_reason_and_is_recorded(data: Path) -> None:
    assert json.loads((data / LOCK).read_text())["images"] == {"jsrt": 2, "shenzhen": 2}
    first = read(data, DEFAULT, None, data)
    assert (first["model_id"], first["jsrt"]["images"]) == (load_bundle().model_id, 2)
    assert 0 <= first["shenzhen"]["accuracy"] <= 1
    with pytest.raises(UserError, match=r"read 1 times, .*--reason"):
        read(data, DEFAULT, None, data)
    again = read(data, DEFAULT, "another model", data)
    ledger = json.loads((data / LEDGER).read_text())
    assert [entry["reason"] for entry in ledger] == ["the first reading", "another model"]
    assert ledger[1] == again
    assert {"date", "commit", "model_id"} <= set(again)


def test_a_reading_that_fails_is_recorded_too(data: Path) -> None:
    thresholds = {"thresholds": {"lateral_below": 0.3, "frontal_above": 0.7}}
    write_bundle(data / "bundle", b"no model", thresholds)
    with pytest.raises(ValueError, match="not a valid Flatbuffer"):
        read(data, str(data / "bundle"), None, data)
    assert len(json.loads((data / LEDGER).read_text())) == 1


def test_other_images_or_labels_are_refused(data: Path) -> None:
    labels = (data / "labels_more.csv").read_text()
    (data / "labels_more.csv").write_text(labels.replace("jsrt,a,frontal", "jsrt,a,lateral"))
    with pytest.raises(UserError, match="not the images that were locked"):
        read(data, DEFAULT, None, data)
    (data / "labels_more.csv").write_text(labels)
    (data / "0.png").write_bytes((data / "1.png").read_bytes())
    with pytest.raises(UserError, match="not the images that were locked"):
        read(data, DEFAULT, None, data)
    assert not (data / LEDGER).exists()


def test_a_model_that_has_seen_them_is_refused(data: Path) -> None:
    bundle = load_bundle()
    write_bundle(data / "bundle", bundle.flatbuffer, bundle.card, bundle.answers)
    trained_on = pd.DataFrame({"image_id": ["x"], "patient_id": ["c"], "source": ["jsrt"]})
    Seen.of(trained_on).write(data / "bundle" / SEEN)
    with pytest.raises(UserError, match="was trained on 1 of the locked images"):
        read(data, str(data / "bundle"), "a reason", data)


def test_a_test_is_locked_once(data: Path) -> None:
    with pytest.raises(UserError, match="a test is locked once"):
        lock(data, data)

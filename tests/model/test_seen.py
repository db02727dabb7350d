import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from cxrspark.archive.patients import of_known_patients
from cxrspark.errors import UserError
from cxrspark.model.seen import SEEN, Seen, load_seen

from benchmarks.accuracy.shared import labels

IMAGES = pd.DataFrame(
    {
        "image_id": ["a", "b", "c", "d"],
        "patient_id": ["1", "1", "2", None],
        "source": ["here", None, "there", "here"],
        "subject_id": [None, None, "s2", None],
    }
)


def test_what_is_written_is_recognised(tmp_path: Path) -> None:
    Seen.of(IMAGES).write(tmp_path / SEEN)
    seen = load_seen(str(tmp_path))
    assert seen is not None
    assert seen.images(IMAGES).all()
    asked = IMAGES.assign(image_id=["e", "f", "g", "h"], source=None)
    assert not seen.images(asked).any()
    expected = of_known_patients(asked, IMAGES).tolist()
    assert expected == [True, True, True, False]
    assert seen.patients(asked).tolist() == expected
    elsewhere = asked.assign(source=["there", "there", "here", "here"], subject_id=None)
    expected = of_known_patients(elsewhere, IMAGES).tolist()
    assert seen.patients(elsewhere).tolist() == expected


def test_no_id_can_be_read_and_no_two_models_joined(tmp_path: Path) -> None:
    first, second = Seen.of(IMAGES), Seen.of(IMAGES)
    assert not first.hashes & second.hashes
    unsalted = {hashlib.sha256(f"image/{name}".encode()).hexdigest()[:12] for name in "abcd"}
    assert not first.hashes & unsalted
    first.write(tmp_path / SEEN)
    assert set(json.loads((tmp_path / SEEN).read_text())) == {"salt", "hashes"}
    assert "there" not in (tmp_path / SEEN).read_text()


def test_a_bundle_without_the_file_does_not_tell(tmp_path: Path) -> None:
    assert load_seen(str(tmp_path)) is None


@pytest.mark.parametrize("content", ["{", '{"salt": "x"}', "[]"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / SEEN).write_text(content)
    with pytest.raises(UserError, match=r"seen\.json is damaged"):
        load_seen(str(tmp_path))


def test_the_shipped_bundle_knows_what_it_was_trained_on(shared_data: Path) -> None:
    rows = labels(shared_data)
    seen = load_seen()
    assert seen is not None
    assert (seen.patients(rows) == (rows["part"] != "test")).all()
    assert (seen.images(rows) == (rows["part"] != "test")).all()

import pandas as pd
import pytest

from cxrspark.archive.patients import patients
from cxrspark.errors import UserError
from cxrspark.training.samples import Split, check_split, draw, split
from cxrspark.training.second_round import add_to_training


def _images(frontal: int, lateral: int, per_patient: int = 2) -> pd.DataFrame:
    count = frontal + lateral
    return pd.DataFrame(
        {
            "image_id": [f"i{n:05}" for n in range(count)],
            "path": [f"{n:05}.jpg" for n in range(count)],
            "label": ["frontal"] * frontal + ["lateral"] * lateral,
            "patient_id": [f"p{(n * 7919) % (count // per_patient)}" for n in range(count)],
            "source": None,
        }
    )


def test_split_of_the_papers_sample() -> None:
    parts = split(draw(_images(900, 800), 564, 512, seed=3), 0.2, seed=3)
    assert parts.training["label"].value_counts().to_dict() == {"frontal": 451, "lateral": 409}
    assert parts.validation["label"].value_counts().to_dict() == {"frontal": 113, "lateral": 103}
    assert not set(patients(parts.training)) & set(patients(parts.validation))
    check_split(parts)


def test_draw_and_split_depend_on_the_seed_alone() -> None:
    images = _images(50, 50)
    shuffled = images.sample(frac=1, random_state=1)
    one, same, other = draw(images, 20, 20, 1), draw(shuffled, 20, 20, 1), draw(images, 20, 20, 2)
    assert one["image_id"].tolist() == same["image_id"].tolist()
    assert one["image_id"].tolist() != other["image_id"].tolist()
    assert split(images, 0.3, 1).validation.equals(split(shuffled, 0.3, 1).validation)


def test_draw_more_than_there_are() -> None:
    with pytest.raises(UserError, match="--lateral 30: there are only 20"):
        draw(_images(40, 20), 30, 30, 1)


def test_unknown_patients_are_patients_of_their_own() -> None:
    images = _images(4, 4).assign(patient_id=None)
    assert patients(images).nunique() == 8
    same_id = pd.DataFrame(
        {"image_id": ["a", "b"], "patient_id": ["1", "1"], "source": ["here", "there"]}
    )
    assert patients(same_id).nunique() == 2


def test_one_view_only() -> None:
    images = _images(10, 0)
    with pytest.raises(UserError, match=r"no lateral image to use for training \(\d+ frontal\)"):
        check_split(split(images, 0.2, 1))


def test_patient_on_both_sides() -> None:
    images = _images(20, 20, per_patient=4)
    first = images.index % 20 < 10
    parts = Split(images[first], images[~first])
    with pytest.raises(UserError, match=r"10 patients are in both .*\(20 validation images, e.g. "):
        check_split(parts)


def test_one_image_in_both_files() -> None:
    images = _images(20, 20)
    nameless = images.assign(patient_id=None)
    with pytest.raises(UserError, match=r"\(40 validation images, e.g. 00000.jpg"):
        check_split(Split(images, nameless))


def test_one_patient_where_one_file_has_no_source() -> None:
    images = _images(20, 20).assign(source="here")
    others = images.assign(image_id="other " + images["image_id"])
    check_split(Split(images, others.assign(source="there")))
    with pytest.raises(UserError, match="20 patients are in both"):
        check_split(Split(images, others.assign(source=None)))


def test_one_patient_whom_the_labels_call_otherwise() -> None:
    images = _images(20, 20).assign(subject_id="s1")
    others = images.assign(image_id="other " + images["image_id"], patient_id="mine")
    with pytest.raises(UserError, match="in both"):
        check_split(Split(images, others))


def test_patients_of_a_split_stay_together_where_some_have_no_source() -> None:
    images = _images(20, 20, per_patient=4)
    images.loc[images.index % 3 > 0, "source"] = "here"
    check_split(split(images, 0.3, 1))


def test_second_round_adds_no_known_image_and_no_validation_patient() -> None:
    images = _images(40, 40)
    parts = split(images.iloc[:60], 0.2, 1)
    held_back = parts.validation["patient_id"].iloc[0]
    stranger = images.iloc[60:].assign(patient_id="new")
    stranger.loc[stranger.index[0], "patient_id"] = held_back
    more = add_to_training(parts, pd.concat([stranger, images.iloc[:10]]))
    assert len(more.training) == len(parts.training) + 19
    assert more.validation.equals(parts.validation)
    check_split(more)


def test_second_round_refuses_patients_that_it_cannot_tell() -> None:
    images = _images(40, 40)
    parts = split(images.iloc[:60], 0.2, 1)
    nameless = images.iloc[60:].assign(patient_id=None)
    with pytest.raises(UserError, match="20 of 20 images are of unknown patients"):
        add_to_training(parts, nameless)
    anyone = Split(*(part.assign(patient_id=None) for part in (parts.training, parts.validation)))
    assert len(add_to_training(anyone, nameless).training) == len(parts.training) + 20


def test_second_round_knows_a_patient_by_the_archives_name_too() -> None:
    images = _images(40, 40)
    images["subject_id"] = "s" + images["patient_id"]
    parts = split(images.iloc[:60], 0.2, 1)
    added = images.iloc[60:].assign(patient_id=images["subject_id"])
    more = add_to_training(parts, added)
    assert not set(more.training["subject_id"]) & set(more.validation["subject_id"])
    assert len(parts.training) < len(more.training) < len(parts.training) + 20

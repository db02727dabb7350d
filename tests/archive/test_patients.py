import numpy as np
import pandas as pd

from cxrspark.archive.patients import number_patients, of_known_patients, patients


def _images(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "patient_id", "source"])


def test_a_patient_is_an_id_of_a_source() -> None:
    images = _images(
        ("a", "1", "here"), ("b", "1", "there"), ("c", "1", "here"), ("d", "2", "here")
    )
    assert number_patients(images).tolist() == [0, 1, 0, 2]


def test_an_image_without_an_id_is_a_patient() -> None:
    images = _images(("a", None, "here"), ("b", None, "here"), ("c", None, None))
    assert patients(images).nunique() == 3


def test_an_id_without_a_source_may_be_of_any() -> None:
    images = _images(("a", "1", "here"), ("b", "1", None), ("c", "2", "here"), ("d", "2", "there"))
    assert number_patients(images).tolist() == [0, 0, 1, 2]


def test_known_by_image_patient_and_subject() -> None:
    known = _images(("a", "1", "here"), ("b", "2", None)).assign(subject_id=["s1", None])
    asked = _images(
        ("a", None, None),  # the image itself
        ("c", "1", "here"),
        ("d", "1", None),
        ("e", "2", "there"),
        ("f", "9", "here"),  # the labels call the archive's s1 otherwise
        ("g", "1", "there"),
        ("h", None, "here"),
    ).assign(subject_id=[None, None, None, None, "s1", "s2", None])
    expected = [True, True, True, True, True, False, False]
    np.testing.assert_array_equal(of_known_patients(asked, known), expected)
    without = asked.drop(columns="subject_id")
    assert not of_known_patients(without, known)[4]

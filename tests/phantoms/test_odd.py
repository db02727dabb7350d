"""Images that are no upright chest, in the archive and in its truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrspark.errors import UserError
from cxrspark.phantoms.archive import METADATA, write_archive
from cxrspark.phantoms.odd import LAYINGS, OTHERS, Odd, plan_odd
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.pixels.upright import upright

TOLD = {
    "turned by 90": (90, False, False), "turned by 180": (180, False, False),
    "turned by 270": (270, False, False), "inverted": (0, True, False),
    "mirrored": (0, False, True),
}  # fmt: skip


def settings(folder: Path, **changes: object) -> ArchiveSettings:
    given = {"out": folder, "studies": 12, "rows": 128, "processes": 1, "seed": 5, **changes}
    return ArchiveSettings.model_validate(given)


@pytest.mark.parametrize("what", LAYINGS)
def test_what_was_done_to_a_chest_can_be_undone(what: str) -> None:
    chest = np.random.default_rng(1).integers(0, 256, (30, 20), dtype=np.uint8)
    assert np.array_equal(upright(Odd(what, 1).picture(chest), *TOLD[what]), chest)


@pytest.mark.parametrize("what", OTHERS)
def test_each_other_image_is_drawn_in_the_size_of_the_chest(what: str) -> None:
    chest = np.zeros((128, 107), np.uint8)
    drawn = Odd(what, 3).picture(chest)
    assert drawn.shape == chest.shape
    assert drawn.dtype == np.uint8
    assert np.ptp(drawn) > 20


def test_shares_are_kept_and_all_kinds_come_in_turn() -> None:
    frontal = [n % 3 == 0 for n in range(200)]
    plan = plan_odd(1, frontal, 0.2, 0.1)
    others = [odd.what for odd in plan if odd and odd.other]
    laid = [odd.what for odd in plan if odd and not odd.other]
    assert (len(others), len(laid)) == (40, 20)
    assert set(others) == set(OTHERS)
    assert set(laid) == set(LAYINGS)
    assert plan == plan_odd(1, frontal, 0.2, 0.1)
    assert all(frontal[n] for n, odd in enumerate(plan) if odd and odd.what == "mirrored")


def test_an_archive_has_them_and_says_so(tmp_path: Path) -> None:
    write_archive(settings(tmp_path / "plain"))
    write_archive(settings(tmp_path / "odd", others=0.3, laid=0.3))
    plain, odd = (
        pd.read_csv(tmp_path / name / "truth.csv").set_index("path") for name in ("plain", "odd")
    )
    assert list(plain.index) == list(odd.index)
    changed = odd["kind"] != plain["kind"]
    assert changed.sum() == 2 * round(0.3 * len(odd))
    assert (odd["view"] == "other").sum() == round(0.3 * len(odd))
    sizes = pd.read_csv(tmp_path / "odd" / METADATA).set_index("dicom_id")[["Rows", "Columns"]]
    for path in odd.index:
        same = (tmp_path / "plain" / path).read_bytes() == (tmp_path / "odd" / path).read_bytes()
        assert same != changed[path]
        with Image.open(tmp_path / "odd" / path) as image:
            assert tuple(sizes.loc[Path(path).stem]) == image.size[::-1]


def test_they_are_for_jpegs_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="for an archive of JPEGs alone"):
        write_archive(settings(tmp_path / "a", dicom=tmp_path / "b", others=0.1))

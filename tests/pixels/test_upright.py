from itertools import product

import numpy as np
import pandas as pd
import pytest

from cxrspark.pixels.upright import upright

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)


@pytest.mark.parametrize(
    ("turn", "inverted", "mirrored"),
    list(product((0, 90, 180, 270), (False, True), (False, True))),
)
def test_sets_right_whatever_was_done_to_an_image(
    turn: int, inverted: bool, mirrored: bool
) -> None:
    laid = GREY[:, ::-1] if mirrored else GREY
    laid = np.rot90(laid, turn // 90)  # anticlockwise
    laid = 255 - laid if inverted else laid
    assert np.array_equal(upright(laid, turn, inverted, mirrored), GREY)


def test_turns_clockwise() -> None:
    assert upright(GREY, 90, None, None)[0].tolist() == [8, 4, 0]


def test_what_is_not_known_changes_nothing() -> None:
    row = pd.DataFrame({"turn": [90, None], "mirrored": [True, None]}).iloc[1]
    copy = upright(GREY, row["turn"], None, row["mirrored"])
    assert np.array_equal(copy, GREY)
    copy[:] = 0
    assert GREY.any(), "the image itself was changed"


def test_sixteen_bits_are_inverted_within_their_range() -> None:
    grey = np.array([[0, 4095]], np.uint16)
    assert upright(grey, 0, True, False, most=4095).tolist() == [[4095, 0]]
    assert upright(grey, 0, True, False).tolist() == [[65535, 61440]]


def test_another_angle_is_refused() -> None:
    with pytest.raises(ValueError, match="turn by 45 degrees"):
        upright(GREY, 45, None, None)

"""Counting words and averaging blocks of them: native code beside NumPy."""

import numpy as np
import pytest

from cxrspark.pixels.equalise import count, look_up
from cxrspark.pixels.native import SWITCH, count_words, sum_blocks, why_not
from cxrspark.pixels.shrink_to_64 import _block_means, _sum_blocks

SHAPES = [(64, 64), (512, 640), (513, 641), (519, 647), (1, 1), (8, 7), (9, 3)]


@pytest.fixture(autouse=True)
def native() -> None:
    """Skip where there is no native code."""
    if reason := why_not():
        pytest.skip(reason)


@pytest.mark.parametrize("shape", SHAPES)
def test_native_code_gives_what_numpy_gives(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(sum(shape))
    words = rng.integers(0, 2**16, shape, np.uint16)
    words.flat[:2] = 0, 2**16 - 1
    table = rng.integers(0, 256, 2**16, np.uint8)
    sums = sum_blocks(words, table)
    assert sums is not None
    np.testing.assert_array_equal(sums, _sum_blocks(look_up(table, words)))
    counts, means = count(words), _block_means(words, table)
    monkeypatch.setenv(SWITCH, "0")
    assert count_words(words) is None
    np.testing.assert_array_equal(counts, count(words))
    np.testing.assert_array_equal(means, _block_means(words, table))
    assert counts.sum() == words.size


@pytest.mark.parametrize("white", [0, 255])
def test_sums_of_the_brightest_block_fit(white: int) -> None:
    sums = sum_blocks(np.zeros((9, 9), np.uint16), np.full(2**16, white, np.uint8))
    assert sums is not None
    assert (sums == 64 * white).all()


@pytest.mark.parametrize(
    "words",
    [
        np.zeros((16, 16), np.uint8),
        np.zeros((16, 16), ">u2"),
        np.zeros((16, 32), np.uint16)[:, ::2],
        np.frombuffer(bytes(513), np.uint16, offset=1).reshape(16, 16),
    ],
    ids=["8 bit", "big-endian", "strided", "unaligned"],
)
def test_other_words_are_left_to_numpy(words: np.ndarray) -> None:
    assert count_words(words) is None
    assert sum_blocks(words, np.zeros(2**16, np.uint8)) is None
    assert count(words)[0] == words.size

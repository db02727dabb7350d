"""Grey of any depth stretched to 0 … 255, and its histogram equalised."""

from __future__ import annotations

import numpy as np

from cxrspark.pixels.image import Grey8, Ints, PixelsError, Words
from cxrspark.pixels.native import count_words

BLOCK = 2**16
"""Pixels that are counted or looked up at once: what is made of them stays in the cache."""


def equalise(words: Words) -> Grey8:
    """Stretch grey to 0 … 255 and equalise its histogram.

    Args:
        words: uint8 or uint16, shape (rows, columns).

    Returns:
        uint8, same shape.

    Raises:
        PixelsError: The image is constant, so there is no range to stretch.
    """
    counts = count(words)
    values = np.arange(counts.size)
    low, high = ends(counts, values)
    levels = ((values.clip(low, high) - low) * (255.0 / (high - low))).astype(np.uint8)
    return look_up(equalising_table(counts, levels), words)


def count(words: Words) -> Ints:
    """How often each word is there: shape (256,) for uint8, (65536,) for uint16."""
    if (counted := count_words(words)) is not None:
        return counted
    counts = np.zeros(256**words.itemsize, np.int64)
    flat = words.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        part = np.bincount(flat[start : start + BLOCK])  # of 12 bits it has 4,096 counts
        counts[: part.size] += part
    return counts


def ends(counts: Ints, values: Ints) -> tuple[int, int]:
    """The least and the greatest of the values that are there.

    Raises:
        PixelsError: They are the same.
    """
    there = values[counts > 0]
    low, high = int(there.min()), int(there.max())
    if low == high:
        raise PixelsError(f"constant image: every pixel is {low}")
    return low, high


def equalising_table(counts: Ints, levels: Grey8) -> Grey8:
    """What each word becomes by histogram equalisation, as OpenCV's `equalizeHist` does it.

    Args:
        counts: How often each word is there, from `count`.
        levels: The grey of each word; same shape. Several are there.

    Returns:
        uint8, same shape.
    """
    histogram = np.bincount(levels, weights=counts, minlength=256).astype(np.int64)
    cumulated = histogram.cumsum()
    darkest = histogram[histogram.nonzero()[0][0]]
    # OpenCV's float: with more digits some levels come out as their neighbours.
    scale = np.float32(255) / np.float32(cumulated[-1] - darkest)
    table = np.rint((cumulated - darkest).astype(np.float32) * scale)
    return np.asarray(table.clip(0, 255).astype(np.uint8)[levels])


def look_up(table: Grey8, words: Words) -> Grey8:
    """`table[words]`, without the full-size copy of the indices that NumPy would make."""
    flat = words.reshape(-1)
    grey = np.empty(flat.size, np.uint8)
    for start in range(0, flat.size, BLOCK):
        part = slice(start, start + BLOCK)
        np.take(table, flat[part], out=grey[part], mode="clip")
    return grey.reshape(words.shape)

"""The native scan gives Pillow's pixels or none. Sound files and mutants are made from seeds."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels import native
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.native import SWITCH, scan, why_not
from cxrspark.pixels.picture_file import EIGHTH
from cxrspark.pixels.shrink_to_64 import shrink

from helpers.jpegs import by_pillow, encoded, mutated, written
from helpers.pictures import encode, gradient

FILES = int(os.environ.get("CXRSPARK_JPEGS", 200))
MUTANTS = int(os.environ.get("CXRSPARK_JPEG_MUTANTS", 2000))
MOST_PIXELS = 2**20
"""Of a mutant, or a few of them would take all the time."""


@pytest.fixture(autouse=True)
def _native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SWITCH, raising=False)
    if reason := why_not():
        if os.environ.get("CXRSPARK_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(f"{reason}: run make setup")


def scanned(data: bytes) -> np.ndarray | None:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        columns, rows = image.size
    return scan(data, rows, columns)


def segments(data: bytes) -> list[bytes]:
    """A file of Pillow's, cut before each of its markers; data stay with the SOS."""
    at, parts = 2, [data[:2]]
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append(data[at:end])
        at = end
    return [*parts, data[at:-2], data[-2:]]


def test_pictures_of_every_option_of_pillow_are_answered_with_its_pixels() -> None:
    for seed in range(FILES):
        data = encoded(np.random.default_rng(seed))
        answer = scanned(data)
        assert answer is not None, seed
        assert np.array_equal(answer, by_pillow(data)), seed


def test_files_of_every_structure_are_answered_with_pillows_pixels() -> None:
    answered = 0
    for seed in range(FILES):
        data = written(np.random.default_rng(seed))
        answer = scanned(data)
        if answer is not None:
            answered += 1
            assert np.array_equal(answer, by_pillow(data)), seed
    assert answered > 0.75 * FILES  # the others are RGB, or of a coarser luminance


def test_a_damaged_file_is_answered_with_pillows_pixels_or_left_to_it() -> None:
    rng = np.random.default_rng(7)
    sound = [make(rng) for make in (encoded, written) for _ in range(100)]
    answered = opened = 0
    for number in range(MUTANTS):
        data = mutated(rng, sound[number % len(sound)])
        try:
            with warnings.catch_warnings(), Image.open(BytesIO(data), formats=("JPEG",)) as image:
                warnings.simplefilter("ignore")
                columns, rows = image.size
        except Exception:
            continue
        if min(rows, columns) < EIGHTH or rows * columns > MOST_PIXELS:
            continue
        opened += 1
        answer = scan(data, rows, columns)
        if answer is not None:
            answered += 1
            assert np.array_equal(answer, by_pillow(data)), number
    assert 0.1 * opened < answered < 0.9 * opened  # else the mutations are too coarse, or too fine


SMALL = gradient(200, 160)
PARTS = segments(encode(SMALL, "jpg", quality=90))
PROGRESSIVE = encode(SMALL, "jpg", progressive=True)


def join(*parts: bytes) -> bytes:
    return b"".join(parts)


LEFT_TO_PILLOW = {
    "CMYK": encode(SMALL, "jpg", "CMYK"),
    "RGB": encode(SMALL, "jpg", "RGB", keep_rgb=True),
    "no end": join(*PARTS[:-1]),
    "cut short": join(*PARTS[:-2], PARTS[-2][:-300], PARTS[-1]),
    "bytes before the end": join(*PARTS[:-1], b"\x12\x34", PARTS[-1]),
    "a byte too many in the data": join(*PARTS[:-1], b"\x12", PARTS[-1]),
    "a restart marker too many": join(*PARTS[:-1], b"\xff\xd0", PARTS[-1]),
    "an unknown marker": join(PARTS[0], b"\xff\xf0\0\2", *PARTS[1:]),
    "two pictures in one": join(*PARTS[:-1], *PARTS[1:]),
    "progressive, not complete": PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")] + b"\xff\xd9",
    "sizes that differ": join(*PARTS[:-1], PARTS[-1]).replace(b"\0\xc8\0\xa0", b"\0\xc9\0\xa0"),
}


@pytest.mark.parametrize("data", LEFT_TO_PILLOW.values(), ids=LEFT_TO_PILLOW)
def test_what_is_of_another_kind_or_looks_damaged_is_left_to_pillow(data: bytes) -> None:
    assert scan(join(*PARTS), 200, 160) is not None
    assert scan(data, 200, 160) is None


def test_what_follows_the_end_is_no_damage() -> None:
    data = join(*PARTS) + b"\0\xff\xd8 and more"
    assert np.array_equal(scanned(data), by_pillow(data))


LARGE = encode(gradient(1100, 1300), "jpg", quality=95)


def test_the_recipe_uses_it_and_its_pixels_are_those_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    monkeypatch.setattr(native, "scan", lambda *args: calls.append(scan(*args)) or calls[-1])
    with_it = shrink(LARGE)
    assert [answer.shape for answer in calls] == [(138, 163)]
    monkeypatch.setenv(SWITCH, "0")
    without = shrink(LARGE)
    assert calls[1:] == [None]
    assert np.array_equal(with_it.values, without.values)
    assert (with_it.rows, with_it.columns) == (without.rows, without.columns) == (1100, 1300)


def test_a_damaged_picture_gets_pillows_message() -> None:
    with pytest.raises(PixelsError, match="undecodable: image file is truncated"):
        shrink(LARGE[:-5000])


def test_several_at_once_do_not_disturb_one_another() -> None:
    files = [encoded(np.random.default_rng(seed)) for seed in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(scanned, files * 5))
    for data, answer in zip(files * 5, answers, strict=True):
        assert np.array_equal(answer, by_pillow(data))


def test_switched_off_or_not_there_it_says_so_and_answers_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(SWITCH, "0")
    assert why_not() == "CXRSPARK_NATIVE=0 is set"
    assert scan(LARGE, 1100, 1300) is None
    monkeypatch.delenv(SWITCH)
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"of another machine")
    for library in ("no-such.so", str(broken)):
        monkeypatch.setattr(native, "LIBRARY", library)
        native._library.cache_clear()
        try:
            assert why_not() == f"{library} is missing or does not load"
            assert scan(LARGE, 1100, 1300) is None
            assert shrink(LARGE).values.shape == (64, 64)
        finally:
            native._library.cache_clear()

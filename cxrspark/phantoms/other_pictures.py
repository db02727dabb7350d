"""Pictures that are no plain radiograph: slices, ultrasound, breasts, pages, photographs, noise.

Each is drawn at random, and only as like the real thing as 64×64 pixels show.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cxrspark.phantoms.rays import Floats
from cxrspark.pixels.image import Grey8

Random = np.random.Generator

LETTERS = "etaoinshrdlucmfwypvbgkjqxz ETAOIN0123456789  "


def picture(rng: Random, kind: str, rows: int) -> Grey8:
    """Draw a picture.

    Args:
        rng: Source of every choice.
        kind: Key of `KINDS`.
        rows: Rows and columns of the result.

    Returns:
        uint8, shape (rows, rows); one in ten with its greys inverted, never all of one grey.
    """
    grey = np.asarray(KINDS[kind](rng, rows), np.float64)
    if rng.random() < 0.1:
        grey = 1.0 - grey
    values = (grey * 255).clip(0, 255).astype(np.uint8)
    values[0, 0] ^= values.min() == values.max()
    return values


def field(rng: Random, rows: int, power: float) -> Floats:
    """Noise with a spectrum of 1/frequency**power, standardised, shape (rows, rows)."""
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(rows)[None, :])
    frequency[0, 0] = 1.0  # any: the mean is taken away
    white = np.fft.rfft2(rng.normal(size=(rows, rows)))
    noise = np.fft.irfft2(white * frequency**-power, (rows, rows))
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-9), np.float32)


def _blob(rows: int, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> Floats:
    """Soft ellipse, 1 inside; the picture spans -1 … 1."""
    axis = np.linspace(-1, 1, rows)
    right, down = axis[None, :] - x, axis[:, None] - y
    along = (right * np.cos(turn) + down * np.sin(turn)) / wide
    across = (down * np.cos(turn) - right * np.sin(turn)) / high
    edge = (1 - np.hypot(along, across)) * rows * 0.5 * min(wide, high)
    return np.asarray(np.clip(edge + 0.5, 0, 1), np.float32)


def _ct(rng: Random, rows: int) -> Floats:
    """A slice of a trunk: fat, muscle, ribs, a vertebra; lungs and heart, or bowels and liver."""
    wide, high = rng.uniform(0.65, 0.98), rng.uniform(0.45, 0.75)
    y = rng.uniform(-0.12, 0.12)
    body = _blob(rows, 0, y, wide, high)
    muscle = _blob(rows, 0, y, wide * rng.uniform(0.85, 0.97), high * rng.uniform(0.8, 0.97))
    fat, soft = rng.uniform(0.1, 0.45), rng.uniform(0.45, 0.65)
    grey = fat * body + (soft - fat) * muscle + 0.03 * field(rng, rows, 1.0) * muscle
    if rng.random() < 0.6:
        dark = rng.uniform(0.0, 0.25)
        for side in (-1, 1):
            size = wide * rng.uniform(0.3, 0.42), high * rng.uniform(0.5, 0.75)
            lung = _blob(rows, side * 0.46 * wide, y - 0.03, *size, side * 0.15)
            vessels = np.maximum(field(rng, rows, 0.8) - 1.5, 0) * 0.2
            grey = grey * (1 - lung) + lung * (dark + vessels)
        heart = _blob(rows, 0.1, y - 0.15, wide * 0.3, high * 0.38, 0.5)
        grey = np.maximum(grey, (soft + 0.05) * heart)
    else:
        liver = _blob(rows, -0.4 * wide, y - 0.05, 0.45 * wide, 0.7 * high)
        grey = grey + 0.1 * liver * muscle
        for _ in range(int(rng.integers(0, 7))):
            place = rng.uniform(-0.5, 0.5, 2) * (wide, high)
            gas = _blob(rows, place[0], y + place[1] - 0.1, *rng.uniform(0.04, 0.16, 2))
            grey = grey * (1 - gas) + gas * rng.choice((0.0, 0.9))
    for angle in rng.uniform(0, 2 * np.pi, int(rng.integers(4, 12))):
        x, z = 0.86 * wide * np.cos(angle), y + 0.86 * high * np.sin(angle)
        rib = _blob(rows, x, z, 0.1, 0.03, angle + np.pi / 2)
        grey = np.maximum(grey, rib)
    grey = np.maximum(grey, _blob(rows, 0, y + 0.62 * high, 0.13, 0.12))
    if rng.random() < 0.5:
        axis = np.linspace(-1, 1, rows)
        table = np.exp(-(((axis[:, None] - 0.9 + 0.2 * axis[None, :] ** 2) / 0.03) ** 2))
        grey = np.maximum(grey, 0.4 * table)
    return np.asarray(grey, np.float32)


def _head(rng: Random, rows: int) -> Floats:
    """A slice of a head, by CT with a bright skull or by MR with a bright skin."""
    wide, high = rng.uniform(0.45, 0.8), rng.uniform(0.6, 0.92)
    turn = float(rng.choice((0, 0, np.pi / 2))) + rng.normal(0, 0.08)
    x, y = rng.normal(0, 0.05, 2)

    def inner(share: float) -> Floats:
        return _blob(rows, x, y, wide * share, high * share, turn)

    skin, skull = (0.35, 1.0) if rng.random() < 0.5 else (rng.uniform(0.6, 1), 0.05)
    brain = rng.uniform(0.25, 0.65)
    grey = skin * inner(1.0)
    for share, value in ((0.93, skull), (0.84, brain)):
        part = inner(share)
        grey = grey * (1 - part) + value * part
    grey += rng.uniform(0.02, 0.12) * field(rng, rows, rng.uniform(1.0, 1.8)) * inner(0.82)
    fluid = rng.choice((0.05, 0.9))
    for side in (-1, 1):
        horn = _blob(rows, x + side * 0.1, y, 0.06, 0.2, turn + side * 0.25)
        grey = grey * (1 - horn) + fluid * horn
    if rng.random() < 0.3:
        spot = rng.uniform(-0.35, 0.35, 2)
        lump = _blob(rows, *spot, *rng.uniform(0.05, 0.2, 2))
        grey = grey * (1 - lump) + rng.uniform(0.5, 1.0) * lump
    return np.asarray(grey, np.float32)


def _ultrasound(rng: Random, rows: int) -> Floats:
    """Speckle in layers, in a fan or a box."""
    axis = np.linspace(0, 1, rows)
    layers = 0.4 + 0.12 * field(rng, rows, 2.0)
    depth = np.interp(axis, np.sort(rng.random(8)), rng.uniform(0.2, 1.0, 8))
    speckle = np.abs(field(rng, rows, 0.3) + 1j * field(rng, rows, 0.3))
    grey = layers * depth[:, None] * speckle
    for _ in range(int(rng.integers(0, 4))):
        cyst = _blob(rows, *rng.uniform(-0.6, 0.6, 2), *rng.uniform(0.1, 0.4, 2))
        grey = grey * (1 - rng.uniform(0.6, 1.0) * cyst)
    if rng.random() < 0.5:
        right, down = axis[None, :] - 0.5, axis[:, None] + rng.uniform(0.0, 0.3)
        grey = grey * (np.abs(np.arctan2(right, down)) < rng.uniform(0.4, 0.9))
        grey = grey * (np.hypot(right, down) < rng.uniform(0.9, 1.3))
    return np.asarray(grey, np.float32)


def _breast(rng: Random, rows: int) -> Floats:
    """A breast from the edge of a black film."""
    wide, high = rng.uniform(0.6, 1.7), rng.uniform(0.55, 1.1)
    shape = _blob(rows, -1, rng.uniform(-0.2, 0.2), wide, high)
    tissue = 0.4 + 0.13 * field(rng, rows, rng.uniform(1.2, 2.0))
    gland = _blob(rows, -0.85, 0, 0.6 * wide, 0.6 * high)
    grey = shape * (tissue + rng.uniform(0, 0.4) * gland)
    if rng.random() < 0.4:
        axis = np.linspace(-1, 1, rows)
        grey = np.maximum(grey, 0.8 * (axis[None, :] + 1 + 0.6 * (axis[:, None] + 1) < 0.7))
    return np.asarray(grey if rng.random() < 0.5 else grey[:, ::-1], np.float32)


def _document(rng: Random, rows: int) -> Floats:
    """A page, a form or a screen: lines of letters, rules, boxes, perhaps a small picture."""
    large = 4 * 64
    page = Image.new("L", (large, large), int(rng.integers(225, 256)))
    draw = ImageDraw.Draw(page)
    ink = int(rng.integers(0, 90))
    size = int(rng.integers(6, 26))
    font = ImageFont.load_default(size)
    margin = rng.integers(0, 40, 2)
    for y in range(int(margin[1]), large, int(size * rng.uniform(1.1, 1.8))):
        if rng.random() < 0.12:
            continue
        words = "".join(rng.choice(list(LETTERS), int(rng.integers(5, 90))))
        draw.text((int(margin[0]), y), words, fill=ink, font=font)
    for _ in range(int(rng.integers(0, 12)) if rng.random() < 0.5 else 0):
        x0, y0 = rng.integers(0, large - 20, 2)
        wide, high = rng.integers(5, 200, 2)
        box = (int(x0), int(y0), int(x0 + wide), int(y0 + high))
        draw.rectangle(
            box, outline=ink, fill=int(rng.integers(0, 256)) if rng.random() < 0.3 else None
        )
    return _resized(page, rows)


def _photo(rng: Random, rows: int) -> Floats:
    """Things before one another, near ones large: the statistics of photographs."""
    large = 4 * 64
    scene = Image.new("L", (large, large), int(rng.integers(0, 256)))
    draw = ImageDraw.Draw(scene)
    for _ in range(int(rng.integers(5, 160))):
        reach = float(min(10 / rng.random() ** 0.6, 170))
        x, y = rng.uniform(0, large, 2)
        corners = int(rng.integers(2, 9))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        fill = int(rng.integers(0, 256))
        if corners == 2:
            draw.ellipse((x - reach, y - 0.6 * reach, x + reach, y + 0.6 * reach), fill)
        else:
            draw.polygon([(x + reach * np.cos(a), y + reach * np.sin(a)) for a in angles], fill)
    grey = _resized(scene, rows)
    light = 1 + 0.25 * field(rng, rows, 2.0)
    texture = rng.uniform(0, 0.15) * field(rng, rows, rng.uniform(0, 1.5))
    return np.asarray(grey * light + texture, np.float32)


def _noise(rng: Random, rows: int) -> Floats:
    """Noise of any colour, from white to clouds, perhaps with a frame."""
    power = rng.uniform(-0.5, 3.0)
    grey = rng.uniform(0.2, 0.8) + rng.uniform(0.02, 0.35) * field(rng, rows, power)
    if rng.random() < 0.3:
        middle = _blob(rows, *rng.normal(0, 0.2, 2), *rng.uniform(0.3, 1.2, 2))
        grey = grey * middle + rng.uniform(0, 1) * (1 - middle)
    return np.asarray(grey, np.float32)


def _blank(rng: Random, rows: int) -> Floats:
    """A flat film: a little noise, shading, a collimated field, a marker or dead lines."""
    axis = np.linspace(-1, 1, rows)
    slope = rng.normal(0, 0.25, 2) * (rng.random(2) < 0.6)
    grey = rng.uniform(0, 1) + slope[0] * axis[:, None] + slope[1] * axis[None, :]
    if rng.random() < 0.4:
        grey = grey - rng.uniform(-0.4, 0.4) * (axis[:, None] ** 2 + axis[None, :] ** 2)
    grey = grey + rng.uniform(0.002, 0.04) * field(rng, rows, rng.choice((0.0, 0.5, 1.5)))
    if rng.random() < 0.4:
        low, high = np.sort(rng.uniform(-1, 1, (2, 2)), axis=0)
        inside = (axis[:, None] > low[0]) & (axis[:, None] < high[0])
        inside = inside & (axis[None, :] > low[1]) & (axis[None, :] < high[1])
        grey = np.where(inside, grey, rng.uniform(0, 1))
    for _ in range(int(rng.integers(0, 3))):
        row, column = rng.integers(0, rows, 2)
        size = rng.integers(1, max(rows // 10, 2), 2)
        grey[row : row + size[0], column : column + size[1]] = rng.uniform(0, 1)
    return np.asarray(grey, np.float32)


def _pattern(rng: Random, rows: int) -> Floats:
    """Lines, grids, wedges, rings or a checkerboard, as test objects have them."""
    axis = np.linspace(-1, 1, rows)
    turn = rng.choice((0.0, np.pi / 2, rng.uniform(0, np.pi)))
    along = axis[None, :] * np.cos(turn) + axis[:, None] * np.sin(turn)
    across = axis[:, None] * np.cos(turn) - axis[None, :] * np.sin(turn)
    waves = rng.uniform(1, 24)
    shapes: list[Callable[[], Floats]] = [
        lambda: np.sin(np.pi * waves * along),
        lambda: np.sign(np.sin(np.pi * waves * along)),
        lambda: np.sign(np.sin(np.pi * waves * along) * np.sin(np.pi * waves * across)),
        lambda: np.floor(along * rng.integers(2, 9)) / 4,
        lambda: np.sin(np.pi * waves * np.hypot(along, across)),
        lambda: 1.0 - 2.0 * ((np.abs(np.sin(np.pi * waves * along)) < 0.2)
                             | (np.abs(np.sin(np.pi * waves * across)) < 0.2)),
        lambda: 2.0 * _blob(rows, *rng.normal(0, 0.3, 2), *rng.uniform(0.1, 1.0, 2)) - 1.0,
    ]  # fmt: skip
    grey = shapes[int(rng.integers(len(shapes)))]()
    grey = 0.5 + rng.uniform(0.1, 0.5) * grey + rng.uniform(0, 0.1) * field(rng, rows, 0.0)
    return np.asarray(grey, np.float32)


def _resized(picture_: Image.Image, rows: int) -> Floats:
    small = picture_.resize((rows, rows), Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


KINDS: dict[str, Callable[[Random, int], Floats]] = {
    "ct": _ct,
    "head": _head,
    "ultrasound": _ultrasound,
    "mammogram": _breast,
    "document": _document,
    "photo": _photo,
    "noise": _noise,
    "blank": _blank,
    "pattern": _pattern,
}
"""Kinds by name."""

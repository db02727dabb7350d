"""From attenuation to a grey picture: scatter, film curve, noise, collimator and letters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont

from cxrspark.phantoms.rays import Floats
from cxrspark.pixels.equalise import equalise
from cxrspark.pixels.image import Grey8

Curve = Literal["linear", "film", "equalised"]


@dataclass(frozen=True)
class Film:
    """How one exposure is developed."""

    curve: Curve
    scatter: float
    """Scattered radiation behind the body, as a share of the primary's local mean."""
    flatten: float
    """Share of the coarse structure that the workstation takes away; 0 for plain film."""
    black: float
    white: float
    """Percentiles of the picture that turn black and white."""
    gamma: float
    steepness: float
    """Of the film curve's middle."""
    lift: float
    reach: float
    """Darkest grey and range of grey, of 255, when the picture is faint."""
    noise: float
    """Standard deviation in grey levels."""
    collimator: tuple[float, float, float, float]
    """Unexposed top, bottom, left and right, as shares of the picture."""
    tilt: float
    """Of the collimator, degrees."""
    border: int
    """Grey of what is not exposed."""
    letters: str
    """Lead marker and annotation; empty for none."""
    place: tuple[float, float]
    """Of the letters: down and across, as shares of the picture."""
    seed: int
    """Of the noise."""


def random_film(rng: np.random.Generator, letters: str) -> Film:
    """Draw how an exposure is developed, whose marker may say these letters."""
    curves: tuple[Curve, ...] = ("equalised", "linear", "film")
    curve = curves[rng.choice(3, p=(0.45, 0.3, 0.25))]
    faint = rng.random() < 0.2
    lift = rng.uniform(0, 70 if faint else 12)
    edges = rng.uniform(0.0, 0.13, 4) * (rng.random(4) < 0.6) * (rng.random() < 0.4)
    border = int(rng.choice((0, 20, 255), p=(0.8, 0.12, 0.08)))
    place = (rng.uniform(0.03, 0.2), float(rng.choice((0.05, 0.12, 0.88, 0.95))))
    return Film(
        curve=curve,
        scatter=rng.uniform(0.1, 0.9),
        flatten=rng.uniform(0, 0.55) if rng.random() < 0.7 else 0.0,
        black=rng.uniform(0.3, 6),
        white=rng.uniform(95, 99.9),
        gamma=float(np.exp(rng.normal(0, 0.25))),
        steepness=rng.uniform(3.5, 7),
        lift=lift,
        reach=rng.uniform(90, 255 - lift) if faint else 255 - lift,
        noise=rng.uniform(1.5, 4.2),
        collimator=tuple(edges.tolist()),
        tilt=rng.normal(0, 1.2),
        border=border,
        letters=letters if rng.random() < 0.75 else "",
        place=place,
        seed=int(rng.integers(2**31)),
    )


def expose(attenuation: Floats, scatter: float) -> Floats:
    """What the detector sees, on a logarithmic scale: float32, same shape, more behind bone.

    Beer-Lambert: exp(-attenuation) of the beam arrives, and scatter is added in proportion to
    the neighbourhood's mean.

    Args:
        attenuation: Line integral of the attenuation coefficient, shape (rows, columns).
        scatter: Share of the local mean.
    """
    primary = np.exp(-attenuation)
    glow = np.minimum(_coarse(primary, 10), 0.25)
    return np.asarray(-np.log(primary + scatter * 0.3 * np.maximum(glow, 0) + 2e-4), np.float32)


def develop(attenuation: Floats, film: Film) -> Grey8:
    """Turn attenuation, as `expose` takes it, into uint8 grey of the same shape, bones white."""
    signal = expose(attenuation, film.scatter)
    grain: Floats = np.asarray(_noise(32, film.seed + 1, *signal.shape), np.float32)
    grain = grain / np.float32(32) - np.float32(4)
    # Counting noise: the fewer photons arrive, the more a logarithm shows their scatter.
    half = np.float32(0.5) * attenuation.clip(0, 7)
    counted = np.float32(0.004) + np.float32(0.001) * np.exp(half)
    signal = signal + np.float32(film.noise) * counted * grain
    signal = signal - np.float32(film.flatten) * _coarse(signal, 5)
    ends = (0.05, 99.95) if film.curve == "equalised" else (film.black, film.white)
    black, white = np.percentile(signal, ends)
    part = ((signal - black) / max(float(white - black), 1e-3)).clip(0, 1) ** film.gamma
    if film.curve == "film":
        part = 1 / (1 + np.exp(film.steepness * (0.45 - part)))
        part = (part - part.min()) / max(float(np.ptp(part)), 1e-3)
    if film.curve == "equalised":
        part = equalise((part * 4095).astype(np.uint16)).astype(np.float32) / 255
    return np.asarray(np.rint(film.lift + film.reach * part), np.uint8)


def finish(grey: Grey8, rows: int, columns: int, film: Film) -> Grey8:
    """Enlarge a developed picture to (rows, columns); add noise, collimator and letters."""
    small = Image.fromarray(grey)
    picture = small.resize((columns, rows), Image.Resampling.BICUBIC)
    picture = ImageChops.add(picture, _noise(film.noise, film.seed, rows, columns), 1, -128)
    if any(film.collimator):
        _collimate(picture, film)
    if film.letters:
        down, across = film.place
        ImageDraw.Draw(picture).multiline_text(
            (across * columns, down * rows),
            film.letters,
            fill=245,
            font=ImageFont.load_default(max(8, rows // 28)),
            anchor="ra" if across > 0.5 else "la",
            align="center",
        )
    return np.asarray(picture)


def mottle(shape: tuple[int, ...], seed: int) -> Floats:
    """Uneven aeration of the lungs: float32 around 1, shape (rows, columns)."""
    rows, columns = shape
    rng = np.random.default_rng(seed)
    total = np.ones(shape, np.float32)
    for cells, deviation in ((9, 0.03), (40, 0.02)):
        patch = Image.fromarray(rng.normal(0, deviation, (cells, cells)).astype(np.float32))
        total += np.asarray(patch.resize((columns, rows), Image.Resampling.BICUBIC))
    return total


def _coarse(values: Floats, cells: int) -> Floats:
    rows, columns = values.shape
    small = Image.fromarray(values).resize((cells, cells), Image.Resampling.BOX)
    return np.asarray(small.resize((columns, rows), Image.Resampling.BICUBIC), np.float32)


@cache
def _grain() -> Floats:
    """Gaussian noise of variance 1, a little correlated as a detector's is, seamless."""
    white = np.random.default_rng(20).normal(0, 1, (509, 509)).astype(np.float32)
    soft = white + 0.35 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    return np.asarray(soft / soft.std(), np.float32)


def _noise(deviation: float, seed: int, rows: int, columns: int) -> Image.Image:
    """Noise around 128, the grain repeated from a random start."""
    tile = (128 + deviation * _grain()).clip(0, 255).astype(np.uint8)
    down, across = np.random.default_rng(seed).integers(-len(tile), 0, 2).tolist()
    tiled = np.tile(tile, (2 + rows // len(tile), 2 + columns // len(tile)))
    return Image.fromarray(tiled[-down:, -across:][:rows, :columns])


def _collimate(picture: Image.Image, film: Film) -> None:
    top, bottom, left, right = film.collimator
    slip = np.tan(np.radians(film.tilt)) / 4
    mask = Image.new("L", (picture.width // 4, picture.height // 4), 255)
    corners = (
        (left, top), (1 - right, top + slip), (1 - right, 1 - bottom), (left, 1 - bottom - slip),
    )  # fmt: skip
    field = [(across * mask.width, down * mask.height) for across, down in corners]
    ImageDraw.Draw(mask).polygon(field, fill=0)
    picture.paste(film.border, (0, 0), mask.resize(picture.size, Image.Resampling.BILINEAR))

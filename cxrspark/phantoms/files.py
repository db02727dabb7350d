"""A phantom's view as the bytes of a file: good, unusual or bad."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Literal, get_args

import numpy as np
from PIL import Image

from cxrspark.phantoms.film import expose
from cxrspark.phantoms.study import View, attenuation, render
from cxrspark.pixels.image import Grey8

Kind = Literal[
    "jpeg", "truncated", "empty", "text", "missing", "listed twice", "16-bit png", "cmyk jpeg",
    "1x1", "constant", "20000x20000",
]  # fmt: skip
UNUSUAL_KINDS: tuple[Kind, ...] = get_args(Kind)[1:]
GOOD_KINDS: tuple[Kind, ...] = ("jpeg", "listed twice", "16-bit png", "cmyk jpeg")
"""Kinds that have a view; the others must end as an error."""

NOT_IMAGES: dict[Kind, bytes | None] = {
    "missing": None,
    "empty": b"",
    "text": b"This is no image, whatever its name says.\n" * 20,
}
"""What such a file holds; None is no file."""

QUALITY = 95
"""Of JPEG files, MIMIC-CXR-JPG's."""

BOMB_SIDE = 20_000
"""Rows and columns that a decompression bomb declares."""


def encode(view: View, kind: Kind, picture: Grey8 | None = None) -> bytes | None:
    """Make the JPEG or PNG file of a view.

    Args:
        view: Of a phantom study.
        kind: What kind of file.
        picture: What a JPEG shows, shape (rows, columns); the rendered view where not given.

    Returns:
        The file's bytes; None where there is no file.
    """
    if kind in NOT_IMAGES:
        return NOT_IMAGES[kind]
    if kind == "20000x20000":
        return _bomb()
    if kind == "16-bit png":
        return _png16(view)
    if kind in ("1x1", "constant"):
        return jpeg(Image.new("L", declared_size(view, kind)[::-1], 128))
    shown = Image.fromarray(render(view) if picture is None else picture)
    data = jpeg(shown.convert("RGB").convert("CMYK") if kind == "cmyk jpeg" else shown)
    return data[: len(data) * 2 // 5] if kind == "truncated" else data


def declared_size(view: View, kind: Kind) -> tuple[int, int]:
    """Rows and columns that the file of a view declares, or would if it were sound."""
    sides = {"1x1": 1, "20000x20000": BOMB_SIDE}
    return (sides[kind], sides[kind]) if kind in sides else (view.rows, view.columns)


def jpeg(picture: Image.Image) -> bytes:
    """A JPEG file of `QUALITY`."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _png16(view: View) -> bytes:
    signal = expose(attenuation(view), view.film.scatter)
    signal = (signal - signal.min()) / np.ptp(signal)
    small = Image.fromarray(np.asarray(200 + 3600 * signal, np.float32))
    picture = small.resize((view.columns, view.rows), Image.Resampling.BILINEAR)
    file = BytesIO()
    Image.fromarray(np.asarray(picture).astype(np.uint16)).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _bomb() -> bytes:
    """A PNG of a few bytes whose header declares 20,000 x 20,000 pixels."""
    chunks = {
        b"IHDR": struct.pack(">II5B", BOMB_SIDE, BOMB_SIDE, 8, 0, 0, 0, 0),
        b"IDAT": zlib.compress(bytes(BOMB_SIDE + 1)),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )

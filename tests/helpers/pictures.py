"""Small images for the tests, as the bytes of a file."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def gradient(rows: int = 256, columns: int = 192) -> np.ndarray:
    """uint8, dark at the left and bright at the right, a little brighter downwards."""
    across = np.linspace(10, 230, columns)[None, :]
    down = np.linspace(0, 20, rows)[:, None]
    return (across + down).astype(np.uint8)


def encode(grey: np.ndarray, suffix: str = "png", mode: str | None = None, **options: Any) -> bytes:
    """File of an array; `mode` converts to Pillow's mode of that name first."""
    image = Image.fromarray(grey)
    if mode:
        image = image.convert(mode)
    file = BytesIO()
    image.save(file, {"jpg": "JPEG", "png": "PNG"}[suffix], **options)
    return file.getvalue()

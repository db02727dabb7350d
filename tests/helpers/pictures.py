"""Small images for the tests, as the bytes of a file."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

ARITHMETIC = {
    "SOF9": (
        b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+"
        b"MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//yQALCACIAIABAREA/8wABgAQEAX/2gAIAQEAAD8A/wCyiMJo"
        b"VzA4q29oBY8oKc7Er83qynDbVvaIVwp/o5gaLQ3NT6Pqbdp7dsXIMR8edPfouAyVTJPbKZVZZ/VUH0rnb5aC"
        b"6UoD2lAV31GUqIAawDl4w3jb7VUUQxo9A0FWOCbecei+Z8djvou7f0d+sxp8w4A68TlwuiCDvo/AX8hr6n+r"
        b"qy5Z2JOTlX3LOxHkTHN9SUS6utDGJo7/2Q=="
    ),
    "SOF10": (
        b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+"
        b"MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpRUk//ygALCACIAIABAREA/8wABAAQ/9oACAEBAAAAAf8AZO5yIbFG"
        b"TQZV5ZpwK2CvXE86DBeIILDdFMdrOwFvD60y7ow5k/VSPosxxSw6MjUwn9/Kz+xeikj6HHrbavzEx5G0vP/M"
        b"AAQQBf/aAAgBAQABBQLKa0S85CEY/b4w3Bj2ruTpWfSL+H3Rb/TdNaH5XlaWLh99haG0ZF9evyAzyxcPvsLn"
        b"YhktsSZZYuH32FvvARn/zAAEEAX/2gAIAQEABj8Cpv/MAAQQBf/aAAgBAQABPyEUAyfoSvkDp2ZzPu9Abpz/"
        b"2gAIAQEAAAAQt+nsmbNK9kzZpXsmErW9kzZpBKybNIJb72qbSvZM2aV7Jv/MAAQQBf/aAAgBAQABPxDcB0iL"
        b"U6Pg0zEyNZHUXRg3ScwacEqZ1AGuvl18cP/Z"
    ),
}
"""JPEGs in arithmetic coding of `gradient(136, 128)`, in base 64, by libjpeg-turbo's cjpeg."""


def refuse(content: bytes, error: str) -> None:
    """`shrink` refuses a file in one line that begins so."""
    with pytest.raises(PixelsError) as raised:
        shrink(content)
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)


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

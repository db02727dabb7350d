"""Picture files that are read, and how their first bytes tell them."""

from __future__ import annotations

import re

PICTURES = {
    "JPEG": "JPEG", "PNG": "PNG", "TIFF": "TIFF", "BMP": "BMP", "GIF": "GIF", "WebP": "WEBP",
    "JPEG 2000": "JPEG2000", "PNM": "PPM",
}  # fmt: skip
"""Pillow's name of each; of several pages or frames the first is read, as viewers show it."""

_BEGIN = (
    (re.compile(rb"\xff\xd8\xff"), "JPEG"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "PNG"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "TIFF"),  # BigTIFF has a plus
    (re.compile(rb"BM.{4}\0{4}", re.DOTALL), "BMP"),  # the bytes at 6 are reserved
    (re.compile(rb"GIF8"), "GIF"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WebP"),
    (re.compile(rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"P[1-6]\s+(#[^\n]*\n\s*)*\d+\s+(#[^\n]*\n\s*)*\d+\s"), "PNM"),
)


def picture_kind(head: bytes) -> str | None:
    """Which of `PICTURES` a file is by its first bytes; None where it is none of them."""
    return next((kind for begin, kind in _BEGIN if begin.match(head)), None)

"""Where the data set of a DICOM file begins, and how it is encoded, told by its bytes."""

from __future__ import annotations

from typing import Literal

PREFIX = b"DICM"
PREAMBLE = 128

VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN"
    b" UR US UT UV".split()
)
"""PS3.5, table 6.2-1."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Those whose length takes four bytes, after two reserved ones (PS3.5, 7.1.2)."""

MAX_FIRST_LENGTH = 256
"""Of the first element of a data set in implicit VR: it is a group's length, a character set or
the like, and random bytes are rarely so few."""

LAST_SECOND = 0x0028_FFFF
"""Tag that the second element of a data set has at most: it is mostly of the same group."""


def is_dicom(data: bytes) -> bool:
    """Whether bytes are a DICOM file: by its prefix, else by two plausible elements in order.

    Args:
        data: The file, or its first few hundred bytes.
    """
    start = data_start(data)
    return start > 0 or _is_plausible(data)


def data_start(data: bytes) -> int:
    """Place of the first element: after preamble and prefix, or what there is of them."""
    if data[PREAMBLE : PREAMBLE + 4] == PREFIX:
        return PREAMBLE + 4
    return 4 if data[:4] == PREFIX else 0


def encoding(data: bytes, start: int) -> tuple[bool, bool]:
    """How elements are encoded: whether in implicit VR, and whether little endian.

    Args:
        data: The file.
        start: Place of a data set's first element; its group is below 256.
    """
    is_implicit = data[start + 4 : start + 6] not in VRS
    return is_implicit, data[start : start + 1] != b"\0"


def _is_plausible(data: bytes) -> bool:
    is_implicit, is_little = encoding(data, 0)
    order: Literal["little", "big"] = "little" if is_little else "big"

    def number(place: int, size: int) -> int:
        return int.from_bytes(data[place : place + size], order)

    def tag(place: int) -> int:
        return number(place, 2) << 16 | number(place + 2, 2)

    first = tag(0)
    if first >> 16 not in (0x0002, 0x0008) or len(data) < PREAMBLE:
        return False
    if is_implicit:
        end = 8 + number(4, 4)
        if end > MAX_FIRST_LENGTH:
            return False
    elif data[4:6] in LONG_VRS:
        end = 12 + number(8, 4)
    else:
        end = 8 + number(6, 2)
    if end + 8 > len(data):  # of which only the beginning is there
        return False
    return first < tag(end) <= LAST_SECOND and (is_implicit or data[end + 4 : end + 6] in VRS)

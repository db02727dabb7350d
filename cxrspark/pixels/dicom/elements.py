"""Values of DICOM elements: what is there but unusable counts as absent."""

from __future__ import annotations

from typing import Any

from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from cxrspark.pixels.dicom.sniff import VRS
from cxrspark.pixels.image import Header, PixelsError

# What `Header` holds, in its order.
HEADER_KEYWORDS = (
    "ViewPosition", "PatientOrientation", "Modality", "BodyPartExamined",
    "PhotometricInterpretation", "ViewCodeSequence", "SeriesDescription", "StudyInstanceUID",
    "SOPInstanceUID", "PatientID",
)  # fmt: skip

COLOURS = ("Red", "Green", "Blue")
"""How the keywords of a palette's tables begin."""


def header_of(dataset: Dataset) -> Header:
    """What a data set says of the image."""
    return Header(*(text(optional(dataset, keyword)) for keyword in HEADER_KEYWORDS))


def optional(dataset: Dataset, keyword: str) -> Any:
    """An element's value; None where it is absent, empty, or not what its VR says."""
    tag = Tag(keyword)
    if tag not in dataset:
        return None
    try:
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement) and (element.VR or "UN").encode() not in VRS:
            dataset[tag] = element._replace(VR=None)  # to be looked up, as in implicit VR
        return dataset[tag].value
    except Exception:  # pydicom raises many types on what does not fit the VR
        return None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """One whole number; None where the element is not that."""
    try:
        return int(optional(dataset, keyword))
    except (TypeError, ValueError, OverflowError):
        return None


def needed(dataset: Dataset, keyword: str) -> int:
    """One whole number.

    Raises:
        PixelsError: The element is not that.
    """
    value = integer(dataset, keyword)
    if value is None:
        raise PixelsError(f"DICOM undecodable: no {keyword}")
    return value


def is_negative(dataset: Dataset, keyword: str) -> bool:
    """Whether an element is one number below 0."""
    try:
        return float(optional(dataset, keyword)) < 0
    except (TypeError, ValueError):
        return False


def _code(items: Sequence) -> Any:
    """The code of a code sequence's first item, else its meaning; "" where there is none."""
    first = items[0] if items else Dataset()
    return first.get("CodeValue") or first.get("LongCodeValue") or first.get("CodeMeaning") or ""


def text(value: Any) -> str | None:
    r"""A code string as one short line; several values as DICOM writes them, L\F."""
    if value is None:
        return None
    if isinstance(value, Sequence):
        value = _code(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    values = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else value
    text = "\\".join(map(str, values))
    return "".join(filter(str.isprintable, text)).strip()[:64] or None

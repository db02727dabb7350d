"""The public sets' own tables, told by their columns. A new set is one entry of `SETS`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cxrspark.archive.csv_file import column_of


class DataSet(NamedTuple):
    """Where a set's table says which image is meant, and what of it.

    Columns are named in any case. An image is known by the last parts of its path, without its
    suffix: wherever the set was unpacked to, and whatever its images were converted to.
    """

    name: str
    told_by: tuple[tuple[str, ...], ...]
    """Columns that only this set has; any of these groups tells."""

    image: tuple[str, ...]
    """Columns with the image's name or path; the first that is there counts."""

    parts: int = 1
    """How many parts of its path name an image; 0: its id does."""

    study: str | None = None
    subject: str | None = None
    view: tuple[str, ...] = ()
    """Columns that tell the view; the first counts that says something."""

    every_view: str | None = None
    """What all images of the set show, where no column tells it."""

    study_in_path: str | None = None
    """Pattern whose first group is the study, where no column is."""

    subject_in_path: str | None = None
    view_in_path: str | None = None


SETS = (
    DataSet(
        "MIMIC-CXR",
        (("dicom_id",),),
        ("dicom_id",),
        0,
        "study_id",
        "subject_id",
        ("ViewPosition", "view"),
    ),
    DataSet(
        "CheXpert",
        (("Path", "Frontal/Lateral"),),
        ("Path",),
        4,
        view=("Frontal/Lateral", "AP/PA"),
        study_in_path=r"(patient\d+/study\d+)/",
        subject_in_path=r"(patient\d+)/",
    ),
    DataSet(
        "NIH ChestX-ray14",
        (("Image Index",),),
        ("Image Index",),
        subject="Patient ID",
        view=("View Position",),
    ),
    DataSet(
        "PadChest",
        (("ImageID", "ImageDir"),),
        ("ImageID",),
        study="StudyID",
        subject="PatientID",
        view=("Projection", "ViewPosition_DICOM"),
    ),
    DataSet(  # PA only (Nguyen et al. 2022), and AP or PA only of children (Pham et al. 2023)
        "VinDr-CXR or VinDr-PCXR",
        (("image_id", "rad_id"),),
        ("image_id",),
        every_view="frontal",
    ),
    DataSet(
        "BRAX",
        (("PngPath", "ViewPosition"), ("DicomPath", "ViewPosition")),
        ("DicomPath", "PngPath"),
        4,
        "AccessionNumber",
        "PatientID",
        ("ViewPosition",),
    ),
    DataSet(  # of NIH ChestX-ray14, all of them frontal
        "SIIM-ACR Pneumothorax",
        (("ImageId", "EncodedPixels"),),
        ("ImageId",),
        every_view="frontal",
    ),
    DataSet(  # the same, one image a patient
        "RSNA Pneumonia",
        (("patientId", "Target"), ("patientId", "class")),
        ("patientId",),
        subject="patientId",
        every_view="frontal",
    ),
    DataSet(  # Medical Imaging Data Structure: names like sub-S1_ses-E1_bp-chest_vp-pa_dx.png
        "BIMCV, or a table with file names",
        (("filename",),),
        ("filename",),
        view=("view", "ViewPosition"),
        view_in_path=r"_vp-([A-Za-z]+)",
        study_in_path=r"(ses-[A-Za-z0-9]+)",
        subject_in_path=r"(sub-[A-Za-z0-9]+)",
    ),
    DataSet(  # PA only (Shiraishi et al. 2000)
        "JSRT",
        (("study_id", "diagnosis", "state"),),
        ("study_id",),
        every_view="PA",
    ),
)

_OWN_IDS = ("study_id", "subject_id", ("view", "ViewPosition"))
OWN = (
    DataSet("a table with paths", (("path",),), ("path",), -1, *_OWN_IDS),
    DataSet("a table with image ids", (("image_id",),), ("image_id",), 0, *_OWN_IDS),
)
"""Tables of a user's own: `parts` -1 is the whole path."""


def told_set(columns: Iterable[str]) -> DataSet | None:
    """The set whose table has these columns; one of a user's own where no set does.

    A table that has a column `view` beside `path` or `image_id` is a user's own.
    """
    names = list(columns)
    order = (*OWN, *SETS) if column_of(names, "view") else (*SETS, *OWN)
    for candidate in order:
        if any(all(column_of(names, name) for name in group) for group in candidate.told_by):
            return candidate
    return None

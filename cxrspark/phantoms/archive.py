"""An archive of chest phantoms in MIMIC-CXR-JPG's layout, with the truth beside it."""

from __future__ import annotations

import gzip
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from cxrspark.errors import UserError
from cxrspark.phantoms.body import random_body
from cxrspark.phantoms.files import GOOD_KINDS, Kind, declared_size, encode
from cxrspark.phantoms.odd import plan_odd, redraw
from cxrspark.phantoms.plan import ArchiveSettings, Image, Study, plan_studies
from cxrspark.phantoms.study import View, phantom_study, render
from cxrspark.pixels.image import Header
from cxrspark.views import FRONTAL, OTHER

MANIFEST = "IMAGE_FILENAMES"
DICOM_MANIFEST = "cxr-record-list.csv.gz"
METADATA = "mimic-cxr-2.0.0-metadata.csv.gz"
TRUTH = "truth.csv"
METADATA_COLUMNS = (
    "dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition",
    "Rows", "Columns", "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning", "PatientOrientationCodeSequence_CodeMeaning",
)  # fmt: skip

_SWAPPED = {"PA": "LATERAL", "AP": "LL", "LATERAL": "PA", "LL": "AP"}
_VIEW_CODES = {
    "PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral", "LL": "left lateral",
    "": "",
}  # fmt: skip


class Written(NamedTuple):
    """One image as it lies in the archive."""

    path: str
    label: str
    """`frontal`, `lateral` or `other`; empty where the file must end as an error."""
    kind: Kind | str
    """Of file; of an image that is no upright chest what it is."""
    size: int
    """Bytes, with those of its DICOM file."""
    metadata: tuple[str, ...]
    """By `METADATA_COLUMNS`."""


def write_archive(
    settings: ArchiveSettings, progress: Callable[[int, int], None] = lambda done, images: None
) -> list[Written]:
    """Draw the studies and write them with manifest, metadata and truth, which comes last.

    Args:
        settings: Folder, size and seed; the files do not depend on the number of processes.
        progress: Called after each study with the images done and the images of the archive.

    Returns:
        What was written, by path.

    Raises:
        UserError: A folder is not empty or cannot be written, or pydicom is not there.
    """
    root, dicom = settings.out, settings.dicom
    _make_folder("--out", root)
    if dicom:
        if settings.others or settings.laid:
            raise UserError("--dicom: --others and --laid are for an archive of JPEGs alone")
        _make_folder("--dicom", dicom)
        if find_spec("pydicom") is None:
            raise UserError("--dicom: needs pip install cxrspark[dicom]")
    plan = plan_studies(settings)
    total = sum(len(study.images) for study in plan)
    written: list[Written] = []
    with _mapper(settings.processes) as mapped:
        for images in mapped(partial(_write_study, root, dicom, settings.rows), plan):
            written += images
            progress(len(written), total)
    written.sort()
    _make_odd(settings, written)
    _write_tables(root, dicom, written)
    return written


def _write_study(root: Path, dicom: Path | None, rows: int, study: Study) -> list[Written]:
    body = random_body(np.random.default_rng(study.body))
    views = phantom_study(study.exposure, rows, body=body)
    subject = f"p{study.subject_id}"
    folder = f"files/{subject[:3]}/{subject}/s{study.study_id}"
    written = []
    for image in study.images:
        view = views.lateral if image.lateral else views.frontal
        path = f"{folder}/{image.dicom_id}.{'png' if image.kind == '16-bit png' else 'jpg'}"
        metadata = _metadata(study, image, view)
        picture, size = None, 0
        if dicom:
            from cxrspark.phantoms import dicom as files

            stored = files.stored_by(image.dicom_id)
            words = files.detect(render(view), stored, view.film.seed)
            position = metadata[METADATA_COLUMNS.index("ViewPosition")]
            header = Header(
                view_position=position or None, modality="DX", body_part="CHEST",
                study_uid=_uid(folder), image_uid=_uid(image.dicom_id),
                patient_id=str(study.subject_id),
            )  # fmt: skip
            sound = files.encode_dicom(words, stored, header)
            picture = files.publish(sound)
            data = files.encode_kind(sound, image.kind, words.shape, header)
            size += _write(dicom / dicom_path(path), data)
        size += _write(root / path, encode(view, image.kind, picture))
        label = view.label if image.kind in GOOD_KINDS else ""
        written.append(Written(path, label, image.kind, size, metadata))
    return written


def _uid(name: str) -> str:
    """A UID made of a UUID (PS3.5, B.2), the same each time."""
    return f"2.25.{uuid5(NAMESPACE_OID, name).int}"


def _make_odd(settings: ArchiveSettings, images: list[Written]) -> None:
    """Replace some of the sound JPEGs, in place, by images that are no upright chest."""
    sound = [number for number, image in enumerate(images) if image.kind == "jpeg"]
    frontal = [images[number].label == FRONTAL for number in sound]
    plan = plan_odd(settings.seed, frontal, settings.others, settings.laid)
    for number, odd in zip(sound, plan, strict=True):
        if odd is None:
            continue
        path, label, _, _, metadata = images[number]
        size, (rows, columns) = redraw(settings.out / path, odd)
        start = METADATA_COLUMNS.index("Rows")
        metadata = (*metadata[:start], str(rows), str(columns), *metadata[start + 2 :])
        label = OTHER if odd.other else label
        images[number] = Written(path, label, odd.what, size, metadata)


def dicom_path(path: str) -> str:
    """Where the DICOM file of an image lies, by the path of its picture."""
    return f"{path.rpartition('.')[0]}.dcm"


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UserError(f"{option} {folder} is not empty: name a new folder or remove it first")
    except OSError as error:
        said = f"{error.strerror}; name a folder to write to"
        raise UserError(f"{option} {folder}: {said}") from error


def _write(file: Path, data: bytes | None) -> int:
    """Write a file, if there is one; its size."""
    file.parent.mkdir(parents=True, exist_ok=True)
    return 0 if data is None else file.write_bytes(data)


def _metadata(study: Study, image: Image, view: View) -> tuple[str, ...]:
    right, wrong = view.position, _SWAPPED[view.position]
    position = {"right": right, "wrong": wrong, "missing": ""}[image.recorded]
    rows, columns = declared_size(view, image.kind)
    procedure = "CHEST (PA AND LAT)" if len(study.images) == 2 else "CHEST (SINGLE VIEW)"
    return (
        image.dicom_id, str(study.subject_id), str(study.study_id), procedure, position,
        str(rows), str(columns), study.date, study.time, procedure,
        _VIEW_CODES[position], "Recumbent" if view.position == "AP" else "Erect",
    )  # fmt: skip


@contextmanager
def _mapper(processes: int) -> Iterator[Callable[..., Iterable[list[Written]]]]:
    """Give a `map` that keeps the order and works in this process or in several."""
    if processes == 1:
        yield map
        return
    # Ctrl-C reaches the workers too; this process answers it for all.
    ignore = (signal.SIGINT, signal.SIG_IGN)
    with get_context("spawn").Pool(processes, signal.signal, ignore) as pool:
        yield partial(pool.imap, chunksize=4)


def _write_tables(root: Path, dicom: Path | None, images: list[Written]) -> None:
    """As MIMIC-CXR-JPG and MIMIC-CXR list their files, and the truth beside them."""
    listed = [image for image in images for _ in range(1 + (image.kind == "listed twice"))]
    _write(root / MANIFEST, _csv(*((image.path,) for image in listed)))
    metadata = _csv(METADATA_COLUMNS, *(image.metadata for image in images))
    _write(root / METADATA, gzip.compress(metadata, mtime=0))
    if dicom:
        head = ("subject_id", "study_id", "dicom_id", "path")
        ids = ((image.metadata[:3], dicom_path(image.path)) for image in listed)
        manifest = _csv(head, *((*study, name, path) for (name, *study), path in ids))
        _write(dicom / DICOM_MANIFEST, gzip.compress(manifest, mtime=0))
    for folder, named in ((root, str), (dicom, dicom_path)):
        if folder:
            truth = ((named(image.path), image.label, image.kind) for image in images)
            _write(folder / TRUTH, _csv(("path", "view", "kind"), *truth))


def _csv(*rows: Iterable[str]) -> bytes:
    return "".join(f"{','.join(row)}\n" for row in rows).encode()

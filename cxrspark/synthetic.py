"""An archive of chest phantoms in MIMIC-CXR-JPG's layout, with the truth beside it."""

from __future__ import annotations

import csv
import gzip
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from cxrspark.errors import UserError
from cxrspark.phantom_body import random_body
from cxrspark.phantom_files import GOOD_KINDS, Kind, declared_size, encode
from cxrspark.phantoms import Position, View, phantom_study
from cxrspark.synthetic_plan import ArchiveSettings, Image, Study, plan_studies

MANIFEST = "IMAGE_FILENAMES"
METADATA = "mimic-cxr-2.0.0-metadata.csv.gz"
TRUTH = "truth.csv"
METADATA_COLUMNS = (
    "dicom_id", "subject_id", "study_id", "PerformedProcedureStepDescription", "ViewPosition",
    "Rows", "Columns", "StudyDate", "StudyTime", "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning", "PatientOrientationCodeSequence_CodeMeaning",
)  # fmt: skip
TRUTH_COLUMNS = ("path", "view", "kind")

_SWAPPED: dict[Position, Position] = {"PA": "LATERAL", "AP": "LL", "LATERAL": "PA", "LL": "AP"}
_VIEW_CODES = {
    "PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral", "LL": "left lateral",
    "": "",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """One image as it lies in the archive."""

    path: str
    label: str
    """`frontal` or `lateral`; empty where the file must end as an error."""
    kind: Kind
    size: int
    """Bytes."""
    metadata: tuple[str, ...]
    """By `METADATA_COLUMNS`."""


@dataclass(frozen=True)
class Summary:
    """What was written."""

    images: int
    size: int
    """Bytes of image files."""
    labels: Counter[str]
    kinds: Counter[str]


def write_archive(
    settings: ArchiveSettings, progress: Callable[[int, int], None] = lambda done, images: None
) -> Summary:
    """Draw the studies and write them with manifest, metadata and truth, which comes last.

    Args:
        settings: Folder, size and seed; the files do not depend on the number of processes.
        progress: Called after each study with the images done and the images of the archive.

    Returns:
        What was written.

    Raises:
        UserError: The folder is not empty or cannot be written.
    """
    root = settings.out
    try:
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            raise UserError(f"--out {root} is not empty: name a new folder or remove it first")
    except OSError as error:
        raise UserError(f"--out {root}: {error.strerror}; name a folder to write to") from error
    plan = plan_studies(settings)
    total = sum(len(study.images) for study in plan)
    written: list[Written] = []
    with _mapper(settings.processes) as mapped:
        for images in mapped(partial(write_study, root, settings.rows), plan):
            written += images
            progress(len(written), total)
    _write_tables(root, sorted(written, key=lambda image: image.path))
    return Summary(
        total, sum(image.size for image in written),
        Counter(image.label for image in written), Counter(image.kind for image in written),
    )  # fmt: skip


def write_study(root: Path, rows: int, study: Study) -> list[Written]:
    """Draw and write the images of one study.

    Args:
        root: The archive.
        rows: Pixels along the longer side.
        study: Its plan.

    Returns:
        One record an image.
    """
    body = random_body(np.random.default_rng(study.body))
    views = phantom_study(study.exposure, rows, body=body)
    subject = f"p{study.subject_id}"
    folder = f"files/{subject[:3]}/{subject}/s{study.study_id}"
    (root / folder).mkdir(parents=True, exist_ok=True)
    written = []
    for image in study.images:
        view = views.lateral if image.lateral else views.frontal
        suffix = "png" if image.kind == "16-bit png" else "jpg"
        path = f"{folder}/{image.dicom_id}.{suffix}"
        data = encode(view, image.kind)
        if data is not None:
            (root / path).write_bytes(data)
        written.append(
            Written(
                path,
                view.label if image.kind in GOOD_KINDS else "",
                image.kind,
                len(data or b""),
                _metadata(study, image, view),
            )
        )
    return written


def _metadata(study: Study, image: Image, view: View) -> tuple[str, ...]:
    position: str = view.position
    if image.recorded == "missing":
        position = ""
    elif image.recorded == "wrong":
        position = _SWAPPED[view.position]
    rows, columns = declared_size(view, image.kind)
    bedside = view.position == "AP"
    procedure = "CHEST (PA AND LAT)" if len(study.images) == 2 else "CHEST (SINGLE VIEW)"
    return (
        image.dicom_id, str(study.subject_id), str(study.study_id), procedure, position,
        str(rows), str(columns), study.date, study.time, procedure,
        _VIEW_CODES[position], "Recumbent" if bedside else "Erect",
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


def _write_tables(root: Path, images: list[Written]) -> None:
    paths = [
        path for image in images for path in [image.path] * (1 + (image.kind == "listed twice"))
    ]
    (root / MANIFEST).write_text("\n".join(paths) + "\n")
    metadata = _csv(METADATA_COLUMNS, (image.metadata for image in images))
    (root / METADATA).write_bytes(gzip.compress(metadata.encode(), mtime=0))
    truth = _csv(TRUTH_COLUMNS, ((image.path, image.label, image.kind) for image in images))
    (root / TRUTH).write_text(truth)


def _csv(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()

"""Synthetic archives that the benchmarks read, made once and kept in build/."""

import os
import random
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.dicom import Stored, detect, encode_dicom
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.pixels.image import Grey8, Header

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "benchmarks"

MIMIC = 377_110
"""Images of MIMIC-CXR."""


def mimic_sized(images: int, drawn: int = 1200) -> tuple[Path, Path]:
    """Archive of so many JPEGs of 3056×2544, names of `drawn` files, and its manifest."""
    files = phantoms("mimic", min(drawn, images), 3056)
    archive = BUILD / f"archive-{images}-of-{len(files)}"
    names = []
    for number in range(images):
        turn, file = divmod(number, len(files))
        names.append(f"{files[file].stem}-{turn}.jpg")
        link(files[file], archive / names[-1])
    return archive, listed(archive, sorted(names))


def phantoms(name: str, images: int, rows: int) -> list[Path]:
    """So many JPEGs of phantoms."""
    folder = BUILD / f"{name}-{images}"
    if not (folder / "truth.csv").exists():  # written last
        print(f"drawing {images} synthetic radiographs of {rows} rows …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        studies = images * 2 // 3 + 5  # of about 1.6 images each
        write_archive(ArchiveSettings(out=folder, studies=studies, rows=rows, seed=1))
    return sorted(folder.rglob("*.jpg"))[:images]


def mimic_paths(images: int = MIMIC) -> Iterator[str]:
    """Paths in MIMIC's layout, with as many images to a study and to a patient."""
    drawn = random.Random(0)
    for number in range(images):
        image_id = "-".join(f"{drawn.getrandbits(32):08x}" for _ in range(5))
        subject, study = 10_000_000 + number * 10 // 58, 50_000_000 + number * 10 // 17
        yield f"files/p{subject // 10**6}/p{subject}/s{study}/{image_id}.jpg"


def listed(archive: Path, paths: Iterable[str]) -> Path:
    """A manifest of these paths."""
    manifest = BUILD / f"manifest-{archive.name}.txt"
    manifest.write_text("\n".join(paths))
    return manifest


def link(file: Path, name: Path) -> None:
    """Give a file another name, which costs no space."""
    if not name.exists():
        name.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, name)


def as_dicom(grey: Grey8, stored: Stored) -> bytes:
    """A DICOM file of a radiograph."""
    return encode_dicom(detect(grey, stored, 1), stored, Header(modality="DX"))

"""Synthetic archives of MIMIC's size, made once and kept in build/."""

import os
from pathlib import Path

from cxrspark.phantoms.archive import write_archive
from cxrspark.phantoms.plan import ArchiveSettings

BUILD = Path(__file__).parents[2] / "build" / "benchmarks"


def mimic_sized(images: int) -> tuple[Path, Path]:
    """Archive with at least `images` JPEGs of 3056×2544, and a manifest of exactly so many."""
    root = BUILD / f"archive-{images}"
    if not (root / "truth.csv").exists():
        print(f"writing {images} synthetic radiographs of 3056x2544 to {root} …", flush=True)
        write_archive(ArchiveSettings(out=root, studies=images, seed=1))
    paths = (root / "IMAGE_FILENAMES").read_text().splitlines()[:images]
    manifest = BUILD / f"manifest-{images}.txt"
    manifest.write_text("\n".join(paths))
    return root, manifest


def linked(images: int) -> Path:
    """Folder of exactly so many JPEGs of 3056×2544: 1,200, the others links to the same."""
    root, manifest = mimic_sized(1200)
    paths = manifest.read_text().split()
    folder = BUILD / f"linked-{images}"
    for number in range(images):
        path = paths[number % len(paths)]
        turn = f"-{number // len(paths)}.jpg" if number >= len(paths) else ".jpg"
        link = folder / (path.removesuffix(".jpg") + turn)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.link(root / path, link)
    return folder


def repeated(images: int, times: int) -> tuple[Path, Path]:
    """The same with each file under `times` names, which cost no space."""
    root, manifest = mimic_sized(images)
    linked = BUILD / f"archive-{images}x{times}"
    paths = []
    for path in manifest.read_text().split():
        for number in range(times):
            copy = linked / f"{path.removesuffix('.jpg')}-{number}.jpg"
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                os.link(root / path, copy)
            paths.append(str(copy.relative_to(linked)))
    listed = BUILD / f"manifest-{images}x{times}.txt"
    listed.write_text("\n".join(sorted(paths)))
    return linked, listed

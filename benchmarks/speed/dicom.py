"""DICOM: milliseconds a file, agreement with its JPEG, borders, and pydicom's own files.

Run with `make bench-dicom`. Writes its phantoms itself. The files of pydicom-data are gone over
where that package is installed, or below the folder that --pydicom-data names.
"""

import os
import resource
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.phantoms.dicom import BITS_OF, SYNTAXES, Stored, detect, encode_dicom
from cxrspark.phantoms.files import jpeg
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import SIDE, Header, PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.common.archives import as_dicom
from benchmarks.common.measuring import cpu_milliseconds, parser

HEADER = Header(modality="DX")


def published(data: bytes) -> Image.Image:
    """The picture of MIMIC-CXR-JPG, as github.com/MIT-LCP/mimic-cxr/issues/16 makes it."""
    dataset = pydicom.dcmread(BytesIO(data))
    if dataset.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:  # decoders differ by a level
        dataset.pixel_array_options(decoding_plugin="pillow")
    grey = dataset.pixel_array
    shifted = np.subtract(grey, grey.min(), dtype=np.int32)
    eight = (shifted / shifted.max() * 255).astype(np.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        eight = 255 - eight
    cumulated = np.bincount(eight.ravel(), minlength=256).cumsum()
    first = cumulated[np.argmax(cumulated > 0)]
    table = np.rint((cumulated - first) * (255 / (cumulated[-1] - first))).clip(0, 255)
    return Image.fromarray(table.astype(np.uint8)[eight])


def usual_script(data: bytes) -> np.ndarray:
    """Pixels by pydicom, NumPy and Pillow alone."""
    return np.asarray(published(data).resize((SIDE, SIDE), Image.Resampling.BOX))


def speed(rows: int) -> None:
    picture = render(phantom_study(3, rows).frontal)
    size = "x".join(map(str, picture.shape))
    print(f"\none file of {size}, already read: CPU ms, median of 7")
    for syntax in SYNTAXES:
        stored = Stored(syntax, "MONOCHROME1", BITS_OF.get(syntax, 16))
        data = as_dicom(picture, stored)
        taken = cpu_milliseconds(partial(shrink, data))
        line = f"  {syntax.name[:34]:<35} {len(data) / 1e6:5.1f} MB {taken:7.1f}"
        if syntax == ExplicitVRLittleEndian:
            usual = cpu_milliseconds(partial(usual_script, data))
            line += f"   pydicom and Pillow alone {usual:.1f}"
        print(line, flush=True)


def view_of(seed: int, rows: int) -> np.ndarray:
    study = phantom_study(20_000 + seed // 2, rows)
    return render(study.lateral if seed % 2 else study.frontal)


def pair(rows: int, seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """One phantom in every transfer syntax: pixels from DICOM and from the JPEG made of it."""
    picture = view_of(seed, rows)
    results = []
    for number, syntax in enumerate(SYNTAXES):
        inverted = (seed // 2 + number) % 2
        bits = BITS_OF.get(syntax, (10, 12, 14, 16)[(seed + number) % 4])
        stored = Stored(syntax, "MONOCHROME1" if inverted else "MONOCHROME2", bits)
        data = encode_dicom(detect(picture, stored, seed), stored, HEADER)
        results.append((syntax.name, shrink(data).values, shrink(jpeg(published(data))).values))
    return results


def agreement(phantoms: int, rows: int) -> None:
    scorer = Scorer(load_bundle().flatbuffer)
    pairs = defaultdict(list)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for results in pool.map(partial(pair, rows), range(phantoms), chunksize=4):
            for name, one, other in results:
                pairs[name].append((one, other))
    print(f"\n{phantoms} phantoms of {rows} rows, against the JPEG: grey levels of difference")
    for name, both in pairs.items():
        ones, others = (np.stack(side) for side in zip(*both, strict=True))
        grey = np.abs(ones.astype(int) - others).mean(axis=(1, 2))
        score = np.abs(scorer.p_frontal(ones) - scorer.p_frontal(others))
        p = f"p_frontal, worst {score.max():.4f}, {(score > 0.01).sum()} above 0.01"
        print(f"  {name[:34]:<35} mean {grey.mean():.2f}, worst image {grey.max():.2f}; {p}")
        called = (scorer.p_frontal(ones) > 0.5) != (scorer.p_frontal(others) > 0.5)
        assert not called.any()


def borders(phantoms: int, rows: int) -> None:
    """What a border around 12 bits of anatomy in 16 does to the score, declared or not."""
    scorer = Scorer(load_bundle().flatbuffer)
    stored, edge = Stored(bits=16), rows // 20
    clean, bordered = [], defaultdict(list)
    for seed in range(phantoms):
        words = detect(view_of(seed, rows), Stored(bits=12), seed) + np.uint16(1000)
        clean.append(shrink(encode_dicom(words, stored, HEADER)).values)
        for name, value in {"black": 1000, "white": 5095, "0": 0, "65535": 65535}.items():
            around = np.full_like(words, value)
            around[edge:-edge, edge:-edge] = words[edge:-edge, edge:-edge]
            data = encode_dicom(around, stored, HEADER)
            bordered[name, "not declared"].append(shrink(data).values)
            dataset = pydicom.dcmread(BytesIO(data))
            dataset.add_new("PixelPaddingValue", "US", value)
            file = BytesIO()
            pydicom.dcmwrite(file, dataset)
            bordered[name, "declared"].append(shrink(file.getvalue()).values)
    scores = scorer.p_frontal(np.stack(clean))
    print(f"\n{phantoms} phantoms with a border of 5 % on each side: p_frontal against none")
    for (name, declared), values in bordered.items():
        moved = np.abs(scorer.p_frontal(np.stack(values)) - scores)
        changed = int((moved > 0.5).sum())
        line = f"mean {moved.mean():.4f}, worst {moved.max():.3f}, other view {changed}"
        print(f"  {name:<6} {declared:<13} {line}")


def sweep(folders: list[Path]) -> None:
    files = [file for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    given, lines, slowest = 0, defaultdict(int), 0.0
    for file in files:
        start = time.perf_counter()
        try:
            shrink(file.read_bytes())
            given += 1
        except PixelsError as error:
            lines[str(error).split(":")[0]] += 1
        slowest = max(slowest, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{len(files)} files of pydicom's: {given} give pixels, the others one line:")
    for kind, count in sorted(lines.items(), key=lambda item: -item[1]):
        print(f"  {count:4} {kind}")
    print(f"  slowest {slowest:.2f} s, peak of this process {peak:.0f} MB")


def main() -> None:
    arguments = parser(__doc__, images=500, rows=768)
    arguments.add_argument("--pydicom-data", type=Path, help="where pip install --target put it")
    options = arguments.parse_args()
    folders = [Path(pydicom.__file__).parent / "data" / "test_files"]
    found = find_spec("data_store")
    if options.pydicom_data:
        folders.append(options.pydicom_data)
    elif found and found.origin:
        folders.append(Path(found.origin).parent)
    sweep(folders)
    speed(3056)
    borders(min(100, options.images), options.rows)
    agreement(options.images, options.rows)


if __name__ == "__main__":
    main()

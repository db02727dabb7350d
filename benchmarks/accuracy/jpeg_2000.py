"""JPEG 2000 at an eighth against all of it: grey levels and p_frontal, over large phantoms.

python -m benchmarks.accuracy.jpeg_2000
"""

import os
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from PIL import Image
from pydicom.uid import HTJ2K, JPEG2000, JPEG2000Lossless

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.phantoms.dicom import Stored, detect, encode_dicom, publish
from cxrspark.phantoms.files import jpeg
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Header
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.common.measuring import parser

SYNTAXES = (JPEG2000Lossless, JPEG2000, HTJ2K)


def pair(rows: int, seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Pixels of one phantom's files, and of the JPEGs made of all that they hold."""
    study = phantom_study(20_000 + seed // 2, rows)
    picture = render(study.lateral if seed % 2 else study.frontal)
    results = []
    for syntax in SYNTAXES:
        meaning = "MONOCHROME1" if seed // 2 % 2 else "MONOCHROME2"
        stored = Stored(syntax, meaning, (10, 12, 14, 16)[seed // 4 % 4], signed=seed % 3 == 0)
        data = encode_dicom(detect(picture, stored, seed), stored, Header(modality="DX"))
        whole = shrink(jpeg(Image.fromarray(publish(data)))).values
        results.append((syntax.name, shrink(data).values, whole))
    return results


def main() -> None:
    options = parser(__doc__, images=500, rows=1300).parse_args()
    scorer = Scorer(load_bundle().flatbuffer)
    pairs = defaultdict(list)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for results in pool.map(partial(pair, options.rows), range(options.images), chunksize=4):
            for name, one, other in results:
                pairs[name].append((one, other))
    print(f"{options.images} phantoms of {options.rows} rows, at an eighth against all of it")
    for name, both in pairs.items():
        ones, others = (np.stack(side) for side in zip(*both, strict=True))
        grey = np.abs(ones.astype(int) - others).mean(axis=(1, 2))
        scores, whole = scorer.p_frontal(ones), scorer.p_frontal(others)
        moved = np.abs(scores - whole)
        print(
            f"  {name}: grey levels, mean {grey.mean():.2f}, worst image {grey.max():.2f}; "
            f"p_frontal, mean {moved.mean():.5f}, worst {moved.max():.4f}, "
            f"{(moved > 0.01).sum()} above 0.01; "
            f"other view {((scores > 0.5) != (whole > 0.5)).sum()}"
        )


if __name__ == "__main__":
    main()

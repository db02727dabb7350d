"""Files mutated at random, shrunk one after the other: python tests/helpers/fuzzing.py SEED FILES.

A process of its own, since a decoder that crashes takes its process along. Prints a JSON line
before and after each file, and one with its peak memory at the end.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.uid import JPEG2000Lossless

from cxrspark.phantoms.dicom import BITS_OF, SYNTAXES, Stored, detect, encode_dicom
from cxrspark.phantoms.files import encode
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import Header, PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

ROWS = 200
HEADER = Header("LL", "A\\F", "DX", "CHEST")


def originals() -> dict[str, bytes]:
    """A sound file of each format and transfer syntax."""
    view = phantom_study(5, ROWS).lateral
    picture = render(view)
    files = {
        kind: encode(view, kind, picture) or b"" for kind in ("jpeg", "cmyk jpeg", "16-bit png")
    }
    for kind in ("TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM"):
        file = BytesIO()
        Image.fromarray(picture).save(file, kind)
        files[kind] = file.getvalue()
    file = BytesIO()
    Image.fromarray(picture).save(file, "TIFF", compression="tiff_lzw")
    files["TIFF, LZW"] = file.getvalue()
    for syntax in SYNTAXES:
        stored = Stored(syntax, bits=BITS_OF.get(syntax, 12))
        files[syntax.name] = encode_dicom(detect(picture, stored, 0), stored, HEADER)
    # So large that its finest resolutions are left out.
    wide = np.kron(picture[: picture.shape[0] // 8 * 8], np.ones((8, 8), np.uint8))
    stored = Stored(JPEG2000Lossless)
    large = encode_dicom(detect(wide[:1100, :1100], stored, 0), stored, HEADER)
    return files | {"JPEG 2000, large": large}


def mutated(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Flip bytes of, cut or splice a file; half of the places lie near its start."""
    rng = np.random.default_rng(seed)
    files = list(originals().items())
    for number in range(count):
        name, data = files[number % len(files)]
        content = bytearray(data)
        for _ in range(rng.integers(1, 4)):
            _mutate(content, files, rng)
        if data[128:132] == b"DICM" and rng.random() < 0.9:
            content[128:132] = b"DICM"  # else no mutation of it would get far
        yield name, bytes(content)


def _mutate(content: bytearray, files: list[tuple[str, bytes]], rng: np.random.Generator) -> None:
    near = min(len(content), 1500) if rng.random() < 0.5 else len(content)
    place = int(rng.integers(0, max(near, 1)))
    length = int(2 ** rng.uniform(0, 12))
    way = rng.choice(["flip", "cut", "end", "splice"], p=[0.6, 0.1, 0.05, 0.25])
    if way == "flip":
        for flip in rng.integers(0, max(near, 1), rng.integers(1, 9)).tolist():
            if flip < len(content):
                content[flip] ^= int(rng.integers(1, 256))
    elif way == "cut":
        del content[place : place + length]
    elif way == "end":
        del content[place:]
    else:
        other = files[rng.integers(len(files))][1]
        start = int(rng.integers(0, len(other)))
        content[place : place + length] = other[start : start + length]


def main(seed: int, count: int) -> None:
    for number, (name, data) in enumerate(mutated(seed, count)):
        print(json.dumps({"file": number, "of": name}), flush=True)
        start = time.process_time()
        try:
            error = None
            assert shrink(data).values.shape == (64, 64)
        except PixelsError as refused:
            error = str(refused)
        seconds = time.process_time() - start  # so that a busy machine does not count
        print(json.dumps({"file": number, "of": name, "error": error, "seconds": seconds}))
    # Not `ru_maxrss`, which a child takes over from the process that started it.
    (kilobytes,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    peak = int(kilobytes) / 1024
    print(json.dumps({"megabytes": peak}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""DICOM: CPU of an earlier version ÷ ours, and how far their pixels differ.

    python -m benchmarks.speed.dicom_against CHECKOUT

CHECKOUT is an earlier commit with an environment of its own in `.venv`. Both read the same files,
in turns, each in a process that has read one before.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cxrspark.phantoms.dicom import BITS_OF, SYNTAXES, Stored, detect, encode_dicom
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.image import SIDE, Header

READER = """
import sys, time
try:
    from cxrspark.pixels.shrink_to_64 import shrink
except ImportError:
    from cxrspark.pixels import shrink
for line in sys.stdin:
    data = open(line.rstrip(), "rb").read()
    start = time.process_time()
    try:
        pixels = shrink(data).values.tobytes().hex()
    except Exception as error:
        pixels = ""
    print(time.process_time() - start, pixels, flush=True)
"""


class Reader:
    """A process that shrinks files with the code of one checkout."""

    def __init__(self, python: Path, checkout: Path) -> None:
        self.process = subprocess.Popen(
            [python, "-c", READER],
            cwd=checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, file: Path) -> tuple[float, np.ndarray | None]:
        """CPU milliseconds, and the pixels; None where it does not read the file."""
        assert self.process.stdin
        assert self.process.stdout
        print(file, file=self.process.stdin, flush=True)
        seconds, _, pixels = self.process.stdout.readline().rstrip("\n").partition(" ")
        values = np.frombuffer(bytes.fromhex(pixels), np.uint8)
        return 1000 * float(seconds), values.reshape(SIDE, SIDE) if pixels else None


def files(folder: Path, rows: int) -> dict[str, Path]:
    picture = render(phantom_study(3, rows).frontal)
    written = {}
    for number, syntax in enumerate(SYNTAXES):
        stored = Stored(syntax, "MONOCHROME1", BITS_OF.get(syntax, 12))
        data = encode_dicom(detect(picture, stored, 1), stored, Header(modality="DX"))
        written[syntax.name] = folder / f"{number}.dcm"
        written[syntax.name].write_bytes(data)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--rows", type=int, default=3056)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    before = Reader(options.checkout / ".venv" / "bin" / "python", options.checkout)
    now = Reader(Path(sys.executable), Path(__file__).parents[2])
    print("| transfer syntax | before, ms | now, ms | before ÷ now | grey levels, mean, worst |")
    print("| --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for name, file in files(Path(folder), options.rows).items():
            (_, old), (_, new) = before.read(file), now.read(file)  # warm
            taken = [(before.read(file)[0], now.read(file)[0]) for _ in range(options.rounds)]
            ms = [statistics.median(times) for times in zip(*taken, strict=True)]
            if old is None or new is None:
                print(f"| {name} | not read | {ms[1]:.0f} | | |", flush=True)
                continue
            far = np.abs(old.astype(int) - new)
            ratio = statistics.median(one / other for one, other in taken)
            difference = f"{far.mean():.2f}, {far.max()}" if far.any() else "0"
            print(
                f"| {name} | {ms[0]:.0f} | {ms[1]:.0f} | {ratio:.1f} | {difference} |", flush=True
            )


if __name__ == "__main__":
    main()

"""JPEG files of every structure that the native scan answers for, and damaged ones.

`encoded` makes pictures by Pillow; `written` writes what Pillow's encoder never does: sampling,
scans, tables, restart intervals, markers and coefficients at random (names of ITU-T T.81).
As seeds for a fuzzer: python -m helpers.jpegs FOLDER FILES.
"""

import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

ImageFile.MAXBLOCK = 2**20  # or Pillow's encoder refuses some noise that it is to optimise

Random = np.random.Generator
Blocks = np.ndarray  # int, shape (rows, columns, 64), zigzag


def by_pillow(data: bytes) -> np.ndarray:
    """What Pillow decodes at 1/8, uint8 of shape (rows, columns)."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        image.draft("L", (1, 1))
        return np.asarray(image.convert("L"))


def encoded(rng: Random) -> bytes:
    """A small picture by Pillow's encoder, its options at random."""
    rows, columns = rng.integers(8, 200, 2)
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    colours = []
    for _ in range(3):
        phase, noise = rng.uniform(0, 0.2, 2), rng.normal(0, rng.choice([0, 5, 60]), across.shape)
        colours.append(127 + 120 * np.sin(across * phase[0] + down * phase[1]) + noise)
    image = Image.fromarray(np.dstack(colours).clip(0, 255).astype(np.uint8))
    options = {
        "quality": int(rng.integers(1, 101)),
        "progressive": bool(rng.random() < 0.4),
        "optimize": bool(rng.random() < 0.3),
        "subsampling": str(rng.choice(["4:4:4", "4:2:2", "4:2:0"])),
        "restart_marker_blocks": int(rng.choice([0, 0, 1, 7, 40])),
        "restart_marker_rows": int(rng.choice([0, 0, 0, 1])),
        "comment": b"about it" if rng.random() < 0.2 else b"",
    }
    if rng.random() < 0.2:
        options["qtables"] = [rng.integers(1, 256, 64).tolist() for _ in range(2)]
    file = BytesIO()
    image.convert(rng.choice(["L", "RGB", "YCbCr"])).save(file, "JPEG", **options)
    return file.getvalue()


@dataclass
class Component:
    """One of a frame, with its coefficients."""

    id: int
    H: int
    V: int
    Tq: int
    blocks: Blocks
    high: int
    """Rows of blocks without those that only fill the last MCU."""
    wide: int


class Codes:
    """A Huffman code at random that has all 256 symbols, or those of DC coefficients."""

    def __init__(self, rng: Random, symbols: int):
        lengths = [0]
        while len(lengths) <= symbols:  # one more, for no code may consist of ones alone
            at = rng.integers(len(lengths)) if rng.random() < 0.5 else lengths.index(min(lengths))
            split = int(at)
            if lengths[split] < 16:
                lengths[split] += 1
                lengths.append(lengths[split])
        ordered = sorted(lengths)[:symbols]
        self.counts = [ordered.count(length) for length in range(1, 17)]
        self.values = rng.permutation(symbols).tolist()
        self.code = {}
        code = 0
        for before, length, value in zip([0, *ordered], ordered, self.values, strict=False):
            code <<= length - before
            self.code[value] = f"{code:0{length}b}"
            code += 1

    def segment(self, kind: int, number: int) -> bytes:
        return marked(0xC4, bytes([kind << 4 | number, *self.counts, *self.values]))


def marked(code: int, body: bytes) -> bytes:
    """A marker segment (B.1.1.4)."""
    return bytes([0xFF, code]) + (len(body) + 2).to_bytes(2, "big") + body


def magnitude(value: int) -> tuple[int, str]:
    """Its size and the bits that follow the size's code (F.1.2.1)."""
    size = int(abs(value)).bit_length()
    bits = value if value > 0 else value + (1 << size) - 1
    return size, f"{bits:0{size}b}" if size else ""


def ac_bits(block: np.ndarray, first: int, last: int, codes: Codes) -> str:
    """The band of a block, F.1.2.2."""
    bits, zeros = "", 0
    for value in block[first : last + 1].tolist():
        if not value:
            zeros += 1
            continue
        while zeros > 15:
            bits += codes.code[0xF0]
            zeros -= 16
        size, more = magnitude(value)
        bits += codes.code[zeros << 4 | size] + more
        zeros = 0
    return bits + (codes.code[0] if zeros else "")


def entropy_coded(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return packed.replace(b"\xff", b"\xff\x00")


@dataclass
class Writer:
    """A file that grows by scans."""

    rng: Random
    components: list[Component]
    data: bytes

    def mcus(self, scan: list[Component]) -> list[list[tuple[int, np.ndarray]]]:
        """Blocks of each MCU with their component's place in the scan (A.2)."""
        if len(scan) == 1:
            (c,) = scan
            return [[(0, b)] for row in c.blocks[: c.high, : c.wide] for b in row]
        rows = scan[0].blocks.shape[0] // scan[0].V
        columns = scan[0].blocks.shape[1] // scan[0].H
        return [
            [
                (place, c.blocks[row * c.V + y, column * c.H + x])
                for place, c in enumerate(scan)
                for y in range(c.V)
                for x in range(c.H)
            ]
            for row in range(rows)
            for column in range(columns)
        ]

    def scan(self, scan: list[Component], Ss: int, Se: int, Ah: int, Al: int) -> None:
        """Tables, restart interval and entropy-coded segments of one scan."""
        rng = self.rng
        dc, ac = Codes(rng, 16), Codes(rng, 256)
        Td, Ta = rng.integers(0, 4, 2).tolist()
        interval = int(rng.choice([0, 0, 1, 3, 50]))
        tables = [dc.segment(0, Td), ac.segment(1, Ta), marked(0xDD, interval.to_bytes(2, "big"))]
        tables.append(marked(int(rng.choice([0xFE, 0xE5, 0xE0])), bytes(rng.integers(0, 9))))
        self.data += b"".join(tables[i] for i in rng.permutation(len(tables)))
        self.data += b"\xff" * int(rng.choice([0, 0, 2]))
        of_each = b"".join(bytes([c.id, Td << 4 | Ta]) for c in scan)
        self.data += marked(0xDA, bytes([len(scan), *of_each, Ss, Se, Ah << 4 | Al]))
        mcus = self.mcus(scan)
        each = interval or len(mcus)
        for number, first in enumerate(range(0, len(mcus), each)):
            bits, before = [], [0] * len(scan)
            if number:
                self.data += b"\xff" * int(rng.choice([1, 1, 3])) + bytes([0xD0 + (number - 1) % 8])
            for place, block in (pair for mcu in mcus[first : first + each] for pair in mcu):
                value = int(block[0]) >> Al
                if Ss == 0 and Ah:
                    bits.append(str(value & 1))
                elif Ss == 0:
                    size, more = magnitude(value - before[place])
                    bits.append(dc.code[size] + more)
                    before[place] = value
                if Se:
                    bits.append(ac_bits(block if Al == Ah == 0 else 0 * block, max(Ss, 1), Se, ac))
            self.data += entropy_coded("".join(bits))


def written(rng: Random) -> bytes:
    """A file at random, sound to the last bit."""
    rows, columns = (int(side) for side in rng.integers(8, 100, 2))
    count = int(rng.choice([1, 3, 3]))
    H, V = rng.integers(1, [3, 5] if rng.random() < 0.8 else [5, 5]).tolist()
    high, wide = -(-rows // (8 * V)), -(-columns // (8 * H))
    ids = rng.permutation(256)[:count].tolist() if rng.random() < 0.2 else [1, 2, 3][:count]
    tables = [rng.integers(1, 40, 64) for _ in range(4)]
    factors = [rng.integers(1, [H + 1, V + 1]).tolist() for _ in ids]
    factors[0 if rng.random() < 0.9 else -1] = [H, V]  # mostly the luminance has the greatest
    components = []
    for name, (h, v) in zip(ids, factors, strict=True):
        dense, Tq = rng.uniform(0, 0.4), int(rng.integers(4))
        blocks = rng.integers(-200, 200, (high * v, wide * h, 64))
        blocks *= rng.random(blocks.shape) < dense
        blocks[..., 0] = rng.integers(-1200, 1200, blocks.shape[:2]) // tables[Tq][0]
        size = -(-rows * v // (8 * V)), -(-columns * h // (8 * H))
        components.append(Component(name, h, v, Tq, blocks, *size))
    writer = Writer(rng, components, b"\xff\xd8")
    if rng.random() < 0.5:
        writer.data += marked(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    elif rng.random() < 0.5:
        writer.data += marked(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([rng.choice([0, 1, 1, 1])]))
    for number, table in enumerate(tables):
        wide_values = rng.random() < 0.3
        values = table.astype(">u2" if wide_values else "u1").tobytes()
        writer.data += marked(0xDB, bytes([wide_values << 4 | number]) + values)
    progressive = rng.random() < 0.5
    frame = bytes([8, *rows.to_bytes(2, "big"), *columns.to_bytes(2, "big"), count])
    frame += b"".join(bytes([c.id, c.H << 4 | c.V, c.Tq]) for c in components)
    writer.data += marked(0xC2 if progressive else int(rng.choice([0xC0, 0xC1])), frame)
    together = sum(c.H * c.V for c in components) <= 10 and rng.random() < 0.7
    parts = [components] if together else [[c] for c in components]
    if not progressive:
        for part in parts:
            writer.scan(part, 0, 63, 0, 0)
    else:
        _progression(writer, parts, int(rng.integers(0, 3)))
    return writer.data + b"\xff\xd9" + bytes(rng.integers(0, 256, rng.integers(0, 9), np.uint8))


def _progression(writer: Writer, parts: list[list[Component]], Al: int) -> None:
    for part in parts:
        writer.scan(part, 0, 0, 0, Al)
    later = [(part, 0, 0, low + 1, low) for low in range(Al - 1, -1, -1) for part in parts]
    for c in writer.components:
        split, bit = (int(n) for n in writer.rng.integers(1, [63, 3]))
        later.append(([c], 1, split, 0, bit - 1))
        later += [([c], 1, split, 1, 0)] * (bit - 1)
        later.append(([c], split + 1, 63, 0, 0))
    for scan in later:
        writer.scan(*scan)


def mutated(rng: Random, data: bytes) -> bytes:
    """The file with bytes changed, cut out or put in, half of the times near its start."""
    content = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        end = len(content) if rng.random() < 0.5 else min(len(content), 700)
        place, way = int(rng.integers(2, max(end, 3))), rng.random()
        if way < 0.7 and place < len(content):
            flipped = content[place] ^ 1 << rng.integers(8)
            content[place] = rng.choice([0, 1, 0xFF, flipped, rng.integers(256)])
        elif way < 0.85:
            del content[place : place + int(2 ** rng.uniform(0, 8))]
        else:
            content[place:place] = rng.bytes(int(2 ** rng.uniform(0, 4)))
    return bytes(content)


def main(folder: str, files: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for seed in range(int(files)):
        rng = np.random.default_rng(seed)
        Path(folder, str(seed)).write_bytes((encoded, written)[seed % 2](rng))


if __name__ == "__main__":
    main(*sys.argv[1:])

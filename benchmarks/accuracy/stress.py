"""Changed copies of the test images: python -m benchmarks.accuracy.stress DATA BUNDLE OUT.json.

Each change is made with Pillow on the 256×256 file before it is shrunk, independently of the
training's own augmentation, though kin to it. Prints accuracy for frontal and lateral images of
patients of iu_openi_256 that were not trained on, worst first, and of all copies by how sure the
model is of each.
"""

import json
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.pixels.image import SIDE

from benchmarks.accuracy.shared import labels, share

Random = np.random.Generator
Predict = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
SIZE = 256
CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999, 1.0)
"""Edges of what max(p, 1 - p) is told apart by."""


def _on_canvas(image: Image.Image, wide: float, high: float, grey: int, r: Random) -> Image.Image:
    """Let the image take up a part of a larger one, anywhere."""
    canvas = Image.new("L", (int(SIZE / wide), int(SIZE / high)), grey)
    spare = canvas.width - SIZE, canvas.height - SIZE
    canvas.paste(image, (int(spare[0] * r.random()), int(spare[1] * r.random())))
    return canvas


def _crop(image: Image.Image, wide: float, high: float, r: Random) -> Image.Image:
    width, height = int(image.width * wide), int(image.height * high)
    left, top = r.integers(image.width - width + 1), r.integers(image.height - height + 1)
    return image.crop((left, top, left + width, top + height))


def _window(image: Image.Image, low: int, high: int) -> Image.Image:
    grey = np.asarray(image, float)
    darkest, brightest = np.percentile(grey, [low, high])
    grey = (grey - darkest) / max(brightest - darkest, 1.0)
    return Image.fromarray((grey.clip(0, 1) * 255).astype(np.uint8))


def _low_contrast(image: Image.Image) -> Image.Image:
    grey = (np.asarray(image) * 0.3 + 60).astype(np.uint8)
    grey[8:20, 200:230] = 255
    return Image.fromarray(grey)


def _local(image: Image.Image) -> Image.Image:
    """Equalise sixteen tiles and blend between them."""
    grey, side = np.asarray(image), SIZE // 4
    tiles = grey.reshape(4, side, 4, side).swapaxes(1, 2)
    curves = np.empty((4, 4, 256))
    for place in np.ndindex(4, 4):
        counts = np.minimum(np.bincount(tiles[place].ravel(), minlength=256), 3 * side * side / 256)
        curves[place] = (counts + (side * side - counts.sum()) / 256).cumsum() * 255 / side**2
    at = np.clip((np.arange(SIZE) + 0.5) / side - 0.5, 0, 3)
    first = np.minimum(at.astype(int), 2)
    share = at - first
    blended = np.zeros((SIZE, SIZE))
    for down in (0, 1):
        for right in (0, 1):
            by_row = share if down else 1 - share
            by_column = share if right else 1 - share
            mapped = curves[(first + down)[:, None], (first + right)[None, :], grey]
            blended += by_row[:, None] * by_column[None, :] * mapped
    return Image.fromarray(blended.clip(0, 255).astype(np.uint8))


def _noisy(image: Image.Image, r: Random) -> Image.Image:
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(3)), float)
    return Image.fromarray((soft + r.normal(0, 40, soft.shape)).clip(0, 255).astype(np.uint8))


def _with_objects(image: Image.Image, r: Random) -> Image.Image:
    """Draw two tubes and a device that covers a tenth of the image."""
    changed = image.copy()
    draw = ImageDraw.Draw(changed)
    for _ in range(2):
        draw.line(r.uniform(0, SIZE, 6).tolist(), fill=int(r.integers(160, 256)), width=4)
    left, top = r.uniform(0, 0.68 * SIZE, 2)
    draw.rectangle((left, top, left + 0.32 * SIZE, top + 0.32 * SIZE), int(r.integers(0, 256)))
    return changed


def _jpeg(image: Image.Image) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=6)
    return Image.open(buffer)


CHANGES: dict[str, Callable[[Image.Image, Random], Image.Image]] = {
    "as it is": lambda i, r: i,
    "mirrored": lambda i, r: ImageOps.mirror(i),
    "upside down": lambda i, r: ImageOps.flip(i),
    "turned by 90°": lambda i, r: i.rotate(90 if r.random() < 0.5 else 270),
    "inverted": lambda i, r: ImageOps.invert(i),
    "between black sides, 65 % wide": lambda i, r: _on_canvas(i, 0.65, 1, 0, r),
    "between black bars, 65 % high": lambda i, r: _on_canvas(i, 1, 0.65, 0, r),
    "60 % of a black image": lambda i, r: _on_canvas(i, 0.6, 0.6, 0, r),
    "75 % of a white image": lambda i, r: _on_canvas(i, 0.75, 0.75, 255, r),
    "cropped to 70 %": lambda i, r: _crop(i, 0.7, 0.7, r),
    "cropped to 65 % of the width": lambda i, r: _crop(i, 0.65, 1, r),
    "cropped to 65 % of the height": lambda i, r: _crop(i, 1, 0.65, r),
    "equalised": lambda i, r: ImageOps.equalize(i),
    "equalised locally": lambda i, r: _local(i),
    "5th to 60th percentile": lambda i, r: _window(i, 5, 60),
    "35th to 97th percentile": lambda i, r: _window(i, 35, 97),
    "low contrast, white marker": lambda i, r: _low_contrast(i),
    "gamma 0.4": lambda i, r: i.point([int(255 * (v / 255) ** 0.4) for v in range(256)]),
    "gamma 2.5": lambda i, r: i.point([int(255 * (v / 255) ** 2.5) for v in range(256)]),
    "rotated by up to 20°": lambda i, r: i.rotate(r.uniform(-20, 20), Image.Resampling.BILINEAR),
    "blurred and noisy": _noisy,
    "sharpened": lambda i, r: i.filter(ImageFilter.UnsharpMask(20, 250, 0)),
    "JPEG quality 6": lambda i, r: _jpeg(i),
    "tubes and a covered part": _with_objects,
    "cropped, equalised, black sides": lambda i, r: _on_canvas(
        ImageOps.equalize(_crop(i, 0.8, 0.8, r)).resize((SIZE, SIZE)), 0.7, 1, 0, r
    ),
}


def copies(data: Path, rows: pd.DataFrame) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """The name of each change, and the pixels of the changed images; uint8 (n, 64, 64)."""
    images = [Image.open(data / path).convert("L") for path in rows["path"]]
    for name, change in CHANGES.items():
        random = np.random.default_rng(7)
        changed = (change(image, random).convert("L") for image in images)
        box = Image.Resampling.BOX
        yield name, np.stack([np.asarray(image.resize((SIDE, SIDE), box)) for image in changed])


def judge(predict: Predict, rows: pd.DataFrame, pixels: npt.NDArray[np.uint8]) -> dict:
    """Accuracy on one kind of copies, and on the frontal and the lateral ones of them."""
    frontal = (rows["view"] == "frontal").to_numpy()
    right = (predict(pixels) > 0.5) == frontal
    return share(right, rows) | {
        "frontal": float(right[frontal].mean()),
        "lateral": float(right[~frontal].mean()),
    }


def by_confidence(p: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> list[dict]:
    """Images and how many of them are right, from each of `CONFIDENCES` to the next."""
    sure = np.maximum(p, 1 - p)
    place = np.clip(np.digitize(sure, CONFIDENCES) - 1, 0, len(CONFIDENCES) - 2)
    return [
        {
            "from": CONFIDENCES[k],
            "to": CONFIDENCES[k + 1],
            "images": int((place == k).sum()),
            "right": int(right[place == k].sum()),
            "mean": float(sure[place == k].mean()) if (place == k).any() else None,
        }
        for k in range(len(CONFIDENCES) - 1)
    ]


def main(data: Path, folder: str, out: Path) -> None:
    """Measure, print and write."""
    rows = labels(data)
    rows = rows[rows["part"] == "test"]
    bundle = load_bundle(folder)
    predict = Scorer(bundle.flatbuffer).p_frontal
    answers: list[npt.NDArray[np.float32]] = []

    def noted(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        answers.append(predict(pixels))
        return answers[-1]

    figures = {name: judge(noted, rows, pixels) for name, pixels in copies(data, rows)}
    p = np.concatenate(answers).astype(np.float64)
    frontal = np.tile((rows["view"] == "frontal").to_numpy(), len(answers))
    confidence = by_confidence(p, (p > 0.5) == frontal)
    measured = {"model_id": bundle.model_id, "copies": figures, "confidence": confidence}
    out.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    for one in confidence:
        print(f"{one['from']:5} to {one['to']:5}  {one['right']:6,} right of {one['images']:6,}")
    for name, f in sorted(figures.items(), key=lambda item: item[1]["accuracy"]):
        shares = f"frontal {f['frontal']:7.2%}  lateral {f['lateral']:7.2%}"
        print(f"{name:<34} {f['accuracy']:7.2%}  {shares}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

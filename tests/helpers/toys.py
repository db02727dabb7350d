"""Small images of two views that a few epochs tell apart, for tests of training."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image


def toy_images(count: int, seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """uint8 (count, 64, 64): frontal ones have two dark fields side by side, lateral ones one."""
    random = np.random.default_rng(seed)
    frontal = np.arange(count) % 2 == 0
    images = random.integers(150, 200, (count, 64, 64)).astype(np.uint8)
    for image, two_fields in zip(images, frontal, strict=True):
        top = random.integers(8, 16)
        columns = (slice(8, 26), slice(38, 56)) if two_fields else (slice(18, 46),)
        for of_field in columns:
            image[top : top + 36, of_field] -= 100
    return images, frontal


def write_toys(folder: Path, count: int) -> pd.DataFrame:
    """An archive of PNG files, two of each patient, and its labels in labels.csv."""
    images, frontal = toy_images(count)
    folder.mkdir()
    rows = pd.DataFrame(
        {
            "path": [f"{number:03}.png" for number in range(count)],
            "patient_id": [f"p{number // 2}" for number in range(count)],
            "view": np.where(frontal, "frontal", "lateral"),
        }
    )
    for path, image in zip(rows["path"], images, strict=True):
        Image.fromarray(image).save(folder / path)
    rows.to_csv(folder / "labels.csv", index=False)
    return rows

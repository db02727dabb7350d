"""Find planted copies among 377,110 kept pixels: `make bench-duplicates`.

Pictures are mixed of phantoms' films, each with a crop, contrast and noise of its own, as no two
patients stand alike; one in a hundred is there a second time: the same file, compressed again,
resized, or equalised.
"""

import argparse
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageOps
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.audit.duplicates import duplicates
from cxrspark.jobs.session import session_settings
from cxrspark.phantoms.study import phantom_study, render
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.common.archives import BUILD

IMAGES, FILMS, SIDE, EVERY = 377_110, 400, 256, 100
ROOT = BUILD / "duplicates"
BILINEAR = Image.Resampling.BILINEAR
SCHEMA = "image_id string, subject_id string, path string, pixels binary"


def jpeg(image: Image.Image, quality: int = 95) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


COPIES: dict[str, Callable[[Image.Image], bytes]] = {
    "exact": jpeg,
    "compressed": lambda image: jpeg(image, 50),
    "resized": lambda image: jpeg(image.resize((190, 170), Image.Resampling.LANCZOS)),
    "equalised": lambda image: jpeg(ImageOps.equalize(image)),
}


def film(seed: int) -> npt.NDArray[np.uint8]:
    study = phantom_study(seed // 2, SIDE)
    picture = Image.fromarray(render(study.lateral if seed % 2 else study.frontal))
    return np.asarray(picture.resize((SIDE, SIDE)))


def drawn(number: int) -> tuple[np.random.Generator, list[tuple[float, int]]]:
    """Shares of three films of one view."""
    random = np.random.default_rng(number)
    shares = random.dirichlet([1, 1, 1])
    return random, list(zip(shares, random.integers(0, FILMS // 2, 3), strict=True))


def in_common(number: int, other: int) -> float:
    """The share that the same films have in both, 0 to 1."""
    of_film: list[Counter[int]] = [Counter(), Counter()]
    for shares, picture in zip(of_film, (number, other), strict=True):
        for share, one in drawn(picture)[1]:
            shares[one] += share
    return float((of_film[0] & of_film[1]).total()) if number % 2 == other % 2 else 0.0


def mixed(films: npt.NDArray[np.uint8], number: int) -> npt.NDArray[np.uint8]:
    """Three films of one view, shifted, in random shares, of which a random part is shown."""
    random, of_films = drawn(number)
    of_view = films[number % 2 :: 2]
    most = films.shape[1] // 16
    total = np.zeros(films.shape[1:])
    for share, one in of_films:
        shift = tuple(random.integers(-most, most + 1, 2))
        total += share * np.roll(of_view[one], shift, (0, 1))
    corner, end = random.uniform(0, 0.15, 2) * len(total), random.uniform(0.85, 1, 2) * len(total)
    box = (corner[0], corner[1], end[0], end[1])
    total = np.asarray(Image.fromarray(total.astype(np.float32)).resize(total.shape, BILINEAR, box))
    total = 255 * (total / 255) ** random.uniform(0.7, 1.4) + random.normal(0, 3, total.shape)
    return np.asarray(total.clip(0, 255).astype(np.uint8))


def rows(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    films = np.load(ROOT / "films.npy")
    small = films.reshape(len(films), 64, SIDE // 64, 64, SIDE // 64).mean((2, 4)).astype(np.uint8)
    kinds = list(COPIES)
    for batch in batches:
        found = []
        for number in batch["id"]:
            name = f"a{number:06}"
            if number % EVERY:
                found.append((name, name, mixed(small, number).tobytes()))
                continue
            image = Image.fromarray(mixed(films, number))
            kind = kinds[number // EVERY % len(kinds)]
            for image_id, data in ((name, jpeg(image)), (f"{name}-{kind}", COPIES[kind](image))):
                found.append((image_id, name, shrink(data).values.tobytes()))
        table = pd.DataFrame(found, columns=["image_id", "subject_id", "pixels"])
        yield table.assign(path=table["image_id"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    images = parser.parse_args().images
    os.environ["PYSPARK_PYTHON"] = sys.executable
    shutil.rmtree(ROOT, ignore_errors=True)
    Path(ROOT).mkdir(parents=True)
    with Pool(2) as pool:
        np.save(ROOT / "films.npy", np.stack(pool.map(film, range(FILMS))))
    builder = SparkSession.builder.master("local[2]").config(map=session_settings("parquet"))
    spark = builder.config("spark.driver.memory", "4g").getOrCreate()
    spark.range(0, images * EVERY // (EVERY + 1), 1, 24).mapInPandas(rows, SCHEMA).write.parquet(
        str(ROOT / "pixels")
    )
    pixels = spark.read.parquet(str(ROOT / "pixels"))
    there = pixels.count()
    start = time.perf_counter()
    found = duplicates(pixels).toPandas()
    seconds = time.perf_counter() - start
    planted = pixels.where(F.col("image_id").contains("-")).select("image_id").toPandas()
    right = found[found["subject_id"] == found["other_subject_id"]]
    print(f"{there:,} pictures, {len(planted):,} planted copies, looked through in {seconds:.0f} s")
    for kind in COPIES:
        of_kind = planted["image_id"][planted["image_id"].str.endswith(kind)]
        share = of_kind.isin(right["other_image_id"]).mean()
        print(f"  {kind:<12} {share:>8.2%} found of {len(of_kind):,}")
    apart = found[found["subject_id"] != found["other_subject_id"]]
    names = zip(apart["subject_id"].str[1:], apart["other_subject_id"].str[1:], strict=True)
    common = pd.Series([in_common(int(one), int(other)) for one, other in names], dtype=float)
    print(
        f"  pairs of different mixes: {len(apart):,}; without a film in common: "
        f"{(common == 0).sum()}; share of the same films: {common.min():.0%} at least, "
        f"{common.median():.0%} in the middle"
    )
    spark.stop()


if __name__ == "__main__":
    main()

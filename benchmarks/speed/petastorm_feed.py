"""Petastorm beside arrays in memory: python -m benchmarks.speed.petastorm_feed [ROUNDS].

Fits the paper's recipe on 860 random images, one epoch at a time, in turn on a Parquet table read
through Petastorm and on the same images as arrays, and prints the ratio of the medians.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from cxrspark.model.network import build_network
from cxrspark.training.feed import Labelled, read_labelled
from cxrspark.training.fit import training_batches
from cxrspark.training.settings import TrainSettings

IMAGES = 860


def main(rounds: int) -> None:
    """Measure and print."""
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (IMAGES, 64, 64)).astype(np.uint8)
    frontal = (np.arange(IMAGES) % 2).astype(np.float32)
    recipe = TrainSettings(labels="-", archive="-", bundle=Path("-"))
    steps = -(-IMAGES // recipe.batch_size)
    counts = Labelled("", {"frontal": IMAGES // 2, "lateral": IMAGES // 2}, {}, [])
    with tempfile.TemporaryDirectory() as folder:
        columns = {"pixels": [image.tobytes() for image in pixels], "frontal": frontal}
        pq.write_table(pa.table(columns), f"{folder}/part-0.parquet")
        start = time.perf_counter()
        by_petastorm = read_labelled(folder)
        print(f"reading the table once: {time.perf_counter() - start:.2f} s")
    feeds = {
        "petastorm": by_petastorm,
        "arrays": tf.data.Dataset.from_tensor_slices((pixels, frontal)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in feeds}
    batches = {name: training_batches(recipe, counts, feed) for name, feed in feeds.items()}
    network = build_network(1)
    network.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    for number in range(rounds + 1):
        for name, feed in batches.items():
            start = time.perf_counter()
            network.fit(feed, steps_per_epoch=steps, verbose=0, shuffle=False)
            if number:
                seconds[name].append(time.perf_counter() - start)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name:<10} {median:.3f} s an epoch of {IMAGES}, median of {rounds}")
    print(f"ratio {medians['petastorm'] / medians['arrays']:.3f}")


if __name__ == "__main__":
    main(int((sys.argv[1:] or ["15"])[0]))

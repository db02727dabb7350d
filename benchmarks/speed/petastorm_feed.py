"""Petastorm beside arrays in memory.

Run with `make bench-feed`. Fits the paper's recipe on 860 random images, one epoch at a time, in
turn on a Parquet table read through Petastorm and on the same images as arrays, and prints the
ratio of the medians.
"""

import os
import tempfile
import time
from functools import partial
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

from benchmarks.common.measuring import in_turn, medians, parser

IMAGES = 860


def main() -> None:
    options = parser(__doc__, rounds=15).parse_args()
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
    batches = {name: training_batches(recipe, counts, feed) for name, feed in feeds.items()}
    network = build_network(1)
    network.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])

    def epoch(name: str) -> float:
        start = time.perf_counter()
        network.fit(batches[name], steps_per_epoch=steps, verbose=0, shuffle=False)
        return 1000 * (time.perf_counter() - start)

    work = {name: partial(epoch, name) for name in feeds}
    in_turn(1, work)  # code is compiled
    print(f"ms an epoch of {IMAGES} images")
    petastorm, arrays = medians(in_turn(options.rounds, work)).values()
    print(f"medians {petastorm:.1f} and {arrays:.1f}, ratio {petastorm / arrays:.3f}")


if __name__ == "__main__":
    main()

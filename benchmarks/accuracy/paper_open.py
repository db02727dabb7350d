"""What the paper leaves open, measured beside what was decided.

    python -m benchmarks.accuracy.paper_open DATA OUT.json EPOCHS [SEED…]

On the draws of `paper_claim.py`, for each seed (three where none is given):

* the paper's augmentation with a random crop in place of the shear, its word being both;
* the second round, which adds what the first network is at least `SURE` of, with its answers for
  labels: from the weights that the first has, or from new ones, with as many steps.
"""

import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from cxrspark.training import fit as training
from cxrspark.training.augmentation import paper_layers
from cxrspark.training.second_round import add_to_training

from benchmarks.accuracy.paper_claim import Claim

SEEDS = (1, 2, 3)
SURE = 0.99
KEPT_SIDE = 57
"""Of 64: as much as the shifts move, a tenth of the side."""


class EachCropped(keras.layers.Layer):
    """A random crop of each image, shown as large as before; Keras' own is one for a batch."""

    def __init__(self, seed: int):
        super().__init__(name="each_cropped")
        self.random = tf.random.Generator.from_seed(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Shape (n, 64, 64, 1) in and out."""
        if not training:
            return images
        number, kept = tf.shape(images)[0], KEPT_SIDE / 64
        corner = self.random.uniform((number, 2), 0.0, 1.0 - kept)
        boxes = tf.concat([corner, corner + kept], 1)
        return tf.image.crop_and_resize(images, boxes, tf.range(number), (64, 64))


def cropping_layers(seed: int) -> keras.Sequential:
    """`paper_layers` with a random crop, shown as large as before, in place of the shear."""
    layers = []
    for layer in paper_layers(seed).layers:
        if isinstance(layer, keras.layers.RandomShear):
            layers.append(EachCropped(seed))
        else:
            layers.append(layer)
    return keras.Sequential(layers)


def measure(claim: Claim, seed: int, epochs: int) -> dict[str, Any]:
    """Accuracy of each variant on the images that were not drawn, and on strangers' alone."""
    recipe, parts = claim.recipe(seed, epochs), claim.parts(seed)
    others, strangers = claim.others(parts), claim.strangers(parts)

    def figure() -> dict[str, Any]:
        return {"others": claim.share(others), "strangers": claim.share(strangers)}

    first = claim.train(recipe, parts)
    figures: dict[str, Any] = {"seed": seed, "shear": figure()}
    p = claim.answers
    sure = others & ((p >= SURE) | (p <= 1 - SURE))
    labelled = claim.rows[sure]
    answers = np.where(p[sure] > 0.5, "frontal", "lateral")
    added = labelled.assign(label=answers, frontal=(answers == "frontal").astype(float))
    more = add_to_training(parts, added)
    new = more.training.iloc[len(parts.training) :]
    truth = claim.rows.set_index("image_id").loc[new["image_id"], "label"].to_numpy()
    figures |= {
        "sure": len(added),
        "added": len(new),
        "added_wrong": int((new["label"].to_numpy() != truth).sum()),
        "second_epochs": max(1, round(epochs * len(parts.training) / len(more.training))),
    }
    longer = recipe.model_copy(update={"epochs": figures["second_epochs"]})
    claim.train(longer, more, first)
    figures["second round, continued"] = figure()
    claim.train(longer, more)
    figures["second round, from scratch"] = figure()
    training.paper_layers = cropping_layers
    claim.train(recipe, parts)
    figures["crop"] = figure()
    training.paper_layers = paper_layers
    return figures


def main(data: Path, out: Path, epochs: int, seeds: list[int]) -> None:
    """Measure and write the figures, after each seed."""
    claim = Claim(data)
    figures = []
    for seed in seeds:
        figures.append(measure(claim, seed, epochs))
        out.write_text(json.dumps({"epochs": epochs, "seeds": figures}, indent=1) + "\n")
        print(json.dumps(figures[-1]), flush=True)


if __name__ == "__main__":
    chosen = [int(seed) for seed in sys.argv[4:]] or list(SEEDS)
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), chosen)

"""Pixels to probabilities on one core, without TensorFlow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from ai_edge_litert.interpreter import Interpreter

from cxrspark.model.answers import OUTPUTS, ask
from cxrspark.model.bundle import Networks
from cxrspark.pixels.image import SIDE, Grey8
from cxrspark.quiet import silent_stderr

COLUMNS = ("p_frontal", *OUTPUTS)
"""What a bundle's networks say of an image, each 0 … 1."""

BATCH = 32
"""Images of one call: they stay in a core's cache; 256 at once take 1.6 times longer."""


class Scorer:
    """One single-threaded LiteRT interpreter.

    Args:
        flatbuffer: LiteRT model: uint8 (n, 64, 64) in, float32 (n, outputs) out.
    """

    def __init__(self, flatbuffer: bytes):
        with silent_stderr():
            self._interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
            self._input = self._interpreter.get_input_details()[0]["index"]
            output = self._interpreter.get_output_details()[0]
            self._output, self._outputs = output["index"], int(output["shape"][-1])
            self._interpreter.resize_tensor_input(self._input, (BATCH, SIDE, SIDE))
            self._interpreter.allocate_tensors()

    def __call__(self, pixels: Grey8) -> npt.NDArray[np.float32]:
        """What the model says of each image.

        Args:
            pixels: uint8, shape (n, 64, 64).

        Returns:
            float32, shape (n, outputs), 0 … 1.

        Raises:
            ValueError: The model's weights are damaged.
        """
        scores = np.empty((len(pixels), self._outputs), np.float32)
        batch = np.zeros((BATCH, SIDE, SIDE), np.uint8)
        for start in range(0, len(pixels), BATCH):
            images = pixels[start : start + BATCH]
            batch[: len(images)] = images
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            output = self._interpreter.get_tensor(self._output)
            scores[start : start + BATCH] = output[: len(images)]
        if not np.isfinite(scores).all():
            raise ValueError("the model gives scores that are not numbers")
        return scores

    def p_frontal(self, pixels: Grey8) -> npt.NDArray[np.float32]:
        """The first output, of the view's model: the probability that each image is frontal."""
        return self(pixels)[:, 0]


@lru_cache(maxsize=4)
def scorer(flatbuffer: bytes) -> Scorer:
    """The Python worker's scorer of this model: built once, kept for the tasks that follow."""
    return Scorer(flatbuffer)


def said_of(pixels: pd.Series, networks: Networks) -> pd.DataFrame:
    """What the networks say of kept pixels.

    Of a chest that is turned or inverted, all but `p_turn_…` and `p_inverted` is what is said of
    its upright copy; see `cxrspark.model.answers.ask`.

    Args:
        pixels: 4,096 bytes or null each.
        networks: A bundle's.

    Returns:
        float32 columns `COLUMNS`, in the order of `pixels`; NaN where there are none.
    """
    given = pixels.notna().to_numpy()
    images = np.frombuffer(b"".join(pixels[given]), np.uint8).reshape(-1, SIDE, SIDE)
    scores = np.full((len(pixels), len(COLUMNS)), np.nan, np.float32)
    scores[given, :1] = scorer(networks.view)(images)
    if networks.answers is not None:
        assert networks.thresholds  # with answers there are some
        said, rows, copies = ask(scorer(networks.answers), images, networks.thresholds)
        scores[given, 1:] = said
        scores[np.flatnonzero(given)[rows], :1] = scorer(networks.view)(copies)
    return pd.DataFrame(scores, columns=list(COLUMNS), index=pixels.index)

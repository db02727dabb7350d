"""What a larger network would cost in the same runtime: LiteRT, one thread, random weights.

Run with `make bench-networks`. The images are decoded in the same way for all. Keras' ResNet50
stands in for torchxrayvision's view model, a ResNet-50 at 224x224 too: torch for Linux comes from
PyPI with GPU packages only. Writes docs/figures/networks.json.
"""

import os
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import BATCH
from cxrspark.pixels.image import SIDE

from benchmarks.common.archives import mimic_sized
from benchmarks.common.measuring import (
    FIGURES,
    cpu_milliseconds,
    decode_milliseconds,
    parser,
    write_figures,
)

SECONDS = 3.0
LARGE = 224
"""Side of the larger networks' input, as they were published."""

LARGE_BATCH = 8
"""So that a large dense layer's weights are not read from memory for every image."""


def alexnet() -> keras.Model:
    """Krizhevsky 2014 (arXiv:1404.5997), one tower: 61.1 million parameters."""
    stack = [keras.Input((LARGE, LARGE, 3)), layers.ZeroPadding2D(2)]
    stack += [layers.Conv2D(64, 11, 4, activation="relu"), layers.MaxPooling2D(3, 2)]
    stack += [layers.Conv2D(192, 5, padding="same", activation="relu"), layers.MaxPooling2D(3, 2)]
    for filters in (384, 256, 256):
        stack.append(layers.Conv2D(filters, 3, padding="same", activation="relu"))
    stack += [layers.MaxPooling2D(3, 2), layers.Flatten()]
    stack += [layers.Dense(4096, "relu"), layers.Dense(4096, "relu"), layers.Dense(1000, "softmax")]
    return keras.Sequential(stack)


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "AlexNet": alexnet,
    "VGG16": lambda: keras.applications.VGG16(weights=None),
    "ResNet50": lambda: keras.applications.ResNet50(weights=None),
    "ResNet101": lambda: keras.applications.ResNet101(weights=None),
    "DenseNet121": lambda: keras.applications.DenseNet121(weights=None),
}


def milliseconds(flatbuffer: bytes, images: np.ndarray) -> float:
    """CPU time an image, median over calls of one batch."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    place = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(place, images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(place, images)
    interpreter.invoke()
    first = cpu_milliseconds(interpreter.invoke, 1)
    rounds = max(3, round(1000 * SECONDS / first))
    return cpu_milliseconds(interpreter.invoke, rounds) / len(images)


def row(name: str, parameters: int, side: int, network: float, decode: float) -> dict:
    return {
        "network": name,
        "parameters": parameters,
        "input": f"{side}x{side}",
        "ms_per_image": round(network, 3),
        "images_per_core_hour": round(3.6e6 / (decode + network)),
        "share_of_time": round(network / (decode + network), 4),
    }


def main() -> None:
    options = parser(__doc__, images=1200, out=FIGURES).parse_args()
    archive, manifest = mimic_sized(options.images)
    decode = decode_milliseconds([archive / path for path in manifest.read_text().split()[:200]])
    print(f"decode {decode:.2f} ms an image")
    random = np.random.default_rng(0)
    bundle = load_bundle()
    grey = random.integers(0, 256, (BATCH, SIDE, SIDE), dtype=np.uint8)
    parameters = int(bundle.card["parameters"])
    ours = milliseconds(bundle.flatbuffer, grey)
    rows = [row("cxrspark", parameters, SIDE, ours, decode)]
    print(rows[-1])
    for name, build in NETWORKS.items():
        model = build()
        with redirect_stdout(StringIO()):  # the converter prints the model's variables
            flatbuffer = tf.lite.TFLiteConverter.from_keras_model(model).convert()
        images = random.random((LARGE_BATCH, LARGE, LARGE, 3), dtype=np.float32)
        took = milliseconds(flatbuffer, images)
        rows.append(row(name, model.count_params(), LARGE, took, decode))
        print(rows[-1], flush=True)
        keras.backend.clear_session()
    names = ("ai-edge-litert", "keras", "tensorflow", "pillow")
    result = {
        "decode_ms": round(decode, 3),
        "batch": {"cxrspark": BATCH, "others": LARGE_BATCH},
        "networks": rows,
        "versions": {name: version(name) for name in names},
    }
    write_figures(options.out / "networks.json", result)


if __name__ == "__main__":
    main()

"""Milliseconds of CPU an image in LiteRT, one thread.

python -m benchmarks.speed.graph_speed BUNDLE
"""

import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cxrspark.model.bundle import load_bundle


def main(folder: str) -> None:
    """Print the best of twenty calls, for batches of 32 and of 256 images."""
    flatbuffer = load_bundle(folder).flatbuffer
    images = np.random.default_rng(1).integers(0, 256, (256, 64, 64)).astype(np.uint8)
    for batch in (32, 256):
        interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
        place = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(place, (batch, 64, 64))
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, images[:batch])
        times = []
        for _ in range(20):
            start = time.process_time()
            interpreter.invoke()
            times.append(time.process_time() - start)
        print(f"batch {batch}: {1000 * min(times) / batch:.3f} ms an image")


if __name__ == "__main__":
    main(sys.argv[1])

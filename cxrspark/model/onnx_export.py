"""A bundle's networks in ONNX, for what does not run LiteRT; in training's environment."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import tf2onnx

from cxrspark.errors import UserError
from cxrspark.model.bundle import ANSWERS, CARD, MODEL, load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.pixels.image import SIDE
from cxrspark.quiet import silent_stderr

OPSET = 15
"""Of ONNX; every runtime of the last years has it."""

CLOSE = 1e-5
"""Probabilities differ by less from LiteRT's, else nothing is written."""


def write_onnx(model: str | None, out: Path) -> list[Path]:
    """Convert the networks and check each on random pixels.

    Args:
        model: Bundle, see `cxrspark.model.bundle.load_bundle`.
        out: Folder for `model.onnx`, `answers.onnx` where the bundle has answers, and the card,
            which has the thresholds. Both take `pixels`, uint8 (n, 64, 64), and give `said`,
            float32 (n, outputs), as the LiteRT models do.

    Returns:
        The networks' files.

    Raises:
        UserError: No such bundle, a network that comes out different, or no folder to write to.
    """
    bundle = load_bundle(model)
    made = {}
    for name, flatbuffer in ((MODEL, bundle.flatbuffer), (ANSWERS, bundle.answers)):
        if flatbuffer is not None:
            converted = _converted(flatbuffer)
            _check(converted, flatbuffer, name)
            made[(out / name).with_suffix(".onnx")] = converted
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, content in made.items():
            file.write_bytes(content)
        (out / CARD).write_text(json.dumps(bundle.card, indent=2) + "\n")
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written: {error.strerror}") from error
    return list(made)


def _converted(flatbuffer: bytes) -> bytes:
    with TemporaryDirectory() as folder, silent_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow, about the interpreter that reads weights
        file = Path(folder) / MODEL
        file.write_bytes(flatbuffer)
        made, _ = tf2onnx.convert.from_tflite(str(file), opset=OPSET)
    _rename(made.graph, {made.graph.input[0].name: "pixels", made.graph.output[0].name: "said"})
    content: bytes = made.SerializeToString()
    return content


def _rename(graph: Any, names: dict[str, str]) -> None:
    for tensor in (*graph.input, *graph.output):
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(name, name) for name in ends]


def _check(converted: bytes, flatbuffer: bytes, name: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (100, SIDE, SIDE), dtype=np.uint8)
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    (said,) = session.run(["said"], {"pixels": pixels})
    off = float(np.abs(said - Scorer(flatbuffer)(pixels)).max())
    if not off < CLOSE:
        raise UserError(f"{name}: in ONNX its probabilities differ by {off:.1e}; not written")

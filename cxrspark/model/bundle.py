"""The model bundle: a folder with the inference model and what must be known about it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cxrspark.archive.access import DEFAULT_ACCESS, Access
from cxrspark.archive.storage import read_file
from cxrspark.errors import UserError
from cxrspark.pixels.image import RECIPE

DEFAULT = str(Path(__file__).parent / "default")
"""The trained bundle that ships with the package."""

MODEL = "model.tflite"
CARD = "model.json"


@dataclass(frozen=True)
class Bundle:
    """A trained model, ready to be broadcast.

    Attributes:
        flatbuffer: LiteRT model: uint8 (n, 64, 64) in, float32 (n, 1) `p_frontal` out.
        card: Content of `model.json`.
    """

    flatbuffer: bytes
    card: dict[str, Any]

    @property
    def pixels_recipe(self) -> str:
        """Recipe of the pixels that the model was trained on."""
        return str(self.card["pixels_recipe"])

    @property
    def lateral_below(self) -> float:
        """A `p_frontal` under it is called lateral."""
        return float(self.card["thresholds"]["lateral_below"])

    @property
    def frontal_above(self) -> float:
        """A `p_frontal` over it is called frontal."""
        return float(self.card["thresholds"]["frontal_above"])

    @property
    def licence(self) -> str | None:
        """What may be done with the weights, in a line; None where the card does not say."""
        licence: str | None = self.card.get("licence")
        return licence

    @cached_property
    def model_id(self) -> str:
        """Twelve hex digits of a SHA-256 over all that decides a score and a view."""
        decides = [self.pixels_recipe, self.lateral_below, self.frontal_above]
        return hashlib.sha256(self.flatbuffer + json.dumps(decides).encode()).hexdigest()[:12]


def load_bundle(folder: str | None = None, access: Access = DEFAULT_ACCESS) -> Bundle:
    """Read and check a bundle.

    Args:
        folder: Folder or URL; the shipped bundle by default.
        access: How to reach a URL.

    Raises:
        UserError: Incomplete, damaged, or trained on another pixel recipe.
    """
    folder = (folder or DEFAULT).rstrip("/")
    try:
        card = json.loads(read_file(f"{folder}/{CARD}", access))
        bundle = Bundle(read_file(f"{folder}/{MODEL}", access), card)
        digest = card["flatbuffer_sha256"]
        recipe = bundle.pixels_recipe
        ordered = 0 <= bundle.lateral_below <= bundle.frontal_above <= 1
    except OSError as error:
        what = f"needs {CARD} and {MODEL}"
        raise UserError(f"model {folder}: {what}; name a folder that `train.py` wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"model {folder}: {CARD} is damaged; train or copy it again") from error
    if not ordered:
        raise UserError(f"model {folder}: {CARD} has thresholds out of order; train it again")
    if hashlib.sha256(bundle.flatbuffer).hexdigest() != digest:
        raise UserError(f"model {folder}: {MODEL} is damaged; train or copy it again")
    if recipe != RECIPE:
        wanted = f"this version makes {RECIPE}"
        raise UserError(f"model {folder}: trained on pixels {recipe}, {wanted}; train it again")
    return bundle


def write_bundle(folder: Path, flatbuffer: bytes, card: dict[str, Any]) -> Bundle:
    """Write the inference model and its card.

    Args:
        folder: Made where it does not exist; files of a training that lie there stay.
        flatbuffer: LiteRT model.
        card: At least `thresholds`; the recipe and the flatbuffer's digest are added.
    """
    digest = hashlib.sha256(flatbuffer).hexdigest()
    bundle = Bundle(flatbuffer, {"pixels_recipe": RECIPE, **card, "flatbuffer_sha256": digest})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(flatbuffer)
    (folder / CARD).write_text(json.dumps(bundle.card, indent=2) + "\n")
    return bundle

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
from cxrspark.model.answers import Thresholds
from cxrspark.model.registry import registered_bundle
from cxrspark.pixels.image import RECIPE

DEFAULT = str(Path(__file__).parent / "default")
"""The trained bundle that ships with the package."""

MODEL = "model.tflite"
ANSWERS = "answers.tflite"
CARD = "model.json"

UPRIGHT_COPIES = "view, chest, mirrored, ap of upright copies"
"""How this version scores with a second network: part of `model_id`, as other versions did not."""


@dataclass(frozen=True)
class Networks:
    """What executors get: LiteRT models, uint8 (n, 64, 64) in.

    Attributes:
        view: float32 (n, 1) out, `p_frontal`.
        answers: float32 (n, 8) out, `cxrspark.model.answers.OUTPUTS`; None in older bundles.
        thresholds: Of the answers.
    """

    view: bytes
    answers: bytes | None = None
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        """Refuse answers without thresholds."""
        if (self.answers is None) != (self.thresholds is None):
            raise ValueError("answers and their thresholds come together")


@dataclass(frozen=True)
class Bundle:
    """A trained model, ready to be broadcast.

    Attributes:
        flatbuffer: LiteRT model: uint8 (n, 64, 64) in, float32 (n, 1) `p_frontal` out.
        card: Content of `model.json`.
        answers: LiteRT model of the other answers; None where the bundle has none.
    """

    flatbuffer: bytes
    card: dict[str, Any]
    answers: bytes | None = None

    @property
    def networks(self) -> Networks:
        """What is broadcast."""
        return Networks(self.flatbuffer, self.answers, self.thresholds)

    @cached_property
    def thresholds(self) -> Thresholds | None:
        """When the other answers are given; None where the bundle gives none."""
        return (
            None if self.answers is None else Thresholds.of_card(self.card["answers"]["thresholds"])
        )

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
        decides: list[Any] = [self.pixels_recipe, self.lateral_below, self.frontal_above]
        content = self.flatbuffer
        if self.answers is not None and self.thresholds:
            content += self.answers
            decides += [self.thresholds.as_card(), UPRIGHT_COPIES]
        return hashlib.sha256(content + json.dumps(decides).encode()).hexdigest()[:12]


def load_bundle(folder: str | None = None, access: Access = DEFAULT_ACCESS) -> Bundle:
    """Read and check a bundle.

    Args:
        folder: Folder, URL or `models:/NAME/VERSION` of MLflow; the shipped bundle by default.
        access: How to reach a URL.

    Raises:
        UserError: Incomplete, damaged, or trained on another pixel recipe.
    """
    folder = bundle_folder(folder)
    try:
        card = json.loads(read_file(f"{folder}/{CARD}", access))
        answers = read_file(f"{folder}/{ANSWERS}", access) if "answers" in card else None
        bundle = Bundle(read_file(f"{folder}/{MODEL}", access), card, answers)
        digests = {MODEL: card["flatbuffer_sha256"]}
        if bundle.thresholds:
            digests[ANSWERS] = card["answers"]["flatbuffer_sha256"]
        recipe = bundle.pixels_recipe
        ordered = 0 <= bundle.lateral_below <= bundle.frontal_above <= 1
    except OSError as error:
        what = f"needs {CARD} and {MODEL}, and {ANSWERS} where {CARD} names answers"
        raise UserError(f"model {folder}: {what}; name a folder that `train.py` wrote") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"model {folder}: {CARD} is damaged; train or copy it again") from error
    if not ordered:
        raise UserError(f"model {folder}: {CARD} has thresholds out of order; train it again")
    for name, content in ((MODEL, bundle.flatbuffer), (ANSWERS, bundle.answers)):
        if content is not None and hashlib.sha256(content).hexdigest() != digests[name]:
            raise UserError(f"model {folder}: {name} is damaged; train or copy it again")
    if recipe != RECIPE:
        wanted = f"this version makes {RECIPE}"
        raise UserError(f"model {folder}: trained on pixels {recipe}, {wanted}; train it again")
    return bundle


def bundle_folder(folder: str | None) -> str:
    """Where a bundle lies: see `load_bundle`."""
    if folder and folder.startswith("models:/"):
        return registered_bundle(folder, CARD)
    return (folder or DEFAULT).rstrip("/")


def write_bundle(
    folder: Path, flatbuffer: bytes, card: dict[str, Any], answers: bytes | None = None
) -> Bundle:
    """Write the inference models and their card.

    Args:
        folder: Made where it does not exist; files of a training that lie there stay.
        flatbuffer: LiteRT model.
        card: At least `thresholds`, and `answers` with its thresholds where there is a model of
            them; the recipe and the digests are added.
        answers: LiteRT model of the other answers.
    """
    digest = hashlib.sha256(flatbuffer).hexdigest()
    card = {"pixels_recipe": RECIPE, **card, "flatbuffer_sha256": digest}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(flatbuffer)
    if answers is not None:
        of_answers = {"flatbuffer_sha256": hashlib.sha256(answers).hexdigest()}
        card["answers"] = {**card["answers"], **of_answers}
        (folder / ANSWERS).write_bytes(answers)
    bundle = Bundle(flatbuffer, card, answers)
    (folder / CARD).write_text(json.dumps(bundle.card, indent=2) + "\n")
    return bundle

"""Write docs/model.md and the tables of docs/training.md from what was measured.

python -m benchmarks.accuracy.model_card

Reads the shipped bundle's model.json and docs/figures/*.json. What figures a template has are of
measurements that are over.
"""

import json
from pathlib import Path
from typing import Any

from cxrspark.model.bundle import Bundle, load_bundle

from benchmarks.accuracy import card_tables as tables

DOCS = Path(__file__).parents[2] / "docs"

NUMBERS = ("no", "one", "two", "three", "four", "five")

Json = Any


def main() -> None:
    """Write both files."""
    for name, text in pages().items():
        (DOCS / name).write_text(text)
    print(f"wrote {' and '.join(pages())} in docs")


def pages() -> dict[str, str]:
    """The text of each file of docs/ that is made here, by its name."""
    values = _values()
    return {f"{name}.md": _filled(name, values) for name in ("model", "training")}


def _filled(name: str, values: dict[str, str]) -> str:
    text = (DOCS / "templates" / f"{name}.md").read_text()
    for key, value in values.items():
        text = text.replace(f"{{{key}}}", value)
    return text


def _values() -> dict[str, str]:
    bundle = load_bundle()
    sources, stress, claim = (_figures(name) for name in ("sources", "stress", "paper_claim"))
    lock, opened = _figures("locked"), _figures("paper_open")
    trained = bundle.card["trained_on"]["sources"]
    view_alone = Bundle(bundle.flatbuffer, bundle.card).model_id
    if {sources["model_id"], stress["model_id"]} - {view_alone, bundle.model_id}:
        raise SystemExit("sources.json or stress.json is of another network: measure this one")
    other = _figures("answers")["unseen patients"][tables.IU]["called other, as they are"]
    noncommercial = sum(
        trained.get(name, 0) for name, d in sources["data"].items() if "-NC-" in d["licence"]
    )
    return {
        "LICENCE": bundle.licence or "",
        "VIEW_ID": view_alone,
        "SAID_OTHER": f"{round(other['value'] * other['images'])}",
        "OTHER_SOURCES": f"{sum(number for name, number in trained.items() if name != tables.IU)}",
        "NONCOMMERCIAL": f"{noncommercial:,}",
        "TRAINED": f"{sum(trained.values()):,}",
        "LOCKED": lock["locked"],
        "LOCKED_IMAGES": f"{sum(lock['images'].values())}",
        "LOCKED_READINGS": tables.readings(_figures("locked_readings")),
        "CONFIDENCE": tables.confidence(stress["confidence"]),
        "COPIES_IMAGES": f"{sum(one['images'] for one in stress['confidence']):,}",
        "CALIBRATION_IMAGES": f"{bundle.card['figures']['called']['images']}",
        "OTHERS": f"{opened['seeds'][0]['shear']['others']['images']:,}",
        "KNOWN": f"{tables.known(opened['seeds'][0]):,}",
        "KNOWN_SEED": f"{opened['seeds'][0]['seed']}",
        "OPEN": tables.variants(opened["seeds"]),
        "OPEN_SECOND": tables.second(opened["seeds"]),
        "OPEN_EPOCHS": f"{opened['epochs']}",
        "OPEN_SEEDS": NUMBERS[len(opened["seeds"])],
        "MODEL_ID": bundle.model_id,
        "LATERAL_BELOW": f"{bundle.lateral_below:g}",
        "FRONTAL_ABOVE": f"{bundle.frontal_above:g}",
        "PARAMETERS": f"{bundle.card['parameters']:,}",
        "RECIPE": bundle.pixels_recipe,
        "CREATED": bundle.card["created"],
        "MINUTES": f"{bundle.card['training_minutes']:g}",
        "EPOCHS": f"{bundle.card['recipe']['epochs']}",
        "VERSIONS": ", ".join(f"{k} {v}" for k, v in bundle.card["versions"].items()),
        "UNCERTAIN": tables.share(bundle.card["figures"]["uncertain"]),
        "CALLED_RIGHT": tables.share(bundle.card["figures"]["right_of_called"]),
        "CALIBRATED_ON": f"{bundle.card['validated_on']['patients']:,}",
        "TRAINED_ON": tables.counts(bundle.card["trained_on"]["views"]),
        "DATA": tables.data(sources["data"], trained),
        "SOURCES": tables.sources(sources["sources"]),
        "UNSEEN": tables.sources(tables.left_out(_figures("unseen")["sources"])),
        "UNSEEN_EPOCHS": f"{_figures('unseen')['epochs']}",
        "COPIES": f"{len(stress['copies']) - 1}",  # one of them is the image as it is
        "STRESS": tables.stress(stress["copies"]),
        "PAPER": tables.paper(claim, _figures("paper_run")),
        "TRIED": tables.tried(_figures("tried")),
        "PARTS": tables.parts(_figures("ablation")["variants"]),
        "PARTS_EPOCHS": f"{_figures('ablation')['epochs']}",
        "BASELINE": tables.sources(tables.left_out(_figures("paper_elsewhere")["sources"])),
    }


def _figures(name: str) -> Json:
    return json.loads((DOCS / "figures" / f"{name}.json").read_text())


if __name__ == "__main__":
    main()

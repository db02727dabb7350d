"""Write docs/model.md and the tables of docs/training.md from what was measured.

python -m benchmarks.accuracy.model_card

Reads the shipped bundle's model.json and docs/figures/*.json; no figure is typed by hand.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cxrspark.model.bundle import DEFAULT, load_bundle

IU = "iu_openi_256"
DOCS = Path(__file__).parents[2] / "docs"

LEFT_OUT = ("hannover", "vqa_rad", "kermany_paed")
"""Sources that were not trained on, in the experiments of docs/training.md."""

Json = Any


def main() -> None:
    """Write both files."""
    bundle = load_bundle()
    model = {
        "MODEL_ID": bundle.model_id,
        "LATERAL_BELOW": f"{bundle.lateral_below:g}",
        "FRONTAL_ABOVE": f"{bundle.frontal_above:g}",
        "PARAMETERS": f"{bundle.card['parameters']:,}",
        "RECIPE": bundle.pixels_recipe,
        "CREATED": bundle.card["created"],
        "MINUTES": f"{bundle.card['training_minutes']:g}",
        "EPOCHS": f"{bundle.card['recipe']['epochs']}",
        "VERSIONS": ", ".join(f"{k} {v}" for k, v in bundle.card["versions"].items()),
        "UNCERTAIN": _share(bundle.card["figures"]["uncertain"]),
        "CALLED_RIGHT": _share(bundle.card["figures"]["right_of_called"]),
        "CALIBRATED_ON": f"{bundle.card['validated_on']['patients']:,}",
        "TRAINED_ON": _counts(bundle.card["trained_on"]["views"]),
        "DATA": _data(_figures("sources")["data"], bundle.card["trained_on"]["sources"]),
        "SOURCES": _sources(_figures("sources")["sources"]),
        "UNSEEN": _sources(_left_out(_figures("unseen")["sources"])),
        "UNSEEN_EPOCHS": f"{_figures('unseen')['epochs']}",
        "COPIES": f"{len(_figures('stress')) - 1}",  # one of them is the image as it is
        "STRESS": _stress(_figures("stress")),
        "PAPER": _paper(_figures("paper_claim"), _figures("paper_run")),
        "TRIED": _tried(_figures("tried")),
        "PARTS": _parts(_figures("ablation")["variants"]),
        "PARTS_EPOCHS": f"{_figures('ablation')['epochs']}",
        "BASELINE": _sources(_left_out(_figures("paper_elsewhere")["sources"])),
    }
    for name in ("model", "training"):
        text = (DOCS / "templates" / f"{name}.md").read_text()
        for key, value in model.items():
            text = text.replace(f"{{{key}}}", value)
        (DOCS / f"{name}.md").write_text(text)
    curves = Path(DEFAULT) / "curves.png"
    print(f"wrote docs/model.md and docs/training.md; curves are in {curves.name} of the bundle")


def _figures(name: str) -> Json:
    return json.loads((DOCS / "figures" / f"{name}.json").read_text())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(figure: Json) -> str:
    interval = f"{figure['low']:.2%} to {figure['high']:.2%}"
    return f"{figure['value']:.2%} ({interval}, {figure['images']:,} images)"


def _counts(views: Json) -> str:
    return " and ".join(f"{count:,} {view}" for view, count in views.items())


def _data(data: Json, trained: Json) -> str:
    rows = (
        (name, f"{d['frontal']:,}", f"{d['lateral']:,}", f"{trained.get(name, 0):,}", d["licence"])
        for name, d in data.items()
    )
    return _table(("source", "frontal", "lateral", "trained on", "licence as found"), rows)


def _sources(sources: Json) -> str:
    rows = (
        (
            name,
            f"{f['images']:,}",
            f"{f['patients']:,}",
            f"{f['accuracy']:.2%}",
            f"{f['low']:.2%} to {f['high']:.2%}",
        )
        for name, f in sources.items()
    )
    return _table(("source", "images", "patients", "accuracy", "95 % interval"), rows)


def _left_out(sources: Json) -> Json:
    """Those of which no image was trained on."""
    return {name: figures for name, figures in sources.items() if not name.startswith(IU)}


def _stress(stress: Json) -> str:
    ordered = sorted(stress.items(), key=lambda item: item[1]["accuracy"])
    rows = (
        (name, f"{f['accuracy']:.2%}", f"{f['frontal']:.2%}", f"{f['lateral']:.2%}")
        for name, f in ordered
    )
    return _table(("copies", "accuracy", "of frontal", "of lateral"), rows)


def _paper(claim: Json, run: Json) -> str:
    rows = [
        (
            f"seed {s['seed']}",
            f"{s['epochs']}",
            f"{s['first']['accuracy']:.2%}",
            f"{s['first']['images']:,}",
        )
        for s in claim["seeds"]
    ]
    rows.append(("**mean**", "", f"**{claim['mean']:.2%}**", ""))
    for figure in run["sources"].values():
        rows.append(("full run", "1,000", f"{figure['accuracy']:.2%}", f"{figure['images']:,}"))
    rows += [
        (
            f"second round on seed {s['seed']}: {s['added']:,} added, {s['added_wrong']} wrong",
            f"{s['second_epochs']}",
            f"{s['second']['accuracy']:.2%}",
            f"{s['second']['images']:,}",
        )
        for s in claim["seeds"]
        if "second" in s
    ]
    return _table(("", "epochs", "accuracy on all others", "images"), rows)


def _tried(tried: Json) -> str:
    rows = (
        (
            f"{t['preparation']}; smallest {t['smallest_percent']} %",
            t["trained_on"],
            f"{t['images_drawn']:,}",
            *(_unless_trained_on(t, name) for name in LEFT_OUT),
            f"{t['changed_mean']:.2f}",
            f"{t['changed_worst_view']:.1f}",
        )
        for t in tried
    )
    head = ("preparation", "trained on", "images drawn", *LEFT_OUT)
    return _table((*head, "changed, mean", "changed, worst"), rows)


def _parts(variants: Json) -> str:
    rows = (
        (
            name,
            *(f"{100 * v['sources'][source]:.2f}" for source in LEFT_OUT),
            f"{100 * v['changed_mean']:.2f}",
            f"{100 * v['changed_worst_view']:.1f}",
        )
        for name, v in variants.items()
    )
    return _table(("trained with", *LEFT_OUT, "changed, mean", "changed, worst"), rows)


def _unless_trained_on(tried: Json, source: str) -> str:
    return "trained on" if tried["trained_on"] == "all" else f"{tried['sources'][source]:.2f}"


if __name__ == "__main__":
    main()

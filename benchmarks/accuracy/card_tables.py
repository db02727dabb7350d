"""The tables of docs/model.md and docs/training.md, from the figures that were measured."""

from collections.abc import Iterable
from typing import Any

IU = "iu_openi_256"
LEFT_OUT = ("hannover", "vqa_rad", "kermany_paed")
"""Sources that were not trained on, in the experiments of docs/training.md."""

LOCKED = ("shenzhen", "jsrt")
OPEN = {
    "shear": "shear, as decided",
    "crop": "random crops to 57 of 64 pixels in place of shear",
    "second round, continued": "second round, going on from the weights",
    "second round, from scratch": "second round, from new weights",
}
"""Variants of `paper_open.py`, as the page calls them."""

Json = Any


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def share(figure: Json) -> str:
    interval = f"{figure['low']:.2%} to {figure['high']:.2%}"
    return f"{figure['value']:.2%} ({interval}, {figure['images']:,} images)"


def counts(views: Json) -> str:
    return " and ".join(f"{count:,} {view}" for view, count in views.items())


def data(data: Json, trained: Json) -> str:
    rows = (
        (name, f"{d['frontal']:,}", f"{d['lateral']:,}", f"{trained.get(name, 0):,}", d["licence"])
        for name, d in data.items()
    )
    return _table(("source", "frontal", "lateral", "trained on", "licence as found"), rows)


def sources(sources: Json) -> str:
    rows = (
        (
            name,
            f"{f['images']:,}",
            f"{f['patients']:,}",
            f"{f['accuracy']:.2%}",
            f"{f['low']:.2%} to {f['high']:.2%}",
            *((f"{f['uncertain']:.2%}",) if "uncertain" in f else ()),
        )
        for name, f in sources.items()
    )
    head = ["source", "images", "patients", "accuracy", "95 % interval"]
    if all("uncertain" in f for f in sources.values()):
        head.append("uncertain")
    return _table(head, rows)


FALSE = ("called_other", "turned", "inverted", "mirrored")
"""What a reading counts of the second network: of upright chests each is wrong."""


def readings(readings: Json) -> str:
    """The locked test, a line for each reading and source."""
    rows = (
        (
            f"`{r['model_id']}`, {r['date']}, {r['reason']}",
            source,
            f"{r[source]['images']:,}",
            f"{r[source]['accuracy']:.2%}",
            f"{r[source]['low']:.2%} to {r[source]['high']:.2%}",
            f"{r[source]['called_wrong']}",
            f"{r[source]['uncertain']}",
            *(f"{r[source].get(name, '–')}" for name in FALSE),
        )
        for r in readings
        for source in LOCKED
        if source in r
    )
    head = ("reading", "source", "images", "accuracy", "95 % interval", "called wrong", "uncertain")
    return _table((*head, *(name.replace("_", " ") for name in FALSE)), rows)


def confidence(bins: Json) -> str:
    rows = (
        (
            f"{b['from']:g} to {b['to']:g}",
            f"{b['images']:,}",
            f"{b['images'] - b['right']:,}",
            f"{b['right'] / b['images']:.2%}" if b["images"] else "",
            f"{b['mean']:.2%}" if b["images"] else "",
        )
        for b in bins
    )
    return _table(("sure", "images", "wrong", "right", "sure in the mean"), rows)


def known(seed: Json) -> int:
    """Images of patients of the draw, among those that were not drawn."""
    of = seed["shear"]
    return int(of["others"]["images"] - of["strangers"]["images"])


def variants(seeds: Json) -> str:
    def shown(variant: str, of: str) -> str:
        found = [seed[variant][of]["accuracy"] for seed in seeds]
        return f"{sum(found) / len(found):.2%} ({min(found):.2%} to {max(found):.2%})"

    rows = ((name, shown(key, "others"), shown(key, "strangers")) for key, name in OPEN.items())
    return _table(("", "all others", "strangers"), rows)


def second(seeds: Json) -> str:
    """What was trained on in the second round."""
    drawn = 451 + 409
    lines = [
        f"* Seed {s['seed']}: sure of {s['sure']:,} images, of which {s['added']:,} are of no "
        f"validation patient; so {drawn + s['added']:,} images were trained on, {s['added_wrong']} "
        f"with a wrong answer for a label, over {s['second_epochs']} epochs: as many steps."
        for s in seeds
    ]
    return "\n".join(lines) + "\n"


def left_out(sources: Json) -> Json:
    """Those of which no image was trained on."""
    return {name: figures for name, figures in sources.items() if not name.startswith(IU)}


def stress(stress: Json) -> str:
    ordered = sorted(stress.items(), key=lambda item: item[1]["accuracy"])
    rows = (
        (name, f"{f['accuracy']:.2%}", f"{f['frontal']:.2%}", f"{f['lateral']:.2%}")
        for name, f in ordered
    )
    return _table(("copies", "accuracy", "of frontal", "of lateral"), rows)


def paper(claim: Json, run: Json) -> str:
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
    return _table(("", "epochs", "accuracy on all others", "images"), rows)


def tried(tried: Json) -> str:
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


def parts(variants: Json) -> str:
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

"""Write docs/answers.md from what was measured: python -m benchmarks.accuracy.answers_card.

Reads the shipped bundle's model.json, and answers.json and answers_left_out.json of docs/figures.
"""

import json
from typing import Any

import pandas as pd

from cxrspark.model.bundle import load_bundle

from benchmarks.accuracy.card_tables import _table
from benchmarks.accuracy.left_out_table import STAY
from benchmarks.accuracy.model_card import DOCS, NUMBERS

CREDITS = {
    "brain_mr": "brain tumour MRI dataset (Nickparvar, Kaggle)",
    "busi": "dataset of breast ultrasound images (Al-Dhabyani et al. 2020)",
    "calibration_synthetic": "flat, step and grid films, made",
    "dicom": "sample files of GDCM, NEMA and torchxrayvision",
    "hannover": "COVID-19 image repository of Hannover Medical School (Winther et al. 2020)",
    "iqoth_chest_ct": "IQ-OTH/NCCD lung CT (Alyasriy)",
    "iu_openi_256": "Indiana University, Open-i (Demner-Fushman et al. 2016)",
    "kermany_paed": "children of Guangzhou (Kermany et al. 2018)",
    "mednist": "MedNIST: hands, CT, MR",
    "mias": "Mammographic Image Analysis Society, v1.21 (Suckling et al.)",
    "nih14": "ChestX-ray14, NIH Clinical Center (Wang et al. 2017)",
    "nih14_64px": "the same, 64×64",
    "ocr_documents": "scanned pages of img2table",
    "skimage_nonradiograph": "photographs and textures of scikit-image",
    "vqa_rad": "VQA-RAD: chests, CT, MR (Lau et al. 2018)",
}
"""What each source is, and whom to credit."""

ENOUGH = 20
"""Images of a kind that its share says something of."""


def per_cent(value: float) -> str:
    """Two decimals."""
    return f"{100 * value:.2f}"


def unseen(found: dict[str, Any]) -> str:
    """A row a figure of the bundle's card, with its interval."""
    rows = [
        [
            name.replace("_", " "),
            per_cent(one["value"]),
            f"{per_cent(one['low'])} to {per_cent(one['high'])}",
            f"{one['images']:,}",
        ]
        for name, one in found.items()
        if one
    ]
    return _table(["in per cent", "", "95 % interval", "looked at"], rows)


def methods(found: dict[str, dict[str, float]], images: dict[str, int]) -> str:
    """A row a kind, a column a method; the mean is of kinds of `ENOUGH` images."""
    frame = pd.DataFrame(found)
    names = list(frame.columns)
    rows = [
        [str(kind), str(images[kind]), *(f"{100 * frame.loc[kind, name]:.0f}" for name in names)]
        for kind in sorted(frame.index, key=lambda kind: (str(kind).startswith("synthetic"), kind))
    ]
    enough = [kind for kind, number in images.items() if number >= ENOUGH]
    without = frame.loc[[kind for kind in enough if not kind.endswith(STAY)]]
    means = (f"**{100 * without[name].mean():.0f}**" for name in names)
    rows.append([f"**mean, of {ENOUGH} images or more**", "", *means])
    return _table(["kind left out", "images", *names], rows)


def thresholds(found: dict[str, list[float]]) -> str:
    """A row a threshold of `p_chest`."""
    rows = ([least, *(f"{100 * value:.1f}" for value in both)] for least, both in found.items())
    return _table(["other below", "others found, in per cent", "chests lost"], rows)


def whole(found: dict[str, Any]) -> str:
    """A row a kind or source, trained on for the most part: how many are called other."""
    rows = (
        [name, f"{one['images']:,}", f"{round(one['value'] * one['images']):,}"]
        for name, one in sorted(found.items(), key=lambda item: -item[1]["value"])
    )
    return _table(["kind or source", "images", "called other"], rows)


def data(found: dict[str, Any], card: dict[str, Any]) -> str:
    """A row a source that the second network was trained or calibrated on."""
    used = [card[part]["sources"] for part in ("trained_on", "validated_on")]
    rows = (
        [CREDITS[name], f"`{name}`", *(f"{of.get(name, 0):,}" for of in used), found[name]]
        for name in sorted(set(used[0]) | set(used[1]))
    )
    return _table(["source", "name here", "trained on", "held back", "licence as found"], rows)


def lost(found: dict[str, dict[str, float]]) -> str:
    """A row a method, a column a source that was left out."""
    sources = list(next(iter(found.values())))
    rows = [
        [name, *(f"{100 * of[source]:.1f}" for source in sources)] for name, of in found.items()
    ]
    return _table(["in per cent", *sources], rows)


def laid(found: dict[str, dict[str, float | None]]) -> str:
    """A row a question, a column a source that was left out."""
    names = [name for name in next(iter(found.values())) if name != "others_found"]

    def cell(value: float | None) -> str:
        return "–" if value is None else per_cent(value)

    rows = [
        [name.replace("_", " "), *(cell(of.get(name)) for of in found.values())] for name in names
    ]
    return _table(["in per cent", *found], rows)


def tested(found: dict[str, Any]) -> str:
    """A row a question, a column a source, of test patients."""
    sources = found["unseen patients"]
    questions = next(iter(sources.values()))
    rows = [
        ["images", *(str(of["false turns"]["images"]) for of in sources.values())],
        *(
            [question, *(per_cent(of[question]["value"]) for of in sources.values())]
            for question in questions
        ),
        ["AUC of `p_ap`", *(per_cent(found["AUC for AP"][source]) for source in sources)],
    ]
    return _table(["in per cent", *sources], rows)


def projections(found: dict[str, dict[str, list[float]]]) -> str:
    """A row a probability, a column a source that was left out: share answered, right of it."""
    sources = {source: of for source, of in found.items() if of}
    rows = [
        [
            sure,
            *(f"{100 * of[sure][0]:.0f}, {100 * of[sure][1]:.0f}" for of in sources.values()),
        ]
        for sure in next(iter(sources.values()))
    ]
    return _table(["surer than", *(f"{source}: answered, right" for source in sources)], rows)


def away(found: dict[str, dict[str, float | None]]) -> str:
    """AUC for AP by source that was left out, where it has both projections."""
    known = ((source, of.get("projection_auc")) for source, of in found.items())
    return ", ".join(f"{value:.2f} ({source})" for source, value in known if value)


def main() -> None:
    """Write the page."""
    (DOCS / "answers.md").write_text(page())
    print("wrote docs/answers.md")


def page() -> str:
    """The text of docs/answers.md."""
    bundle = load_bundle()
    given, card = bundle.thresholds, bundle.card["answers"]
    assert given
    left_out = json.loads((DOCS / "figures" / "answers_left_out.json").read_text())
    own = left_out["own_headers"]
    used, held = card["trained_on"], card["validated_on"]["classes"]
    test = json.loads((DOCS / "figures" / "answers.json").read_text())
    if test["model_id"] != bundle.model_id:
        raise SystemExit("docs/figures/answers.json is of another bundle: measure this one first")
    never = given.ap == (0.0, 1.0)
    values = {
        "MODEL_ID": bundle.model_id,
        "CHEST_BELOW": f"{given.chest_below:g}",
        "TURN_SURE": f"{given.turn_sure:g}",
        "INVERTED": f"{given.inverted[0]:.2f} to {given.inverted[1]:.2f}",
        "MIRRORED": f"{given.mirrored[0]:.2f} to {given.mirrored[1]:.2f}",
        "AP": "`projection` always, by the shipped bundle; `p_ap` where the view is not frontal"
        if never
        else f"from {given.ap[0]:g} to {given.ap[1]:g}, and where the view is not frontal",
        "UNSEEN": unseen(card["figures"]),
        "TESTED": tested(test),
        "COST": f"{test['milliseconds']['answers']:.2f}",
        "HELD_BACK": f"{100 * card['recipe']['validation_share']:g}",
        "FOLDS": NUMBERS[len(left_out["folds"])].capitalize(),
        "SHIPPED_EPOCHS": f"{card['recipe']['epochs']}",
        "EPOCHS": f"{left_out['epochs']}",
        "METHODS": methods(left_out["found"], left_out["images"]),
        "THRESHOLDS": thresholds(left_out["by_threshold"]),
        "WHOLE": whole(test["called other"]),
        "DATA": data(test["licences"], card),
        "WEIGHTS": f"{test['weights']:,}",
        "CHESTS": f"{held['frontal'] + held['lateral']}",
        "HELD_OTHERS": f"{held['other']}",
        "LOST": lost(left_out["lost_by_known"]),
        "LAID": laid(left_out["laid"]),
        "TRAINED": "It was trained on "
        + ", ".join(f"{count:,} {name}" for name, count in used["classes"].items())
        + f", by `{json.dumps(card['recipe'])}`, on {card['created']}.",
        "PROJECTIONS": projections(left_out["projection"]),
        "AP_HOME": f"{card['figures']['projection_auc']['value']:.3f}",
        "AP_AWAY": away(left_out["laid"]),
        "AP_OWN": "{auc:.3f} ({low:.3f} to {high:.3f}, {images} images)".format(**own),
    }
    text = (DOCS / "templates" / "answers.md").read_text()
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


if __name__ == "__main__":
    main()

"""A bundle on every source of ../shared/data.

    python -m benchmarks.accuracy.sources DATA BUNDLE OUT.json

With `--paper SEED` counts only images of iu_openi_256 that the paper's draw of that seed left out.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cxrspark.model.bundle import load_bundle
from cxrspark.model.inference import Scorer
from cxrspark.training.samples import draw

from benchmarks.accuracy.shared import IU, labels, pixels, share


def main(data: Path, folder: str, out: Path, paper: list[str]) -> None:
    """Measure, print and write."""
    bundle = load_bundle(folder)
    rows = labels(data)
    frontal = (rows["label"] == "frontal").to_numpy()
    p = Scorer(bundle.flatbuffer).p_frontal(pixels(data, rows))
    called = (p < bundle.lateral_below) | (p > bundle.frontal_above)
    if paper:
        of_iu = rows[rows["source"] == IU]
        drawn = draw(of_iu, 564, 512, int(paper[1]))["image_id"]
        parts = {IU: (rows["source"] == IU) & ~rows["image_id"].isin(drawn)}
    else:
        of_iu = rows["source"] == IU
        parts = {f"{IU}, unseen patients": of_iu & (rows["part"] == "test")}
        parts |= {
            name: rows["source"] == name for name in sorted(set(rows["source"])) if name != IU
        }
    figures = {}
    for name, chosen in parts.items():
        of_part = np.asarray(chosen)
        figures[name] = share((p > 0.5)[of_part] == frontal[of_part], rows[of_part]) | {
            "frontal_images": int(frontal[of_part].sum()),
            "uncertain": float(1 - called[of_part].mean()),
        }
        print(f"{name:<30} {figures[name]['accuracy']:8.2%} of {figures[name]['images']}")
    data_used = {name: _described(of_source) for name, of_source in rows.groupby("source")}
    measured = {"model_id": bundle.model_id, "sources": figures, "data": data_used}
    out.write_text(json.dumps(measured, indent=1) + "\n")


def _described(rows: pd.DataFrame) -> dict[str, object]:
    return {
        "frontal": int((rows["label"] == "frontal").sum()),
        "lateral": int((rows["label"] == "lateral").sum()),
        "licence": "; ".join(sorted(set(rows["license"]))),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])

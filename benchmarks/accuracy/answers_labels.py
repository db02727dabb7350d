"""Labels of ../shared/data for the second network.

    python -m benchmarks.accuracy.answers_labels DATA OUT

Writes answers.csv and answers_test.csv: path, source, patient_id, view, projection, kind. 15 % of
the patients of the two large sources are for the test, by a hash of their id; the locked sources
are in neither.
"""

import hashlib
import sys
from pathlib import Path

import pandas as pd

LOCKED = ("shenzhen", "jsrt")
LARGE = ("iu_openi_256", "nih14", "nih14_64px")
TESTED = 15
"""Percent of the patients of large sources."""

COLUMNS = ["path", "source", "patient_id", "view", "projection", "kind"]

MEDNIST = {"Hand": "hand", "AbdomenCT": "ct", "HeadCT": "ct", "ChestCT": "ct", "BreastMRI": "mr"}
GROUPS = {
    "calibration_synthetic": "blank", "skimage_nonradiograph": "photo", "dicom": "tibia",
    "vqa_rad": "ct or mr",
}  # fmt: skip


def answers_labels(data: Path) -> pd.DataFrame:
    """All labels but those of locked sources: `COLUMNS`, `weak` and `test`."""
    files = [pd.read_csv(data / name, dtype=str) for name in ("labels.csv", "labels_more.csv")]
    rows = pd.concat(files, ignore_index=True)
    rows = rows[~rows["source"].isin(LOCKED)].reset_index(drop=True)
    weak = pd.read_csv(data / "iu_projection.csv", dtype=str).set_index("path")
    rows["weak"] = rows["path"].map(weak["header_view_position"]).notna()
    rows["projection"] = rows["projection"].fillna(rows["path"].map(weak["header_view_position"]))
    bedside = rows["source"].eq("hannover") & rows["view"].eq("frontal")
    rows.loc[bedside, "projection"] = rows["raw_view"].str.upper()
    rows.loc[rows["source"].eq("kermany_paed"), "projection"] = "AP"
    rows["projection"] = rows["projection"].where(rows["projection"].isin(["AP", "PA"]))
    kind = rows["source"].map(GROUPS).fillna(rows["kind"])
    kind = kind.where(rows["source"] != "mednist", rows["raw_view"].map(MEDNIST))
    rows["kind"] = kind.where(rows["view"] == "other")
    patient = (
        rows["source"].str.removesuffix("_64px") + "/" + rows["patient_id"].fillna(rows["path"])
    )
    percent = patient.map(lambda name: int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100)
    rows["test"] = rows["source"].isin(LARGE) & (percent < TESTED)
    return rows


def main(data: Path, out: Path) -> None:
    """Write both files."""
    out.mkdir(parents=True, exist_ok=True)
    rows = answers_labels(data)
    for name, chosen in (("answers", ~rows["test"]), ("answers_test", rows["test"])):
        rows.loc[chosen, COLUMNS].to_csv(out / f"{name}.csv", index=False)
        print(f"{name}: {rows[chosen].groupby(['view']).size().to_dict()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

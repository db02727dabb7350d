"""Pairs that the search for copies names: `python -m benchmarks.accuracy.same_pictures`.

By its makers' word no picture of ../shared/data is there twice, so every pair of different patients
is to be looked at: `build/same_pictures.png` shows up to 40, the least alike first.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from pyspark.sql import SparkSession

from cxrspark.audit.duplicates import duplicates
from cxrspark.jobs.session import session_settings
from cxrspark.pixels.image import Grey8, PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

from benchmarks.common.archives import BUILD

SHOWN, SHEET = 40, BUILD.parent / "same_pictures.png"
SCHEMA = "image_id string, subject_id string, path string, pixels binary"
PATHS = ("path", "other_path")


def pixels(file: Path) -> Grey8 | None:
    try:
        return shrink(file.read_bytes()).values
    except PixelsError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    SHEET.parent.mkdir(exist_ok=True)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    tables = [pd.read_csv(data / name, dtype=str) for name in ("labels.csv", "labels_more.csv")]
    rows = pd.concat(tables, ignore_index=True).drop_duplicates("path").reset_index(drop=True)
    patient = rows["source"] + "/" + rows["patient_id"].fillna(rows["path"])
    kept = [pixels(data / path) for path in rows["path"]]
    table = pd.DataFrame({"image_id": rows["path"], "subject_id": patient, "path": rows["path"]})
    table["pixels"] = [None if image is None else image.tobytes() for image in kept]
    settings = session_settings("parquet")
    spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    found = duplicates(spark.createDataFrame(table, SCHEMA)).toPandas()
    spark.stop()
    apart = found[~found["same_subject"].astype(bool)].sort_values("alike")
    print(f"{len(rows):,} radiographs and other images of {patient.nunique():,} patients")
    print(f"pairs of one patient: {len(found) - len(apart)}; of different patients: {len(apart)}")
    sources = (apart[name].map(rows.set_index("path")["source"]) for name in PATHS)
    print(pd.Series(zip(*sources, strict=True)).value_counts().to_string())
    by_path = dict(zip(rows["path"], kept, strict=True))
    shown = apart.head(SHOWN)
    pairs = [np.hstack([by_path[row[name]] for name in PATHS]) for _, row in shown.iterrows()]
    if pairs:
        sheet = Image.fromarray(np.vstack(pairs))
        sheet.resize((4 * sheet.width, 4 * sheet.height)).save(SHEET)


if __name__ == "__main__":
    main()

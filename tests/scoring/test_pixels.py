import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyspark
import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.manifest import read_manifest
from cxrspark.pixels.shrink_to_64 import shrink
from cxrspark.scoring.pixels import read_pixels

from helpers.runs import copy_of

ROOT = Path(__file__).parents[2]
SUBMIT = Path(pyspark.__file__).parent / "bin" / "spark-submit"

CRASHING = """
import ctypes
from PIL import Image

really = Image.open

def crashing(file, *given, **named):
    if file.getvalue() == b"crash":
        ctypes.string_at(0)
    return really(file, *given, **named)

Image.open = crashing
"""


@pytest.mark.end_to_end
def test_a_file_that_ends_its_process_is_a_row_and_its_neighbours_are_scored(
    phantoms: Path, tmp_path: Path
) -> None:
    """The decoder is made to crash on one file, wherever it runs."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "sitecustomize.py").write_text(CRASHING)
    archive = copy_of(phantoms, tmp_path / "archive")
    (archive / "2.jpg").write_bytes(b"crash")
    environment = {**os.environ, "PYTHONPATH": f"{code}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(
        [SUBMIT, "--conf", "spark.master=local[1,4]", "jobs/score_archive.py",
         "--archive", archive, "--scores", tmp_path / "scores"],
        cwd=ROOT, env={**environment, "PYSPARK_PYTHON": sys.executable}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = pd.read_parquet(tmp_path / "scores").set_index("image_id")
    assert rows["error"].to_dict() == {
        "0.jpg": None,
        "1.jpg": None,
        "2.jpg": "crashed: its decoder was ended by SIGSEGV",
    }


@pytest.mark.end_to_end
def test_batches_of_a_task_keep_ids_and_pixels_together(
    spark: SparkSession, phantoms: Path
) -> None:
    pixels = read_pixels(read_manifest(spark, str(phantoms)).coalesce(1), str(phantoms))
    for row in pixels.where("error is null").collect():
        assert row.pixels == shrink((phantoms / row.path).read_bytes()).values.tobytes()

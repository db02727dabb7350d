from pathlib import Path
from types import SimpleNamespace

import pytest
from pyspark.sql import SparkSession

from cxrspark.archive.access import Access
from cxrspark.archive.manifest import read_manifest
from cxrspark.pixels.shrink import shrink
from cxrspark.scoring import pixels as images
from cxrspark.scoring.pixels import PATIENCE, executor_store, read_pixels


@pytest.mark.parametrize(("attempt", "patience"), [(0, PATIENCE), (1, None), (3, None)])
def test_a_task_that_failed_is_less_patient(
    attempt: int, patience: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr(images, "open_store", lambda *given: opened.append(given))
    context = SimpleNamespace(attemptNumber=lambda: attempt)
    monkeypatch.setattr(images.TaskContext, "get", lambda: context)
    for _ in range(2):  # the second task of a worker finds the store open
        executor_store(str(tmp_path), Access(region="x"))
    assert opened == [(str(tmp_path), Access(region="x"), patience)]


@pytest.mark.end_to_end
def test_batches_of_a_task_keep_ids_and_pixels_together(
    spark: SparkSession, phantoms: Path
) -> None:
    pixels = read_pixels(read_manifest(spark, str(phantoms)).coalesce(1), str(phantoms))
    for row in pixels.where("error is null").collect():
        assert row.pixels == shrink((phantoms / row.path).read_bytes()).values.tobytes()

"""The job on a bucket: the same rows as from a folder, and one line where it cannot be read."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.jobs.cli import run_job
from cxrspark.scoring.probe import TRIED
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings

from helpers.emulators import BUCKET
from helpers.proxy import BUSY, Answer, Fault, Proxy, Request, at_random

COMPARED = ["image_id", "study_id", "path", "view", "p_frontal", "rows", "columns", "error"]


def settings(root: str, proxy: Proxy, table: Path, **more: Any) -> ScoreSettings:
    anonymous = root.startswith("gs://")
    return ScoreSettings(
        archive=root, scores=str(table), endpoint=proxy.url, anonymous=anonymous, **more
    )


def rows(table: Path) -> pd.DataFrame:
    return pd.read_parquet(table)[COMPARED].sort_values("image_id", ignore_index=True)


@pytest.mark.parametrize("cloud", ["s3", "gcs"])
def test_failing_requests_lose_no_image_and_make_no_error(
    spark: SparkSession,
    phantoms: Path,
    tmp_path: Path,
    cloud: str,
    request: pytest.FixtureRequest,
) -> None:
    proxy: Proxy = request.getfixturevalue(cloud)
    proxy.faults = at_random(5, {BUSY: 0.05, "reset": 0.01, "truncate": 0.01})
    root = {"s3": f"s3://{BUCKET}", "gcs": f"gs://{BUCKET}"}[cloud]
    model = f"{root}/model"
    score_archive(spark, ScoreSettings(archive=str(phantoms), scores=str(tmp_path / "local")))
    asked = settings(root, proxy, tmp_path / "bucket", model=model, billing_project="ours")
    summary = score_archive(spark, asked)
    assert summary.images == summary.scored
    pd.testing.assert_frame_equal(rows(tmp_path / "bucket"), rows(tmp_path / "local"))
    assert len(proxy.requests) > summary.images
    assert not any("list" in seen.target or seen.target.endswith(BUCKET) for seen in proxy.requests)
    if cloud == "gcs":
        assert all(seen.headers["x-goog-user-project"] == "ours" for seen in proxy.requests)


def score(spark: SparkSession, asked: ScoreSettings) -> int:
    """The job as its command line runs it, in this session."""
    options = asked.model_dump(exclude_defaults=True)
    argv = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return run_job(ScoreSettings, lambda read: _score(spark, read), argv)


def _score(spark: SparkSession, read: ScoreSettings) -> None:
    score_archive(spark, read)


def test_a_denied_bucket_ends_the_run_before_any_task(
    spark: SparkSession, s3: Proxy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.faults = lambda seen: None if "IMAGE" in seen.target else Answer(403, "AccessDenied")
    asked = settings(f"s3://{BUCKET}", s3, tmp_path / "scores")
    assert score(spark, asked) == 2
    said = capsys.readouterr().err
    assert f"error: s3://{BUCKET}: access denied; ask for the right" in said
    assert len(s3.requests) <= 2 + TRIED  # the manifest: HEAD, GET


def test_a_bucket_that_is_denied_on_the_way_ends_the_run_and_keeps_its_commits(
    spark: SparkSession, s3: Proxy, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    served = 0

    def deny_later(seen: Request) -> Fault | None:
        nonlocal served
        served += 1
        return Answer(403, "AccessDenied") if served > 40 else None

    s3.faults = deny_later
    asked = settings(f"s3://{BUCKET}", s3, tmp_path / "scores", commit_images=10)
    assert score(spark, asked) == 2
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"error: s3://{BUCKET}: access denied; ask for the right")
    kept = rows(tmp_path / "scores")
    assert 0 < len(kept) <= 40  # some commits were served
    assert not kept["error"].astype("string").str.contains("denied").any()
    s3.faults = lambda seen: None
    summary = score_archive(spark, asked)
    assert summary.scored == summary.images - len(kept)

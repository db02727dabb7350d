import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from cxrspark.errors import UserError
from cxrspark.model.bundle import load_bundle
from cxrspark.pixels.native import SWITCH
from cxrspark.scoring import run as run_module
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.aside import Folder
from cxrspark.tables.schemas import SCORES
from cxrspark.tables.table import Format

from helpers.pictures import encode
from helpers.runs import copy_of, job, load, run

EXPECTED_ERRORS = {
    "truncated": "undecodable",
    "empty": "empty file",
    "text": "not an image",
    "missing": "missing",
    "1x1": "too small",
    "constant": "constant image",
    "20000x20000": "oversized",
}


def kind_of(error: str | None) -> str | None:
    return error.split(":")[0] if error else None


@pytest.mark.end_to_end
def test_every_kind_of_file_ends_as_one_row(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    summary = run(spark, phantoms, tmp_path / "scores")
    table = pd.read_parquet(tmp_path / "scores").set_index("path")
    truth = pd.read_csv(phantoms / "truth.csv").to_dict("records")
    assert {row["kind"] for row in truth} > EXPECTED_ERRORS.keys()
    assert sorted(table.index) == sorted(row["path"] for row in truth)
    for row in truth:
        scored = table.loc[row["path"]]
        assert kind_of(scored.error) == EXPECTED_ERRORS.get(row["kind"]), row["kind"]
        assert (scored["view"] is None) == (row["kind"] in EXPECTED_ERRORS)
        assert "\n" not in (scored.error or "")
    assert summary.images == summary.scored == len(truth)
    assert summary.views == Counter(table["view"].dropna())
    assert summary.errors == Counter(table["error"].dropna().map(kind_of))
    assert set(table.columns) | {"path"} == set(SCORES.names)


@pytest.mark.end_to_end
def test_a_second_run_does_nothing_and_a_grown_manifest_is_finished(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: Format
) -> None:
    paths = (phantoms / "IMAGE_FILENAMES").read_text().splitlines()
    manifest = tmp_path / "list.txt"
    manifest.write_text("\n".join(paths[:20]))
    table = tmp_path / "scores"
    first = run(spark, phantoms, table, manifest=str(manifest), format=table_format)
    again = run(spark, phantoms, table, manifest=str(manifest), format=table_format)
    assert (first.images, first.scored) == (len(set(paths[:20])), first.images)
    assert (again.images, again.scored) == (first.images, 0)
    assert (again.views, again.errors) == (first.views, first.errors)
    whole = run(spark, phantoms, table, format=table_format)
    assert whole.scored == len(set(paths)) - first.images
    rows = load(table, table_format)
    assert rows["image_id"].is_unique
    assert Counter(rows["run_id"]) == {
        first.run_id: first.scored,
        whole.run_id: whole.scored,
    }
    runs = load(tmp_path / "scores_runs", table_format).set_index("run_id")
    assert set(runs.index) == {first.run_id, again.run_id, whole.run_id}
    assert list(runs.loc[whole.run_id, ["images", "scored"]]) == [whole.images, whole.scored]
    assert runs.loc[whole.run_id, "frontal"] == (rows["view"] == "frontal").sum()
    assert runs.loc[whole.run_id, "errors"] == rows["error"].notna().sum()
    assert (runs["ended_at"] > runs["started_at"]).all()


def test_a_large_manifest_is_set_beside_the_table_once(
    spark: SparkSession, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joins = []
    monkeypatch.setattr("cxrspark.scoring.run.JOINED_ONCE", 1)
    monkeypatch.setattr(Folder, "keep", noting(Folder.keep, joins))
    paths = (phantoms / "IMAGE_FILENAMES").read_text().splitlines()
    manifest, table = tmp_path / "list.txt", tmp_path / "scores"
    manifest.write_text("\n".join(paths[:20]))
    first = run(spark, phantoms, table, manifest=str(manifest))
    assert "compared" not in joins  # nothing was there
    whole = run(spark, phantoms, table)
    assert joins.count("compared") == 1
    again = run(spark, phantoms, table)
    assert joins.count("compared") == 1  # nothing is new
    assert (whole.scored, again.scored) == (len(set(paths)) - first.images, 0)
    assert load(table, "parquet")["image_id"].is_unique


def noting(keep: Callable[..., DataFrame], names: list[str]) -> Callable[..., DataFrame]:
    def noted(folder: Folder, rows: DataFrame, name: str, **more: bool) -> DataFrame:
        names.append(name)
        return keep(folder, rows, name, **more)

    return noted


def test_a_run_is_committed_in_bounded_steps(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    summary = run(spark, phantoms, tmp_path / "scores", commit_images=20)
    files = sorted((tmp_path / "scores").glob("*.parquet"))
    sizes = sorted(len(pd.read_parquet(file)) for file in files)
    assert sizes[1:] == [20] * (summary.images // 20)
    assert sum(sizes) == summary.images


@pytest.mark.end_to_end
def test_another_model_adds_its_rows(spark: SparkSession, phantoms: Path, tmp_path: Path) -> None:
    from cxrspark.model.bundle import write_bundle

    bundle = load_bundle()
    card = {"thresholds": {"lateral_below": 0.001, "frontal_above": 0.999}}
    other = write_bundle(tmp_path / "other", bundle.flatbuffer, card)
    run(spark, phantoms, tmp_path / "scores")
    summary = run(spark, phantoms, tmp_path / "scores", model=str(tmp_path / "other"))
    rows = pd.read_parquet(tmp_path / "scores")
    assert not rows.duplicated(["image_id", "model_id"]).any()
    assert Counter(rows["model_id"]) == {
        bundle.model_id: summary.images,
        other.model_id: summary.images,
    }


def test_images_of_another_archive_are_not_taken_for_this_one(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    first, second = copy_of(phantoms, tmp_path / "a"), copy_of(phantoms, tmp_path / "b")
    table, pixels = tmp_path / "scores", str(tmp_path / "pixels")
    assert run(spark, first, table, pixels=pixels).scored == 2
    with pytest.raises(UserError, match=r"holds 0\.jpg of archive .*a; give that --archive again"):
        run(spark, second, table)
    with pytest.raises(UserError, match=r"holds 0\.jpg of archive .*a; give that --archive again"):
        run(spark, second, tmp_path / "other", pixels=pixels)
    assert run(spark, Path(f"{first}/"), table).scored == 0


@pytest.mark.parametrize("suffix", ["", "/", "_runs", "_runs/"])
def test_the_scores_table_cannot_be_the_pixels_table(
    spark: SparkSession, phantoms: Path, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(UserError, match="is the scores table; name another path"):
        run(spark, phantoms, tmp_path / "s", pixels=f"{tmp_path}/./s{suffix}")


@pytest.mark.parametrize("name", ["scores", "pixels"])
def test_a_row_that_is_twice_in_a_table_is_noticed(
    spark: SparkSession, phantoms: Path, tmp_path: Path, name: str
) -> None:
    archive, pixels = copy_of(phantoms, tmp_path / "a"), str(tmp_path / "pixels")
    run(spark, archive, tmp_path / "scores", pixels=pixels)
    file = next((tmp_path / name).glob("*.parquet"))
    (tmp_path / name / "copy.parquet").write_bytes(file.read_bytes())
    table = tmp_path / ("scores" if name == "scores" else "other")
    with pytest.raises(UserError, match=rf"{name}: holds \d.jpg twice; keep one row of"):
        run(spark, archive, table, pixels=pixels)


def test_a_run_ends_well_only_with_one_row_an_image(
    spark: SparkSession, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = copy_of(phantoms, tmp_path / "a")
    monkeypatch.setattr("cxrspark.scoring.run._publish", lambda run, cut, staged: None)
    with pytest.raises(UserError, match="scores: holds 0 of the 2 rows just written; its folder"):
        run(spark, archive, tmp_path / "scores")


def test_a_folder_that_workers_do_not_share_is_noticed_after_the_first_commit(
    spark: SparkSession, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows are lost on the way to the table, as where each host has a folder of its own."""
    real = run_module.stage
    monkeypatch.setattr(run_module, "stage", lambda rows, *to: real(rows.limit(1), *to))
    with pytest.raises(UserError, match="holds 1 of the 20 rows just written; its folder must be"):
        run(spark, phantoms, tmp_path / "scores", commit_images=20)


@pytest.mark.end_to_end
def test_errors_that_may_pass_are_tried_again(
    spark: SparkSession, phantoms: Path, tmp_path: Path, table_format: Format
) -> None:
    archive = copy_of(phantoms, tmp_path / "a")
    pixels, manifest = tmp_path / "pixels", tmp_path / "list.txt"
    manifest.write_text("0.jpg\n1.jpg\nempty.jpg\n")
    (archive / "empty.jpg").touch()
    (archive / "1.jpg").rename(tmp_path / "1.jpg")
    given = {"manifest": str(manifest), "pixels": str(pixels), "format": table_format}
    first = run(spark, archive, tmp_path / "s", **given)
    assert first.errors == {"empty file": 1, "missing": 1}
    (tmp_path / "1.jpg").rename(archive / "1.jpg")
    assert run(spark, archive, tmp_path / "s", **given).scored == 0
    again = run(spark, archive, tmp_path / "s", retry_errors="", **given)
    assert (again.scored, again.errors) == (1, {"empty file": 1})
    for table in (tmp_path / "s", pixels):
        rows = load(table, table_format)
        assert sorted(rows["image_id"]) == ["0.jpg", "1.jpg", "empty.jpg"]
        assert rows["error"].notna().sum() == 1
    assert run(spark, archive, tmp_path / "s", retry_errors="empty file", **given).scored == 1


def test_other_files_behind_known_ids_are_refused(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    archive, manifest = copy_of(phantoms, tmp_path / "a"), tmp_path / "list.csv"
    manifest.write_text("image_id,path\n1,0.jpg\n2,1.jpg\n")
    run(spark, archive, tmp_path / "s", manifest=str(manifest))
    manifest.write_text("image_id,path\n1,1.jpg\n2,1.jpg\n")
    with pytest.raises(UserError, match=r"holds 1 as 0\.jpg, which the manifest calls 1\.jpg"):
        run(spark, archive, tmp_path / "s", manifest=str(manifest))


def test_a_lost_mount_of_a_resumed_run_writes_no_row(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    archive, manifest = copy_of(phantoms, tmp_path / "a"), tmp_path / "list.txt"
    manifest.write_text("0.jpg\n1.jpg\n")
    run(spark, archive, tmp_path / "s", manifest=str(manifest))
    manifest.write_text("0.jpg\n1.jpg\n2.jpg\n")
    archive.rename(tmp_path / "elsewhere")
    archive.mkdir()
    with pytest.raises(UserError, match="of 3 images tried none can be read"):
        run(spark, archive, tmp_path / "s", manifest=str(manifest))
    assert len(pd.read_parquet(tmp_path / "s")) == 2


def test_an_archive_that_holds_none_of_the_images_is_refused(
    spark: SparkSession, phantoms: Path, tmp_path: Path
) -> None:
    manifest = str(phantoms / "IMAGE_FILENAMES")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(UserError, match=r"of 16 images tried none can be read .*missing"):
        run(spark, tmp_path / "elsewhere", tmp_path / "scores", manifest=manifest)
    assert not list((tmp_path / "scores").glob("*.parquet"))


NAMES = [f"{number}.png" for number in range(6)]


SOUND = encode(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))


CONTENTS = st.sampled_from([SOUND, SOUND, b"", b"text", SOUND[:500]])


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@given(
    files=st.dictionaries(st.sampled_from(NAMES), CONTENTS),
    listed=st.lists(st.sampled_from([*NAMES, "../x.png", "a//b", "ä ö.png"]), min_size=1),
    commit_images=st.integers(1, 4),
)
def test_any_manifest_ends_as_one_row_for_each_distinct_image(
    spark: SparkSession, files: dict[str, bytes], listed: list[str], commit_images: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "archive")
        root.mkdir()
        for name, content in files.items():
            (root / name).write_bytes(content)
        manifest = Path(folder, "list.txt")
        manifest.write_text("\n".join(listed))
        table = Path(folder, "scores")
        run(spark, root, table, manifest=str(manifest), commit_images=commit_images)
        rows = pd.read_parquet(table)
        assert sorted(rows["image_id"]) == sorted(set(listed))
        good = {name for name in listed if files.get(name) == SOUND}
        assert set(rows.loc[rows["error"].isna(), "image_id"]) == good
        assert (rows["view"].isna() != rows["error"].isna()).all()


def test_a_job_says_at_its_start_where_jpegs_are_left_to_pillow(
    spark: SparkSession,
    phantoms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = copy_of(phantoms, tmp_path / "two")
    score = job("score", ScoreSettings, monkeypatch)
    said = {}
    for switch in ("0", "1"):
        monkeypatch.setenv(SWITCH, switch)
        assert score("--archive", archive, "--scores", tmp_path / switch) == 0
        said[switch] = capsys.readouterr().err.splitlines()
    line = "images are decoded by Pillow and NumPy, up to three times slower: "
    assert said["0"][0] == f"{line}CXRSPARK_NATIVE=0 is set"
    assert not any(one.startswith(line) for one in said["1"])

"""The synthetic archive: layout, truth, bad files, and one result from any number of processes."""

import csv
import gzip
import re
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrspark.errors import UserError
from cxrspark.jobs.cli import run_job
from cxrspark.phantoms.archive import MANIFEST, METADATA, METADATA_COLUMNS, TRUTH, write_archive
from cxrspark.phantoms.files import GOOD_KINDS, UNUSUAL_KINDS, encode
from cxrspark.phantoms.plan import ArchiveSettings, plan_studies
from cxrspark.phantoms.study import phantom_study
from cxrspark.pixels.image import PixelsError
from cxrspark.pixels.shrink_to_64 import shrink

PATH = re.compile(
    r"files/p1\d/p1\d{7}/s5\d{7}/[0-9a-f]{8}(-[0-9a-f]{8}){4}\.(jpg|png)"
)  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("synthetic") / "archive"
    write_archive(ArchiveSettings(out=root, studies=16, rows=160, bad=0.5, seed=5, processes=1))
    return root


def truth(root: Path) -> list[dict[str, str]]:
    with (root / TRUTH).open() as file:
        return list(csv.DictReader(file))


def metadata(root: Path) -> list[dict[str, str]]:
    with gzip.open(root / METADATA, "rt") as file:
        return list(csv.DictReader(file))


def test_paths_follow_mimic(archive: Path) -> None:
    listed = (archive / MANIFEST).read_text().splitlines()
    assert all(PATH.fullmatch(path) for path in listed)
    rows = truth(archive)
    assert {row["path"] for row in rows} == set(listed)
    twice = {row["path"] for row in rows if row["kind"] == "listed twice"}
    assert {path for path, count in Counter(listed).items() if count == 2} == twice
    on_disk = {str(path.relative_to(archive)) for path in (archive / "files").rglob("*.*")}
    assert on_disk == {row["path"] for row in rows if row["kind"] != "missing"}


def test_every_kind_is_there_and_only_good_ones_have_a_view(archive: Path) -> None:
    rows = truth(archive)
    assert {row["kind"] for row in rows} == {"jpeg", *UNUSUAL_KINDS}
    assert all(
        (row["view"] in ("frontal", "lateral")) == (row["kind"] in GOOD_KINDS) for row in rows
    )
    assert all(row["view"] or row["kind"] not in GOOD_KINDS for row in rows)


def test_metadata_agree_with_truth_and_files(archive: Path) -> None:
    rows = {row["dicom_id"]: row for row in metadata(archive)}
    assert tuple(next(iter(rows.values()))) == METADATA_COLUMNS
    assert len(rows) == len(truth(archive))
    for image in truth(archive):
        _, _, subject, study, name = image["path"].split("/")
        row = rows[name.split(".")[0]]
        assert (subject, study) == (f"p{row['subject_id']}", f"s{row['study_id']}")
        if image["kind"] in GOOD_KINDS:
            views = ("AP", "PA") if image["view"] == "frontal" else ("LATERAL", "LL")
            assert row["ViewPosition"] in views
            found = shrink((archive / image["path"]).read_bytes())
            assert (found.rows, found.columns) == (int(row["Rows"]), int(row["Columns"]))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("truncated", "undecodable"),
        ("empty", "empty file"),
        ("text", "not a"),
        ("1x1", "too small"),
        ("constant", "constant image"),
        ("20000x20000", "oversized"),
    ],
)
def test_bad_files_are_refused_for_what_they_are(archive: Path, kind: str, message: str) -> None:
    paths = [row["path"] for row in truth(archive) if row["kind"] == kind]
    assert paths
    for path in paths:
        with pytest.raises(PixelsError, match=message):
            shrink((archive / path).read_bytes())


def test_unusual_files_show_the_same_body() -> None:
    view = phantom_study(1, 200).frontal
    view = replace(
        view, film=replace(view.film, curve="equalised", collimator=(0, 0, 0, 0), letters="")
    )
    plain, cmyk, deep = (
        shrink(encode(view, kind) or b"").values for kind in ("jpeg", "cmyk jpeg", "16-bit png")
    )
    assert np.abs(plain.astype(int) - cmyk).mean() < 3
    assert np.corrcoef(plain.ravel(), deep.ravel())[0, 1] > 0.9
    with Image.open(BytesIO(encode(view, "16-bit png") or b"")) as picture:
        assert picture.mode.startswith("I")
    assert len(encode(view, "20000x20000") or b"") < 1000


def test_files_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    settings = ArchiveSettings(out=tmp_path / "1", studies=6, rows=96, bad=0.2, seed=1, processes=1)
    one = write_archive(settings)
    two = write_archive(settings.model_copy(update={"out": tmp_path / "2", "processes": 2}))
    assert one == two
    names = [
        sorted(p.relative_to(r) for p in r.rglob("*.*")) for r in (tmp_path / "1", tmp_path / "2")
    ]
    assert names[0] == names[1]
    for name in [*names[0], MANIFEST]:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_shares_are_kept() -> None:
    studies = plan_studies(
        ArchiveSettings(
            out=Path("unused"),
            studies=4000,
            bad=0.05,
            missing_views=0.042,
            wrong_views=0.01,
            processes=1,
        )
    )
    images = [image for study in studies for image in study.images]
    recorded = Counter(image.recorded for image in images)
    assert recorded["missing"] / len(images) == pytest.approx(0.042, abs=0.01)
    assert recorded["wrong"] / len(images) == pytest.approx(0.01, abs=0.005)
    unusual = Counter(image.kind for image in images)
    assert 1 - unusual["jpeg"] / len(images) == pytest.approx(0.05, abs=0.001)
    assert set(unusual) == {"jpeg", *UNUSUAL_KINDS}
    assert len({image.dicom_id for image in images}) == len(images)
    assert len({study.study_id for study in studies}) == 4000
    assert 0.3 < sum(image.lateral for image in images) / len(images) < 0.45


def test_studies_of_a_subject_share_a_body() -> None:
    studies = plan_studies(ArchiveSettings(out=Path("unused"), studies=40, processes=1))
    bodies = {study.subject_id: study.body.spawn_key for study in studies}
    assert len(bodies) < 40
    assert all(bodies[study.subject_id] == study.body.spawn_key for study in studies)
    assert len({study.exposure.spawn_key for study in studies}) == 40


def test_wrong_and_missing_positions(tmp_path: Path) -> None:
    settings = {"studies": 5, "rows": 80, "processes": 1}
    write_archive(ArchiveSettings(out=tmp_path / "wrong", wrong_views=1.0, **settings))
    write_archive(ArchiveSettings(out=tmp_path / "missing", missing_views=1.0, **settings))
    rows = {row["dicom_id"]: row["ViewPosition"] for row in metadata(tmp_path / "wrong")}
    for image in truth(tmp_path / "wrong"):
        frontal = rows[Path(image["path"]).stem] in ("AP", "PA")
        assert frontal == (image["view"] == "lateral")
    assert {row["ViewPosition"] for row in metadata(tmp_path / "missing")} == {""}


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(UserError, match="not empty"):
        write_archive(ArchiveSettings(out=tmp_path, studies=1, rows=80, processes=1))
    with pytest.raises(UserError, match=r"--dicom .* is not empty"):
        write_archive(ArchiveSettings(out=tmp_path / "new", dicom=tmp_path, processes=1))
    (tmp_path / "new").rmdir()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_wrong_arguments_end_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "new")]
    (tmp_path / "file").write_text("")
    for argv in (
        [],
        [*out, "--bad", "2"],
        [*out, "--rows", "70"],
        ["--out", str(tmp_path / "file")],
    ):
        assert run_job(ArchiveSettings, write_archive, argv) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1

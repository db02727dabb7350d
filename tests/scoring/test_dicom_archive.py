"""DICOM phantoms beside their JPEGs: written, scored and audited by their own headers."""

import hmac
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread
from pyspark.sql import DataFrame, SparkSession

from cxrspark.archive.manifest import read_manifest
from cxrspark.audit.headers import dicom_headers
from cxrspark.audit.run import AuditSettings, audit_views
from cxrspark.errors import UserError
from cxrspark.phantoms.archive import TRUTH, dicom_path, write_archive
from cxrspark.phantoms.dicom import SYNTAXES
from cxrspark.phantoms.files import GOOD_KINDS
from cxrspark.phantoms.plan import ArchiveSettings
from cxrspark.pixels.image import Header
from cxrspark.scoring.pixels import read_pixels
from cxrspark.scoring.run import score_archive
from cxrspark.scoring.settings import ScoreSettings
from cxrspark.tables.open import read_table
from cxrspark.tables.schemas import PIXELS, PIXELS_TABLE
from cxrspark.views import MEANING

from helpers.dicom_files import plain
from helpers.tables import pixels_of, truth_of


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs in ``jpg``, the same images as DICOM in ``dicom``."""
    root = tmp_path_factory.mktemp("both")
    settings = ArchiveSettings(
        out=root / "jpg", dicom=root / "dicom", studies=40, rows=256, bad=0.2,
        missing_views=0.1, wrong_views=0.2, seed=2, processes=2,
    )  # fmt: skip
    write_archive(settings)
    return root


@pytest.fixture(scope="module")
def truth(root: Path) -> pd.DataFrame:
    return truth_of(root / "dicom", root / "jpg")


@pytest.fixture(scope="module")
def pixels(spark: SparkSession, root: Path) -> dict[str, pd.DataFrame]:
    """Rows of both archives' pixels tables by image id."""
    tables = {}
    for name in ("jpg", "dicom"):
        archive = str(root / name)
        rows = read_pixels(read_manifest(spark, archive).repartition(2), archive).toPandas()
        tables[name] = rows.set_index("image_id").sort_index()
    return tables


def test_both_archives_hold_the_same_images(root: Path, truth: pd.DataFrame) -> None:
    jpg = pd.read_csv(root / "jpg" / TRUTH, keep_default_na=False)
    assert list(jpg["path"].map(dicom_path)) == list(truth["path"])
    assert list(jpg["view"]) == list(truth["view"])
    files = [dcmread(root / "dicom" / path) for path in truth["path"][truth["kind"] == "jpeg"]]
    found = {file.file_meta.TransferSyntaxUID for file in files}
    assert found == set(SYNTAXES)
    assert {file.PhotometricInterpretation for file in files} == {"MONOCHROME1", "MONOCHROME2"}
    assert {file.BitsStored for file in files} == {8, 10, 12, 14, 16}


def test_one_image_gets_one_answer(truth: pd.DataFrame, pixels: dict[str, pd.DataFrame]) -> None:
    jpg, dicom = pixels["jpg"], pixels["dicom"]
    assert list(jpg.index) == list(dicom.index)
    good = truth["kind"].isin(GOOD_KINDS)
    assert set(dicom.index[dicom["error"].isna()]) == set(truth.index[good])
    same = truth.index[truth["kind"].isin(["jpeg", "listed twice"])]
    for image in same:
        one, other = (
            np.frombuffer(table.loc[image, "pixels"], np.uint8).astype(int)
            for table in (jpg, dicom)
        )
        assert np.abs(one - other).mean() <= 0.5


def test_headers_are_in_the_table(truth: pd.DataFrame, pixels: dict[str, pd.DataFrame]) -> None:
    header = list(Header._fields)
    assert list(pixels["dicom"].columns)[-len(header) - 2 : -2] == header
    assert pixels["jpg"][header].isna().all(axis=None)
    dicom = pixels["dicom"]
    is_dicom = ~truth["kind"].isin(["missing", "empty", "text"])
    assert (dicom["modality"].dropna() == "DX").all()
    assert set(dicom.index[dicom["modality"].notna()]) == set(truth.index[is_dicom])
    found = dicom["view_position"][is_dicom.sort_index()].fillna("")
    assert (found == truth["header"][is_dicom].sort_index()).all()
    oversized = dicom.loc[truth.index[truth["kind"] == "20000x20000"]]
    assert oversized["error"].str.startswith("oversized").all()
    assert (oversized["modality"] == "DX").all()  # the header is there though its pixels are not


def test_an_audit_needs_no_metadata(
    spark: SparkSession, root: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    scores, kept = str(tmp_path / "scores"), str(tmp_path / "pixels")
    archive = str(root / "dicom")
    score_archive(spark, ScoreSettings(archive=archive, scores=scores, pixels=kept))
    found = audit_views(spark, AuditSettings(scores=scores, pixels=kept, out=tmp_path))
    agreed = found.agreement.set_index("header")
    not_dicom = truth["kind"].isin(["missing", "empty", "text"])
    assert agreed.loc["not in the metadata", "images"] == not_dicom.sum()
    for position in ("AP", "PA", "LATERAL", "LL"):
        expected = (~not_dicom & (truth["header"] == position)).sum()
        assert agreed.loc[position, "images"] == expected
    assert len(found.filled) == (~not_dicom & (truth["header"] == "")).sum()
    assert found.metadata == kept
    assert found.unscored == 0
    with pytest.raises(UserError, match="needs --metadata FILE, or the --pixels table of a DICOM"):
        audit_views(spark, AuditSettings(scores=scores, out=tmp_path))


def test_an_older_pixels_table_is_added_to(spark: SparkSession, root: Path, tmp_path: Path) -> None:
    older = [field for field in PIXELS if field.name not in Header._fields]
    table = str(tmp_path / "pixels")
    spark.createDataFrame([], PIXELS).select(*(f.name for f in older)).write.parquet(table)
    settings = ScoreSettings(
        archive=str(root / "dicom"), scores=str(tmp_path / "scores"), pixels=table
    )
    summary = score_archive(spark, settings)
    kept = read_table(spark, table, "parquet", PIXELS_TABLE)
    assert kept.count() == summary.images
    assert kept.where("view_position is not null").count() > 0


def header_rows(spark: SparkSession, *said: Header) -> DataFrame:
    rows = [(str(n), f"{n}.dcm", *header) for n, header in enumerate(said)]
    return pixels_of(spark, " ".join(("image_id", "path", *Header._fields)), rows)


def test_a_code_stands_in_for_a_position_and_an_orientation_only_hints(
    spark: SparkSession,
) -> None:
    said = [
        Header("LL", "R\\F"),
        Header(None, "A\\F", "CR"),
        Header("UNKNOWN", "l\\f", view_code="399067008"),
        Header(None, "L\\F", view_code="R-40888"),
        Header("LLD", "L\\F"),
        Header(None, None, "CR", series_description="Chest lat."),
        Header(None, None, "CR", series_description="CHEST PA AND LAT"),
        Header(None, None, "CR", series_description="W033 Thorax p.a."),
    ]
    found = dicom_headers(header_rows(spark, *said), "table").rows.set_index("key").sort_index()
    views = found[["header_view", "hint"]].astype(object).where(found.notna(), None)
    assert [tuple(row) for row in views.itertuples(index=False)] == [
        ("lateral", "frontal"),
        (None, "lateral"),
        ("lateral", "frontal"),
        ("frontal", "frontal"),
        ("other", "frontal"),
        (None, "lateral"),
        (None, None),
        (None, None),
    ]
    assert MEANING["F\\R"] == "frontal"
    with pytest.raises(UserError, match="--pixels table: holds no DICOM header; add --metadata"):
        dicom_headers(spark.createDataFrame([], PIXELS), "table")


def test_headers_name_study_and_subject_where_nothing_else_does(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "pacs"
    root.mkdir()
    for name, view in (("IM1", "PA"), ("IM2", "LATERAL")):
        said = {"StudyInstanceUID": "1.2.3", "SOPInstanceUID": f"1.2.3.{name[2]}"}
        (root / name).write_bytes(plain(ViewPosition=view, PatientID="P7", **said))

    def ids(kept: str) -> set[tuple[str | None, ...]]:
        table, pixels = str(tmp_path / f"scores-{kept}"), str(tmp_path / f"pixels-{kept}")
        settings = {"archive": str(root), "scores": table, "pixels": pixels}
        score_archive(spark, ScoreSettings(**settings, patient_ids=kept))
        found = spark.read.parquet(pixels).select("image_id", "image_uid", "patient_id")
        assert {tuple(row)[:2] for row in found.collect()} == {
            ("IM1", "1.2.3.1"),
            ("IM2", "1.2.3.2"),
        }
        scores = spark.read.parquet(table)
        kept_ids = {row["patient_id"] for row in found.collect()}
        subjects = {row["subject_id"] for row in scores.collect()}
        assert kept_ids == subjects
        return {(row["study_id"], row["subject_id"]) for row in scores.collect()}

    assert ids("off") == {("1.2.3", None)}
    assert ids("plain") == {("1.2.3", "P7")}
    monkeypatch.delenv("CXRSPARK_PATIENT_KEY", raising=False)
    with pytest.raises(UserError, match="set CXRSPARK_PATIENT_KEY to a secret"):
        ids("hashed")
    monkeypatch.setenv("CXRSPARK_PATIENT_KEY", "k" * 16)
    expected = hmac.new(b"k" * 16, b"P7", "sha256").hexdigest()[:32]
    assert ids("hashed") == {("1.2.3", expected)}

"""DICOM phantoms beside their JPEGs: written, scored and audited by their own headers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom import dcmread
from pyspark.sql import SparkSession

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
from cxrspark.tables.schemas import PIXELS
from cxrspark.views import MEANING

from helpers.tables import pixels_of, truth_of


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs in ``jpg``, the same images as DICOM in ``dicom``."""
    root = tmp_path_factory.mktemp("both")
    settings = ArchiveSettings(
        out=root / "jpg", dicom=root / "dicom", studies=40, rows=256, bad=0.2,
        missing_views=0.1, wrong_views=0.2, seed=3, processes=2,
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
    assert {file.file_meta.TransferSyntaxUID for file in files} == set(SYNTAXES)
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
    assert list(pixels["dicom"].columns)[-7:-2] == header
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


def test_an_older_pixels_table_is_refused(spark: SparkSession, root: Path, tmp_path: Path) -> None:
    older = [field for field in PIXELS if field.name not in Header._fields]
    table = str(tmp_path / "pixels")
    spark.createDataFrame([], PIXELS).select(*(f.name for f in older)).write.parquet(table)
    settings = ScoreSettings(
        archive=str(root / "dicom"), scores=str(tmp_path / "scores"), pixels=table
    )
    with pytest.raises(UserError, match=r"pixels: has other columns .* name another path"):
        score_archive(spark, settings)


def test_orientation_stands_in_for_a_position(spark: SparkSession) -> None:
    said = [("LL", "R\\F"), (None, "A\\F"), (None, "l\\f"), ("rl", None), (None, "L\\PF"),
            ("LLD", "L\\F"), (None, None)]  # fmt: skip
    rows = [(str(n), f"{n}.dcm", *header, "CR") for n, header in enumerate(said)]
    columns = "image_id path view_position patient_orientation modality"
    found = dicom_headers(pixels_of(spark, columns, rows), "table").rows.set_index("key")
    views = [found.loc[str(n), "header_view"] for n in range(len(said))]
    assert views[:6] == ["lateral", "lateral", "frontal", "lateral", "other", "other"]
    assert pd.isna(views[6])
    assert MEANING["F\\R"] == "frontal"
    with pytest.raises(UserError, match="--pixels table: holds no DICOM header; add --metadata"):
        dicom_headers(spark.createDataFrame([], PIXELS), "table")

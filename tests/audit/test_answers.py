"""What the audit makes of the answers beside frontal and lateral."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from cxrspark.audit.report.build import build_report
from cxrspark.audit.run import Audit, AuditSettings, audit_views

from helpers.tables import scores_of

METADATA = """dicom_id,ViewPosition,BodyPartExamined
chest,AP,CHEST
wrong,AP,CHEST
unsure,PA,CHEST
knee,AP,KNEE
hand,AP,CHEST
page,,
hidden,PA,PELVIS
laid,LATERAL,CHEST
broken,PA,CHEST
"""
SURE = {"view": "frontal", "p_frontal": 0.99, "p_chest": 0.99, "turn": 0, "inverted": False}
ROWS = {
    "chest": {**SURE, "projection": "AP", "p_ap": 0.98, "mirrored": False},
    "wrong": {**SURE, "projection": "PA", "p_ap": 0.02, "mirrored": True},
    "unsure": {**SURE, "p_ap": 0.6},
    "knee": {"view": "other", "p_frontal": 0.8, "p_chest": 0.2},
    "hand": {"view": "other", "p_frontal": 0.7, "p_chest": 0.01},
    "page": {"view": "other", "p_frontal": 0.1, "p_chest": 0.001},
    "hidden": {**SURE, "projection": "PA", "p_ap": 0.03, "inverted": True},
    "laid": {**SURE, "view": "lateral", "p_frontal": 0.01, "turn": 90},
    "broken": {"error": "empty file"},
}


@pytest.fixture(scope="module")
def found(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("answers")
    metadata = folder / "metadata.csv"
    metadata.write_text(METADATA)
    columns = "image_id path view p_frontal p_chest turn inverted mirrored projection p_ap error"
    rows = [
        (name, f"{name}.jpg", *(row.get(column) for column in columns.split()[2:]))
        for name, row in ROWS.items()
    ]
    scores_of(spark, columns, rows).coalesce(1).write.parquet(str(folder / "scores"))
    settings = AuditSettings(
        scores=str(folder / "scores"), metadata=str(metadata), out=Path("unused")
    )
    return audit_views(spark, settings)


def test_lists_what_is_no_chest_and_what_its_header_says(found: Audit) -> None:
    others = found.answers.not_chests
    assert list(others["image_id"]) == ["page", "hand", "knee"]
    assert list(others["header_says_chest"]) == [False, True, False]
    assert list(found.answers.chests_after_all["image_id"]) == ["hidden"]


def test_lists_what_lies_wrong(found: Audit) -> None:
    assert list(found.answers.turned["image_id"]) == ["hidden", "laid", "wrong"]


def test_compares_ap_and_pa_with_the_header(found: Audit) -> None:
    counts = {
        (row.header, None if pd.isna(row.projection) else row.projection): row.images
        for row in found.answers.projections.itertuples()
    }
    assert counts == {("AP", "AP"): 1, ("AP", "PA"): 1, ("PA", "PA"): 1, ("PA", None): 1}
    assert list(found.answers.suspected_projections["image_id"]) == ["wrong"]


def test_others_agree_with_no_header_and_are_no_suspects(found: Audit) -> None:
    counts = found.agreement.set_index("header")
    assert counts.loc["AP", ["frontal", "other", "agree", "disagree"]].to_list() == [2, 2, 2, 0]
    assert found.suspected.empty


def test_the_report_shows_and_names_each_list(found: Audit) -> None:
    page = build_report(found)
    assert "The model calls 3 images other" in page
    assert "body part of the chest: 1 image." in page
    assert "1 turned, 1 inverted, 1 mirrored" in page
    assert "It answers for 3 and agrees with 2" in page
    for name in found.answers.tables():
        assert f'href="{name}.csv"' in page
    for section in ("others", "laid", "projection"):
        assert f'href="#{section}"' in page


def test_the_report_of_an_older_model_says_so(found: Audit) -> None:
    older = replace(found, answers=replace(found.answers, known=False))
    assert "says frontal or lateral alone" in build_report(older)

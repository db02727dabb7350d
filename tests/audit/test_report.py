"""The report of an archive with wrong and missing headers, as a file."""

import html
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark.audit import run as audit_run
from cxrspark.audit.duplicates import COLUMNS
from cxrspark.audit.private_folder import open_folder, write_files
from cxrspark.audit.report.build import FILES, build_report, table_files
from cxrspark.audit.report.page import percent
from cxrspark.audit.report.parts import probability
from cxrspark.audit.run import Audit, AuditSettings
from cxrspark.errors import UserError
from cxrspark.phantoms.archive import METADATA

from helpers.audited import Audited
from helpers.runs import job

Run = Callable[..., int]


@pytest.fixture
def run(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Run:
    return job("audit", AuditSettings, monkeypatch)


class Page(HTMLParser):
    """What the tests ask of a page's elements."""

    def __init__(self, source: str):
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [str(a[attribute]) for _, a in self.elements if attribute in a]


def test_finds_exactly_the_wrong_headers_and_keeps_it_private(
    audited: Audited, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    old_mask = os.umask(0)
    try:  # no image is in that archive, so that the pictures come from the pixels
        pictures = ["--archive", elsewhere, "--pixels", audited.pixels]
        assert run(*audited.arguments(out), *pictures) == 0
    finally:
        os.umask(old_mask)
    assert re.search(rf"suspected header errors +{len(audited.wrong())}\n", capsys.readouterr().out)
    assert out.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in out.iterdir()} == dict.fromkeys(
        (name for name in FILES if not name.startswith("duplicates")), 0o600
    )
    suspected = pd.read_parquet(out / "suspected_header_errors.parquet")
    assert len(audited.wrong()) >= 5
    assert set(suspected["image_id"]) == audited.wrong()
    assert suspected["p_header"].is_monotonic_increasing
    assert list(pd.read_csv(out / "suspected_header_errors.csv")["path"]) == list(suspected["path"])
    missing = audited.truth[audited.truth["header"] == ""].set_index("image_id")["view"]
    filled = pd.read_csv(out / "filled_views.csv", keep_default_na=False).set_index("image_id")
    assert filled["view"].to_dict() == missing.to_dict()
    assert len(missing) >= 4
    images = pd.read_csv(out / "confusion.csv")["images"].sum()
    assert images == len(audited.truth)
    page = (out / "report.html").read_text(encoding="utf-8")
    shown = [image_id for image_id in audited.wrong() if f"<code>{image_id}</code>" in page]
    assert len(shown) == len(audited.wrong())
    assert page.count("data:image/jpeg") >= len(audited.wrong())


def test_a_folder_takes_its_own_files_again_and_no_others(
    audited: Audited, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o755)
    for content in (b"one", b"two"):
        open_folder(tmp_path, FILES)
        write_files(tmp_path, dict.fromkeys(FILES, content))
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == dict.fromkeys(
        FILES, b"two"
    )
    (tmp_path / "notes.txt").write_text("mine")
    assert run(*audited.arguments(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "holds other files (notes.txt); name a new folder" in said
    assert len(said.strip().splitlines()) == 1
    assert (tmp_path / "report.html").read_bytes() == b"two"


def test_a_refusal_overwrites_nothing(audited: Audited, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("an earlier one")
    assert run(*audited.arguments(out), "--view-column", "none") == 2
    assert [file.name for file in out.iterdir()] == ["report.html"]
    assert (out / "report.html").read_text() == "an earlier one"
    assert run(*audited.arguments(out / "report.html")) == 2


def test_the_page_is_one_file_that_asks_for_nothing(found: Audit) -> None:
    source = build_report(found)
    page = Page(source)
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "iframe", "object", "form"})
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.all("src"))
    assert all(link.startswith(("#", "data:")) or link in FILES for link in page.all("href"))
    assert "url(" not in source
    assert "@import" not in source
    assert "default-src 'none'" in source
    assert "a/\"><script>alert('1')</script>&amp;.jpg" in page.text
    assert len(source) < 5_000_000


def test_the_page_can_be_used_without_eyes_or_mouse(found: Audit) -> None:
    page = Page(build_report(found))
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(pictures) >= 20
    told = ("Radiograph; header", "What the file shows; ")
    assert all((picture["alt"] or "").startswith(told) for picture in pictures)
    ids = page.all("id")
    assert len(ids) == len(set(ids))
    inside = {link[1:] for link in page.all("href") if link.startswith("#")}
    assert inside <= set(ids)
    assert set(page.all("aria-labelledby")) <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in page.elements]
    assert tags[tags.index("body") + 1] == "a"
    assert page.text.index("This page holds patient data") < page.text.index("is the header right?")
    assert ("html", {"lang": "en"}) in page.elements


def test_the_page_of_an_archive_without_findings(found: Audit) -> None:
    none = replace(
        found,
        suspected=found.suspected.head(0), filled=found.filled.head(0),
        errors=found.errors.head(0), least_certain=found.least_certain.head(0),
        histogram=found.histogram.head(0), studies=0, pictures={},
        agreement=found.agreement[found.agreement["header"] == "no view"],
        without={view: rows.head(0) for view, rows in found.without.items()},
    )  # fmt: skip
    said = Page(build_report(none)).text
    for words in (
        "No header means frontal or lateral", "The model contradicts no header.",
        "Every image could be read.", "Every image of the metadata has a view", "knows no study",
    ):  # fmt: skip
        assert words in said


def test_long_lists_show_the_surest_and_tell_of_the_rest(found: Audit) -> None:
    many = pd.concat([found.suspected] * 400, ignore_index=True).head(900)
    source = build_report(replace(found, suspected=many))
    assert "900 images whose header the model contradicts" in source
    assert "The surest 240 are shown." in source
    assert "Show 212 more" in source
    assert len(source) < 5_000_000


def test_figures_are_never_rounded_to_certainty() -> None:
    shares = [percent(share).split() for share in (0, 1, 0.99999, 0.00001, 0.9988)]
    assert shares == [[figure, "%"] for figure in ("0.00", "100.00", ">99.99", "<0.01", "99.88")]
    assert [probability(p) for p in (0, 1, 0.00001, 0.99999, 0.5)] == [
        "0.0000", "1.0000", "<0.0001", ">0.9999", "0.5000",
    ]  # fmt: skip


def test_each_kind_of_error_has_a_contact_sheet(audited: Audited, found: Audit) -> None:
    page = build_report(found)
    errors = page[page.index('id="errors"') : page.index('id="notes"')]
    kinds = dict(zip(found.errors["kind"], found.errors["of_kind"], strict=True))
    assert len(kinds) > 4
    for kind, images in kinds.items():
        title = kind[:1].upper() + kind[1:]
        assert f"<h3>{html.escape(title)}: {images} image" in errors
    tiles = errors.split("<li><figure>")[1:]
    assert len(tiles) == len(found.errors)
    truth = audited.truth.set_index("image_id")["kind"]
    for tile in tiles:
        image_id = re.search("<code>(.+?)</code>", tile)[1]
        shows = truth[image_id] in {"truncated", "constant"}
        assert ("<img" in tile) == shows, truth[image_id]


def test_pictures_are_of_the_archive_that_was_scored(
    spark: SparkSession, audited: Audited, tmp_path: Path
) -> None:
    pixels = spark.read.parquet(str(audited.pixels))
    pixels.withColumn("archive", F.lit("/other")).write.parquet(str(tmp_path / "pixels"))
    settings = AuditSettings(
        scores=str(audited.scores), metadata=str(audited.root / METADATA), out=tmp_path,
        pixels=str(tmp_path / "pixels"),
    )  # fmt: skip
    assert audit_run.audit_views(spark, settings).pictures == {}


def test_a_spreadsheet_runs_no_id_as_a_formula(found: Audit) -> None:
    ids = ["=HYPERLINK(1)", "+1", "-1", "@x", "a=b", None]
    filled = found.filled.head(0).reindex(range(len(ids))).assign(image_id=ids)
    written = table_files(replace(found, filled=filled))["filled_views.csv"]
    read = pd.read_csv(BytesIO(written), keep_default_na=False)["image_id"]
    assert list(read) == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "a=b", ""]


def test_pictures_under_two_ids_are_shown_where_one_looked(
    spark: SparkSession, audited: Audited, tmp_path: Path
) -> None:
    settings = AuditSettings(
        scores=str(audited.scores), metadata=str(audited.root / METADATA), out=tmp_path,
        pixels=str(audited.pixels), duplicates=True, views=str(tmp_path / "views.csv"),
        omop=str(tmp_path / "omop"),
    )  # fmt: skip
    looked = audit_run.audit_views(spark, settings)
    assert looked.duplicates is not None
    page = build_report(looked)
    assert "The same picture twice" in page or "No picture is there under two ids" in page
    assert "duplicates.csv" in table_files(looked)
    assert len(pd.concat(map(pd.read_csv, (tmp_path / "views.csv").glob("*.csv")))) == looked.images
    assert len(pd.read_parquet(tmp_path / "omop" / "image_occurrence")) == looked.images
    row = looked.suspected.iloc[0]
    pair = pd.DataFrame(
        [
            (
                "near",
                0.9,
                False,
                row.image_id,
                "p1",
                "a",
                looked.suspected.iloc[1].image_id,
                "<b>",
                "c",
            )
        ],
        columns=list(COLUMNS),
    )
    page = build_report(replace(looked, duplicates=pair))
    assert "1 pairs are of two patients" in page
    assert "&lt;b&gt;" in page
    with pytest.raises(UserError, match="--duplicates needs --pixels"):
        audit_run.audit_views(spark, settings.model_copy(update={"pixels": None}))

"""The report of an archive with wrong and missing headers: as a file, and in a browser."""

import html
import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Browser, chromium
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from cxrspark import audit_run
from cxrspark.audit_run import Audit, AuditSettings
from cxrspark.cli import run_job
from cxrspark.images import read_pixels
from cxrspark.manifest import read_manifest
from cxrspark.pixels import PixelsError, shrink
from cxrspark.private_folder import open_folder, write_files
from cxrspark.report import FILES, build_report
from cxrspark.report_page import percent
from cxrspark.report_parts import probability
from cxrspark.schemas import SCORES
from cxrspark.synthetic import METADATA, write_archive
from cxrspark.synthetic_plan import ArchiveSettings
from cxrspark.thumbnails import data_uris, thumbnail

from pictures import encode, gradient

JOB = Path(__file__).parents[1] / "jobs" / "audit_views.py"
MEANS = {"AP": "frontal", "PA": "frontal", "LATERAL": "lateral", "LL": "lateral"}
Run = Callable[..., int]


@dataclass(frozen=True)
class Archive:
    """Phantoms with wrong and missing headers, and scores that are right about every image."""

    root: Path
    scores: Path
    pixels: Path
    truth: pd.DataFrame
    """``path``, ``view`` (empty for a file that cannot be read), ``header``, ``image_id``."""

    def arguments(self, out: Path) -> list[object]:
        metadata = self.root / METADATA
        return ["--scores", self.scores, "--metadata", metadata, "--out", out]

    def wrong(self) -> set[str]:
        known = self.truth[(self.truth["view"] != "") & (self.truth["header"] != "")]
        return set(known["image_id"][known["header"].map(MEANS) != known["view"]])


@pytest.fixture(scope="module")
def archive(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("audit")
    root, pixels = folder / "archive", folder / "pixels"
    settings = ArchiveSettings(
        out=root, studies=30, rows=128, bad=0.3, missing_views=0.15, wrong_views=0.2, seed=3,
        processes=1,
    )  # fmt: skip
    write_archive(settings)
    truth = pd.read_csv(root / "truth.csv", keep_default_na=False)
    truth["image_id"] = truth["path"].str.extract(r"([0-9a-f-]{44})\.\w+$")[0]
    header = pd.read_csv(root / METADATA, keep_default_na=False).set_index("dicom_id")
    truth["header"] = truth["image_id"].map(header["ViewPosition"])
    read_pixels(read_manifest(spark, str(root)), str(root)).write.parquet(str(pixels))
    views = spark.createDataFrame(truth[["path", "view"]])
    readable = F.when(F.col("error").isNull(), F.col("view"))
    sure = F.lit(0.9) + F.rand(seed=1) * 0.0999
    p_frontal = F.when(readable == "frontal", sure).when(readable == "lateral", 1 - sure)
    scores = spark.read.parquet(str(pixels)).join(views, "path")
    scores = scores.withColumns(
        {
            "view": readable,
            "p_frontal": p_frontal.cast("float"),
            "model_id": F.lit("perfect"),
            "archive": F.lit(str(root)),
            "run_id": F.lit("run"),
            "scored_at": F.current_timestamp(),
        }
    )
    scores.select(*SCORES.names).coalesce(1).write.parquet(str(folder / "scores"))
    return Archive(root, folder / "scores", pixels, truth)


@pytest.fixture
def run(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The job in this process, on the tests' session, which it may not stop."""
    monkeypatch.setattr(SparkSession, "stop", lambda session: None)
    spec = importlib.util.spec_from_file_location("audit_job", JOB)
    assert spec is not None
    assert spec.loader is not None
    job = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(job)
    return lambda *argv: run_job(AuditSettings, job.run, [str(arg) for arg in argv])


@pytest.fixture(scope="module")
def found(spark: SparkSession, archive: Archive) -> Audit:
    """The audit with larger pictures, and a path that would break a careless page."""
    settings = AuditSettings(
        scores=str(archive.scores), metadata=str(archive.root / METADATA),
        archive=str(archive.root), thumbnail=96, out=archive.root.parent / "unused",
    )  # fmt: skip
    found = audit_run.audit_views(spark, settings)
    evil = found.errors.head(1).assign(path="a/\"><script>alert('1')</script>&amp;.jpg")
    return replace(found, errors=pd.concat([found.errors, evil]))


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
    archive: Archive, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    old_mask = os.umask(0)
    try:  # no image is in that archive, so that the pictures come from the pixels
        pictures = ["--archive", elsewhere, "--pixels", archive.pixels]
        assert run(*archive.arguments(out), *pictures) == 0
    finally:
        os.umask(old_mask)
    assert re.search(rf"suspected header errors +{len(archive.wrong())}\n", capsys.readouterr().out)
    assert out.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in out.iterdir()} == dict.fromkeys(
        FILES, 0o600
    )
    suspected = pd.read_parquet(out / "suspected_header_errors.parquet")
    assert len(archive.wrong()) >= 5
    assert set(suspected["image_id"]) == archive.wrong()
    assert suspected["p_header"].is_monotonic_increasing
    assert list(pd.read_csv(out / "suspected_header_errors.csv")["path"]) == list(suspected["path"])
    missing = archive.truth[archive.truth["header"] == ""].set_index("image_id")["view"]
    filled = pd.read_csv(out / "filled_views.csv", keep_default_na=False).set_index("image_id")
    assert filled["view"].to_dict() == missing.to_dict()
    assert len(missing) >= 4
    images = pd.read_csv(out / "confusion.csv")["images"].sum()
    assert images == len(archive.truth)
    page = (out / "report.html").read_text(encoding="utf-8")
    shown = [image_id for image_id in archive.wrong() if f"<code>{image_id}</code>" in page]
    assert len(shown) == len(archive.wrong())
    assert page.count("data:image/jpeg") >= len(archive.wrong())


def test_a_folder_takes_its_own_files_again_and_no_others(
    archive: Archive, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
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
    assert run(*archive.arguments(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "holds other files (notes.txt); name a new folder" in said
    assert len(said.strip().splitlines()) == 1
    assert (tmp_path / "report.html").read_bytes() == b"two"


def test_a_refusal_overwrites_nothing(archive: Archive, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("an earlier one")
    assert run(*archive.arguments(out), "--view-column", "none") == 2
    assert [file.name for file in out.iterdir()] == ["report.html"]
    assert (out / "report.html").read_text() == "an earlier one"
    assert run(*archive.arguments(out / "report.html")) == 2


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
        "Every image could be read.", "Every image of the metadata has a view", "knows no studies",
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


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_thumbnails_keep_the_shape(suffix: str) -> None:
    small = thumbnail(encode(gradient(600, 400), suffix), 150)
    assert small.shape == (150, 100)
    assert small[:, 10].mean() < 60 < 180 < small[:, 90].mean()
    with pytest.raises(PixelsError, match="not a JPEG, PNG or DICOM image"):
        thumbnail(b"no image at all", 150)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_the_thumbnail_of_a_truncated_file_shows_what_is_there(suffix: str) -> None:
    whole = encode(gradient(600, 400), suffix)
    half = whole[: len(whole) // 2]
    small = thumbnail(half, 150)
    np.testing.assert_array_equal(small[:50], thumbnail(whole, 150)[:50])
    with pytest.raises(PixelsError, match="undecodable"):  # what is scored is never half a file
        shrink(half)


def test_each_kind_of_error_has_a_contact_sheet(archive: Archive, found: Audit) -> None:
    page = build_report(found)
    errors = page[page.index('id="errors"') : page.index('id="notes"')]
    kinds = dict(zip(found.errors["kind"], found.errors["of_kind"], strict=True))
    assert len(kinds) > 4
    for kind, images in kinds.items():
        title = kind[:1].upper() + kind[1:]
        assert f"<h3>{html.escape(title)}: {images} image" in errors
    tiles = errors.split("<li><figure>")[1:]
    assert len(tiles) == len(found.errors)
    truth = archive.truth.set_index("image_id")["kind"]
    for tile in tiles:
        image_id = re.search("<code>(.+?)</code>", tile)[1]
        shows = truth[image_id] in {"truncated", "constant"}
        assert ("<img" in tile) == shows, truth[image_id]


def test_pictures_lose_quality_before_the_page_grows_too_large() -> None:
    random = np.random.default_rng(0)
    noise = {str(n): random.integers(0, 256, (256, 256)).astype(np.uint8) for n in range(10)}
    free = sum(map(len, data_uris(noise).values()))
    assert sum(map(len, data_uris(noise, free // 2).values())) <= free // 2


def test_pictures_are_of_the_archive_that_was_scored(
    spark: SparkSession, archive: Archive, tmp_path: Path
) -> None:
    pixels = spark.read.parquet(str(archive.pixels))
    pixels.withColumn("archive", F.lit("/other")).write.parquet(str(tmp_path / "pixels"))
    settings = AuditSettings(
        scores=str(archive.scores), metadata=str(archive.root / METADATA), out=tmp_path,
        pixels=str(tmp_path / "pixels"),
    )  # fmt: skip
    assert audit_run.audit_views(spark, settings).pictures == {}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def report(found: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(build_report(found), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [1280, 390])
def test_in_a_browser_nothing_overflows_or_is_fetched(
    browser: Browser, report: Path, width: int
) -> None:
    browser.requests()
    browser.open(report, width)
    assert browser.run("return document.documentElement.scrollWidth") == width
    drawn = browser.run(
        "return [...document.images].filter(i => i.checkVisibility())"
        ".map(i => i.complete && i.naturalWidth > 0 && i.clientWidth > 60)"
    )
    assert len(drawn) >= 5
    assert all(drawn)
    bars = browser.run(
        "return [...document.querySelectorAll('svg rect')].map(r => r.getBBox().height)"
    )
    assert min(bars) > 3
    asked = {url for url in browser.requests() if not url.startswith(("data:", "chrome:"))}
    assert asked == {report.as_uri()}


def test_in_a_browser_the_keyboard_reaches_everything(browser: Browser, report: Path) -> None:
    browser.open(report, 1280)
    tab, enter = "\ue004", "\ue007"
    browser.press(tab)
    skip = "const a = document.activeElement; return [a.className, a.getBoundingClientRect().left]"
    assert browser.run(skip) == ["skip", 8]
    browser.press(enter)
    assert browser.run("return document.activeElement.id") == "main"
    browser.press(tab)
    assert browser.run("return document.activeElement.getAttribute('href')") == "#views"
    browser.run("document.querySelector('.tiles summary').focus()")
    browser.press(enter)
    assert browser.run("return document.querySelector('.tiles details').open") is True
    assert "Path: files/" in browser.run(
        "return document.querySelector('.tiles details').innerText"
    )


CONTRASTS = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgb = colour => {canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]};
const light = c => {const [r, g, b] = c.slice(0, 3).map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b};
const behind = e => {for (; e; e = e.parentElement) {
  const style = getComputedStyle(e), tint = style.getPropertyValue('--tint');
  if (e.matches('td.share') && tint) return rgb(tint);
  const c = rgb(style.backgroundColor); if (c[3] == 255) return c;} return rgb('white')};
const low = [];
for (const e of document.querySelectorAll('main *, .notice, .notice *')) {
  const own = [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim());
  if (!own || !e.checkVisibility()) continue;
  const style = getComputedStyle(e);
  const colour = e.namespaceURI.endsWith('svg') ? style.fill : style.color;
  const [a, b] = [light(rgb(colour)), light(behind(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) low.push([e.tagName, e.className, e.textContent.slice(0, 30)]);
}
return low;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_all_text_has_contrast(browser: Browser, report: Path, scheme: str) -> None:
    browser.open(report, 1280, scheme=scheme)
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert browser.run(CONTRASTS) == []


def test_in_a_browser_it_prints_with_every_picture(browser: Browser, report: Path) -> None:
    browser.open(report, 1280)
    browser.command("Emulation.setEmulatedMedia", media="print")
    hidden = browser.run(
        "return [...document.images].filter(i => i.getBoundingClientRect().height < 20).length"
    )
    assert hidden == 0
    printed = browser.command("Page.printToPDF", printBackground=True)
    assert len(printed["data"]) > 50_000

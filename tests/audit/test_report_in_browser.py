"""The report in a real browser: layout, keyboard, contrast, print."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cxrspark.audit.report.build import build_report
from cxrspark.audit.run import Audit

from helpers.browser import Browser, chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def report(found: Audit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(build_report(found), encoding="utf-8")
    return file


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


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_overflows_or_is_fetched(browser: Browser, report: Path, width: int) -> None:
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


def test_the_keyboard_reaches_everything(browser: Browser, report: Path) -> None:
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(browser: Browser, report: Path, scheme: str) -> None:
    browser.open(report, 1280, scheme=scheme)
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert browser.run(CONTRASTS) == []


def test_it_prints_with_every_picture(browser: Browser, report: Path) -> None:
    browser.open(report, 1280)
    browser.command("Emulation.setEmulatedMedia", media="print")
    hidden = browser.run(
        "return [...document.images].filter(i => i.getBoundingClientRect().height < 20).length"
    )
    assert hidden == 0
    printed = browser.command("Page.printToPDF", printBackground=True)
    assert len(printed["data"]) > 50_000

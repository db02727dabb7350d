"""An audit as one HTML file that a person understands at a glance, and as tables."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pandas as pd

from cxrspark.audit.judge import ALL, NOT_LISTED
from cxrspark.audit.report.answers import ANSWER_TABLES, answer_cards, answer_sections
from cxrspark.audit.report.copies import copies
from cxrspark.audit.report.histogram import histograms
from cxrspark.audit.report.page import (
    images,
    link,
    more,
    number,
    page,
    paragraph,
    percent,
    section,
    text,
)
from cxrspark.audit.report.parts import (
    confusion_table,
    contact_sheet,
    error_sheets,
    interval,
    records,
)
from cxrspark.audit.run import SUSPECTED_SHOWN, Audit
from cxrspark.evaluation.figures import OUTCOMES
from cxrspark.views import UNCERTAIN, VIEWS

REPORT = "report.html"
AT_ONCE = 28
"""Tiles of a contact sheet that are shown before one asks for more."""

LEAST_TILE = 152
"""Width of a tile in CSS pixels, also where its picture is smaller."""

TABLES = {
    "agreement": "for each header value what the model called its images, and the agreement",
    "confusion": "the same counts, one row per header value and call",
    "suspected_header_errors": "images whose header the model contradicts, surest first",
    "filled_views": "images without a view in the header, with the model's",
    "studies_without_frontal": "studies in which no image was called frontal",
    "studies_without_lateral": "studies in which no image was called lateral",
    **ANSWER_TABLES,
    "duplicates": "pairs of ids of one picture, where --duplicates looked for them",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet takes for a formula."""

FILES = (REPORT, *(f"{name}{suffix}" for name in TABLES for suffix in (".parquet", ".csv")))


def table_files(audit: Audit) -> dict[str, bytes]:
    """The audit's tables as Parquet and CSV, by file name."""
    files = {}
    for name, table in audit.tables().items():
        table.attrs.clear()  # Spark Connect's metrics, which Parquet cannot hold
        parquet = BytesIO()
        table.to_parquet(parquet, index=False)
        files[f"{name}.parquet"] = parquet.getvalue()
        files[f"{name}.csv"] = _harmless(table).to_csv(index=False).encode()
    return files


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet would run as a formula, behind an apostrophe (as OWASP advises)."""
    texts = table.select_dtypes(["object", "string"]).columns
    return table.assign(**{name: table[name].map(_escaped, na_action="ignore") for name in texts})


def _escaped(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def build_report(audit: Audit) -> str:
    """The report as a self-contained HTML page.

    Args:
        audit: From `cxrspark.audit.run.audit_views`.
    """
    body = [
        _head(audit),
        _cards(audit),
        _views(audit),
        _suspected(audit),
        _filled(audit),
        _studies(audit),
        *answer_sections(audit.answers, audit.pictures),
        _certainty(audit),
        copies(audit),
        _errors(audit),
        _notes(audit),
    ]
    return page(
        "Header views against the model", "\n".join(body), tile=max(LEAST_TILE, audit.picture_side)
    )


def _head(audit: Audit) -> str:
    together = _row(audit, ALL)
    words = "No header means frontal or lateral, so there is nothing to compare."
    if together is not None and not pd.isna(together["agreement"]):
        called, against = _called(together), int(together["disagree"])
        words = (
            f"Of {number(called)} images with a frontal or lateral header that the model called "
            f"either, it contradicts {number(against)} ({percent(against / called)})."
        )
    about = (
        f"Archive {', '.join(audit.archives)}. {number(audit.images)} images scored by model "
        f"{audit.model_id} (table {audit.scores}). Headers: column {audit.view_column} of "
        f"{audit.metadata}. Made {audit.when:%Y-%m-%d %H:%M} UTC."
    )
    title = "<h1>Chest X-ray views: is the header right?</h1>"
    return "\n".join([title, paragraph(words, "lead"), paragraph(about, "about")])


def _cards(audit: Audit) -> str:
    together, total = _row(audit, ALL), _total(audit)
    filled = audit.filled["view"].isin(VIEWS).sum()
    missing = audit.filled["view"].isin([*VIEWS, UNCERTAIN]).sum()
    cards = [
        _card("suspected", number(len(audit.suspected)), "suspected header errors", "key"),
        _card(
            "filled", number(int(filled)),
            f"missing views filled in, of {number(int(missing))} missing of chests", "key",
        ),
    ]  # fmt: skip
    if together is not None and not pd.isna(together["agreement"]):
        value = percent(float(together["agreement"]))
        said = f"of headers agree with the model ({interval(together)})"
        cards.insert(0, _card("views", value, said))
    for view in ("frontal", "lateral"):
        words = f"of {number(audit.studies)} studies with a chest have no {view} image"
        cards.append(_card("studies", number(len(audit.without[view])), words))
    cards += [_card(*shown) for shown in answer_cards(audit.answers)]
    cards.append(_card("certainty", number(total["uncertain"]), "images left uncertain"))
    cards.append(_card("errors", number(total["error"]), "images unreadable"))
    return '<nav aria-label="Findings"><ul class="cards">\n' + "\n".join(cards) + "\n</ul></nav>"


def _suspected(audit: Audit) -> str:
    shown = audit.suspected.head(SUSPECTED_SHOWN)
    if shown.empty:
        none = "The model contradicts no header."
        return section("suspected", "Suspected header errors", paragraph(none))
    many = len(audit.suspected)
    count = f" The surest {number(len(shown))} are shown." if many > len(shown) else ""
    words = (
        f"{number(many)} images whose header the model contradicts, surest first.{count} Look at "
        "each picture: if it shows what the model says, the header is wrong; if not, the model is. "
    )
    files = _files("suspected_header_errors")
    sheet = _sheet(audit, shown)
    return section("suspected", "Suspected header errors", paragraph(words), files, sheet)


def _views(audit: Audit) -> str:
    words = (
        "Each line is one value of the header, each column what the model called those images. "
        "Framed numbers contradict the header. Agreement counts images called frontal or lateral; "
        "below it stands its 95 % interval, by patient where one is known."
    )
    return section(
        "views", "What headers say and what the model sees", paragraph(words),
        confusion_table(audit.agreement),
    )  # fmt: skip


def _filled(audit: Audit) -> str:
    filled = audit.filled
    if filled.empty:
        words = "Every image of the metadata has a view in its header."
    else:
        counts = filled["view"].fillna("unreadable").value_counts()
        parts = [f"{number(int(n))} {name}" for name, n in counts.items()]
        words = (
            f"There is no view in the header of {images(len(filled))}. The model's answer: "
            f"{', '.join(parts)}."
        )
    beside = []
    if unlisted := _row(audit, NOT_LISTED):
        beside.append(f"Scored, but without a header: {images(unlisted['images'])}.")
    if audit.unscored:
        beside.append(f"In the metadata, but without a score: {images(audit.unscored)}.")
    return section(
        "filled", "Missing views, filled in", paragraph(words),
        paragraph(" ".join(beside)) if beside else "", _files("filled_views"),
    )  # fmt: skip


def _studies(audit: Audit) -> str:
    if not audit.studies:
        words = paragraph("The scores table knows no study with a chest radiograph.")
        return section("studies", "Studies that lack a view", words)
    lines = []
    for view, rows in audit.without.items():
        open_ones = int(((rows["uncertain"] > 0) | (rows["error"] > 0)).sum())
        lines.append(
            f"<li><b>{number(len(rows))}</b> studies "
            f"({text(percent(len(rows) / audit.studies))}) have no image called "
            f'<span class="{view}">{view}</span>; {number(open_ones)} of them have an uncertain or '
            f"unreadable image that may be one. {_files(f'studies_without_{view}')}</li>"
        )
    words = paragraph(
        f"Of {number(audit.studies)} studies with a chest, by what the model called their images:"
    )
    listed = "<ul>\n" + "\n".join(lines) + "\n</ul>"
    return section("studies", "Studies that lack a view", words, listed)


def _certainty(audit: Audit) -> str:
    words = (
        "p_frontal is the model's probability that an image is a frontal view: near 1 it is sure "
        "of frontal, near 0 of lateral. The scale of images is logarithmic, so that few images "
        "can be seen beside many."
    )
    parts = [paragraph(words), histograms(audit.histogram)]
    if not audit.least_certain.empty:
        sure = audit.least_certain["p_frontal"].sub(0.5).abs() + 0.5
        least, most = text(percent(sure.min())), text(percent(sure.max()))
        words = f"{images(len(sure))} of chests, the least certain: {least} to {most} sure"
        parts.append(f"<h3>{words}</h3>")
        parts.append(_sheet(audit, audit.least_certain))
    return section("certainty", "How certain the model is", *parts)


def _errors(audit: Audit) -> str:
    if audit.errors.empty:
        return section("errors", "Unreadable images", paragraph("Every image could be read."))
    total = images(_total(audit)["error"])
    words = (
        f"Without a score, as the file could not be used: {total}. A picture is there "
        "where the archive was given (--archive) and the file shows something all the same."
    )
    sheets = error_sheets(audit.errors, audit.pictures)
    return section("errors", "Unreadable images", paragraph(words), sheets)


def _notes(audit: Audit) -> str:
    rules = [
        "AP and PA mean frontal, LATERAL and LL lateral, as the authors of MIMIC-CXR count them. "
        "Other values are shown, but neither agree nor disagree.",
        "A suspected header error is an image that the model calls frontal under a lateral header "
        "or the other way round; uncertain images are never suspected.",
        "Intervals are Wilson's at 95 %, on the effective number of images: those of one patient "
        "count as repeating each other, so that the interval is rather too wide than too narrow.",
    ]
    listed = "".join(f"<li>{text(rule)}</li>" for rule in rules)
    files = "".join(
        f"<dt>{link(f'{name}.csv')}, {link(f'{name}.parquet')}</dt><dd>{text(what)}</dd>"
        for name, what in TABLES.items()
    )
    return section(
        "notes", "How to read this, and the files beside it",
        f"<ul>{listed}</ul>", f'<dl class="files">{files}</dl>',
    )  # fmt: skip


def _card(target: str, value: str, words: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return (
        f'<li><a{attribute} href="#{target}"><b>{text(value)}</b><small>{text(words)}</small>'
        "</a></li>"
    )


def _sheet(audit: Audit, shown: pd.DataFrame) -> str:
    """A contact sheet, the later part of a long one on demand."""
    rest = shown.iloc[AT_ONCE:]
    sheet = contact_sheet(shown.head(AT_ONCE), audit.pictures)
    if rest.empty:
        return sheet
    return sheet + more(f"Show {len(rest)} more", contact_sheet(rest, audit.pictures))


def _files(name: str) -> str:
    return f"<p>The whole list: {link(f'{name}.csv')} or {link(f'{name}.parquet')}</p>"


def _row(audit: Audit, header: str) -> dict[str, Any] | None:
    rows = records(audit.agreement[audit.agreement["header"] == header])
    return rows[0] if rows else None


def _called(row: dict[str, Any]) -> int:
    return int(row["frontal"] + row["lateral"])


def _total(audit: Audit) -> dict[str, int]:
    """Images by outcome, over all header values."""
    cells = audit.tables()["confusion"].groupby("outcome")["images"].sum()
    return {name: int(cells.get(name, 0)) for name in OUTCOMES}

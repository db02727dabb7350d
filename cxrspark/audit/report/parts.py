"""Parts of the report: the table of headers and contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from cxrspark.audit.judge import ALL, GROUPS, NOT_LISTED
from cxrspark.audit.report.page import SPACE, images, number, percent, text
from cxrspark.evaluation.figures import OUTCOMES
from cxrspark.views import NO_VIEW

PARTS = {
    "frontal": "Headers that mean frontal",
    "lateral": "Headers that mean lateral",
    "other": "Other views, counted as neither",
    "": "No view known",
    ALL: "All that mean frontal or lateral",
}
NAMES = {
    **dict.fromkeys(GROUPS.values(), "together"),
    ALL: "together",
    NO_VIEW: "(empty)",
    NOT_LISTED: "(no header found)",
}
SHADES = {"frontal": "f", "lateral": "l", "uncertain": "u", "other": "u", "error": "u"}

CALLED = {
    "frontal": "called frontal",
    "lateral": "called lateral",
    "uncertain": "uncertain",
    "other": "no chest",
    "error": "unreadable",
}


def confusion_table(agreed: pd.DataFrame) -> str:
    """Rows of `cxrspark.audit.judge.agreement` as an HTML table, each cell shaded by its share."""
    head = ["Header", "Agreement", *(CALLED[outcome] for outcome in OUTCOMES)]
    cells = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    rows = []
    part = None
    for row in records(agreed):
        view = "" if pd.isna(row["header_view"]) else str(row["header_view"])
        if view != part:
            part = view
            title = f'<th colspan="{len(head)}" scope="rowgroup">{PARTS[view]}</th>'
            rows.append(f'<tr class="part">{title}</tr>')
        rows.append(_header_row(row, view))
    body = "\n".join(rows)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-labelledby="views-title">\n'
        f"<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """The 95 % interval of a row of `cxrspark.audit.judge.agreement`."""
    low, high = (percent(float(row[end]), digits) for end in ("low", "high"))
    return low.removesuffix(f"{SPACE}%") + f" to {high}"


def contact_sheet(
    shown: pd.DataFrame,
    pictures: Mapping[str, str],
    facts: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
) -> str:
    """Tiles with picture, header, call, probability and ids.

    Args:
        shown: Images; columns `cxrspark.audit.judge.TILE`.
        pictures: Data URIs by image id; a tile without one says so.
        facts: What a tile says in place of header, call and probability, by name.
    """
    tiles = []
    for row in records(shown):
        picture = pictures.get(row["image_id"])
        tiles.append(_fact_tile(row, picture, facts(row)) if facts else _tile(row, picture))
    return '<ul class="tiles">\n' + "\n".join(tiles) + "\n</ul>"


def error_sheets(errors: pd.DataFrame, pictures: Mapping[str, str]) -> str:
    """For each kind of error tiles of the first images, with the whole message.

    Args:
        errors: From `cxrspark.audit.judge.errors`.
        pictures: Data URIs by image id, of those files that show something all the same.
    """
    kinds = []
    for kind, rows in errors.groupby("kind", sort=False):
        of_kind = int(rows["of_kind"].iloc[0])
        tiles = [_error_tile(row, pictures.get(row["image_id"])) for row in records(rows)]
        shown = f", the first {len(tiles)} by path" if of_kind > len(tiles) else ""
        title = str(kind)[:1].upper() + str(kind)[1:]
        kinds.append(
            f"<h3>{text(title)}: {images(of_kind)}{shown}</h3>\n"
            f'<ul class="tiles">\n' + "\n".join(tiles) + "\n</ul>"
        )
    return "\n".join(kinds)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table by column name."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _header_row(row: Mapping[str, Any], view: str) -> str:
    name = NAMES.get(row["header"], row["header"])
    together = row["header"] in (*GROUPS.values(), ALL)
    cells = [f'<th scope="row">{text(name)}<small>{images(row["images"])}</small></th>']
    if pd.isna(row["agreement"]):
        cells.append("<td>–</td>")
    else:
        value = percent(float(row["agreement"]))
        cells.append(f"<td>{text(value)}<small>{text(interval(row))}</small></td>")
    for outcome in OUTCOMES:
        count = int(row[outcome])
        share = count / row["images"]
        against = {view, outcome} == {"frontal", "lateral"} and count > 0
        shade = f"share {SHADES[outcome]}" + (" against" if against else "")
        small = f"<small>{text(percent(share))}</small>" if count else ""
        cells.append(
            f'<td class="{shade}" style="--w:{share * 100:.1f}%">{number(count)}{small}</td>'
        )
    start = '<tr class="sum">' if together else "<tr>"
    return start + "".join(cells) + "</tr>"


def _tile(row: Mapping[str, Any], picture: str | None) -> str:
    header = str(NAMES.get(row["header"], row["header"]))
    called, p = str(row["outcome"]), float(row["p_frontal"])
    said = (
        f'<dl class="said"><dt>Header</dt><dd>{_coloured(header, row["header_view"])}</dd>'
        f"<dt>Model</dt><dd>{_coloured(called, called)}</dd>"
        f"<dt>p_frontal</dt><dd>{text(probability(p))}</dd></dl>\n"
        f'<span class="scale" style="--p:{p:.3f}"></span>'
    )
    return _figure(row, picture, f"Radiograph; header {header}, model {called}", said)


def _fact_tile(row: Mapping[str, Any], picture: str | None, facts: Mapping[str, str]) -> str:
    said = "".join(f"<dt>{text(name)}</dt><dd>{text(fact)}</dd>" for name, fact in facts.items())
    alt = "Image; " + ", ".join(f"{name.lower()} {fact}" for name, fact in facts.items())
    return _figure(row, picture, alt, f'<dl class="said">{said}</dl>')


def _error_tile(row: Mapping[str, Any], picture: str | None) -> str:
    message = "no score" if pd.isna(row["error"]) else str(row["error"])
    said = f'<p class="fails">{text(message)}</p>'
    return _figure(row, picture, f"What the file shows; {message}", said)


def _figure(row: Mapping[str, Any], picture: str | None, alt: str, said: str) -> str:
    facts = {
        "Path": row["path"],
        "Study": row["study_id"],
        "Patient": row["subject_id"],
        "Size": None if pd.isna(row["rows"]) else f"{int(row['columns'])} × {int(row['rows'])}",
    }
    listed = "".join(
        f"<div>{name}: {text(value)}</div>" for name, value in facts.items() if not pd.isna(value)
    )
    shape, style = "wide", ""
    if not pd.isna(row["rows"]):
        shape = "tall" if row["rows"] > row["columns"] else "wide"
        style = f' style="aspect-ratio:{int(row["columns"])}/{int(row["rows"])}"'
    shown = "No picture"
    if picture:
        shown = f'<img class="{shape}"{style} alt="{text(alt)}" src="{picture}">'
    return (
        f'<li><figure><div class="pic">{shown}</div><figcaption>\n{said}'
        f"<code>{text(row['image_id'])}</code>\n"
        f"<details><summary>More</summary>{listed}</details></figcaption></figure></li>"
    )


def probability(p: float) -> str:
    """Four digits, and never 0 or 1 for what is not."""
    if 0 < p < 0.00005:
        return "<0.0001"
    return ">0.9999" if 0.99995 <= p < 1 else f"{p:.4f}"


def _coloured(name: str, view: object) -> str:
    known = view in ("frontal", "lateral", "uncertain", "other")
    return f'<span class="{view}">{text(name)}</span>' if known else text(name)

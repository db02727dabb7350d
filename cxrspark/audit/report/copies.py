"""The report's section on pictures that are there under several ids."""

from __future__ import annotations

from typing import Any

from cxrspark.audit.report.page import link, number, paragraph, section, text
from cxrspark.audit.report.parts import records
from cxrspark.audit.run import PAIRS_SHOWN, Audit

TITLE = "The same picture twice"


def copies(audit: Audit) -> str:
    """Counts, and pairs side by side; empty where nobody looked."""
    pairs = audit.duplicates
    if pairs is None:
        return ""
    if pairs.empty:
        return section("copies", TITLE, paragraph("No picture is there under two ids."))
    exact = int((pairs["kind"] == "exact").sum())
    apart = int((~pairs["same_subject"].fillna(True).astype(bool)).sum())
    words = (
        f"{number(len(pairs))} pairs of ids show one picture: {number(exact)} to the last pixel, "
        f"{number(len(pairs) - exact)} compressed, resized or of another contrast. "
        f"{number(apart)} pairs are of two patients, who leak from training to test, or of a "
        "patient with two ids."
    )
    shown = "".join(_pair(row, audit) for row in records(pairs.head(PAIRS_SHOWN)))
    files = f"<p>The whole list: {link('duplicates.csv')} or {link('duplicates.parquet')}</p>"
    return section("copies", TITLE, paragraph(words), files, f'<ul class="tiles">{shown}</ul>')


def _pair(row: dict[str, Any], audit: Audit) -> str:
    pictures = "".join(
        f'<img alt="" src="{audit.pictures[row[name]]}">'
        for name in ("image_id", "other_image_id")
        if row[name] in audit.pictures
    )
    said = " = ".join(text(str(row[name])) for name in ("image_id", "other_image_id"))
    subjects = " and ".join(text(str(row[name])) for name in ("subject_id", "other_subject_id"))
    return f"<li>{pictures}<p>{said}</p><small>{text(row['kind'])}, of {subjects}</small></li>"

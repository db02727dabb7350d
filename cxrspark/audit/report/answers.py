"""Sections of the report on what is no chest, what lies wrong, and AP against PA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxrspark.audit.answers import SHOWN, Answers
from cxrspark.audit.report.page import images, link, number, paragraph, percent, section, text
from cxrspark.audit.report.parts import contact_sheet, probability
from cxrspark.views import AP, PA

ANSWER_TABLES = {
    "not_a_chest": "images called other, surest first, and whether their header says chest",
    "chest_after_all": "images called frontal or lateral whose header names another body part",
    "turned_inverted_mirrored": "images that do not lie upright, are inverted or mirrored",
    "projections": "for AP and PA in the header what the model says, counted",
    "suspected_projection_errors": "images whose header says AP and the model PA, or the reverse",
}
Row = Mapping[str, Any]


def answer_cards(answers: Answers) -> list[tuple[str, str, str]]:
    """Section, value and words of each card; none where the model gives no such answers."""
    if not answers.known:
        return []
    return [
        ("others", number(len(answers.not_chests)), "images that are no chest radiograph"),
        ("laid", number(len(answers.turned)), "images turned, inverted or mirrored"),
        ("projection", number(len(answers.suspected_projections)), "suspected AP or PA errors"),
    ]


def answer_sections(answers: Answers, pictures: Mapping[str, str]) -> list[str]:
    """The sections as HTML.

    Args:
        answers: The lists.
        pictures: Data URIs by image id.
    """
    if not answers.known:
        words = "The model of these scores says frontal or lateral alone, as older ones do."
        return [section("others", "No chest, turned, inverted, AP or PA", paragraph(words))]
    return [_others(answers, pictures), _laid(answers, pictures), _projection(answers, pictures)]


def _others(answers: Answers, pictures: Mapping[str, str]) -> str:
    others = answers.not_chests
    against = others["header_says_chest"].astype(bool)
    words = (
        f"The model calls {images(len(others))} other: no frontal or lateral chest radiograph, but "
        "another body part, a slice, a page, noise. First stand those whose header has a view or a "
        f"body part of the chest: {images(int(against.sum()))}."
    )
    first = pd.concat([others[against], others[~against]]).head(SHOWN)
    parts = [paragraph(words), _list("not_a_chest"), contact_sheet(first, pictures, _of_other)]
    reverse = answers.chests_after_all
    if len(reverse):
        words = f"{number(len(reverse))} chests whose header names another body part"
        parts += [f"<h3>{text(words)}</h3>", _list("chest_after_all")]
        parts.append(contact_sheet(reverse.head(SHOWN), pictures, _of_other))
    return section("others", "No chest radiograph", *parts)


def _laid(answers: Answers, pictures: Mapping[str, str]) -> str:
    wrong = answers.turned
    counts = {
        "turned": int((wrong["turn"].fillna(0) != 0).sum()),
        "inverted": int(wrong["inverted"].eq(True).sum()),
        "mirrored": int(wrong["mirrored"].eq(True).sum()),
    }
    listed = ", ".join(f"{number(count)} {name}" for name, count in counts.items())
    words = (
        f"Not as they should lie: {images(len(wrong))}, {listed}. Degrees are those clockwise that "
        "set an image upright. Nothing is changed in the archive."
    )
    sheet = contact_sheet(wrong.head(SHOWN), pictures, _of_laid)
    return section(
        "laid", "Turned, inverted, mirrored", paragraph(words), _list("turned_inverted_mirrored"),
        sheet,
    )  # fmt: skip


def _projection(answers: Answers, pictures: Mapping[str, str]) -> str:
    counts = answers.projections
    known = counts.assign(projection=counts["projection"].fillna("not sure"))
    table = known.pivot_table("images", "header", "projection", "sum", fill_value=0)
    table = table.reindex(index=[AP, PA], columns=[AP, PA, "not sure"], fill_value=0).astype(int)
    cells = table.to_numpy(np.int64)
    answered, agree = int(cells[:, :2].sum()), int(cells[0, 0] + cells[1, 1])
    said = "The model is not sure enough of any of them."
    if answered:
        said = (
            f"It answers for {number(answered)} and agrees with {number(agree)} "
            f"({percent(agree / answered)})."
        )
    words = f"Frontal, with AP or PA in the header: {images(int(cells.sum()))}. "
    head = "".join(f'<th scope="col">model {text(name)}</th>' for name in table.columns)
    body = "".join(
        f'<tr><th scope="row">header {text(header)}</th>'
        + "".join(f"<td>{number(int(count))}</td>" for count in row)
        + "</tr>"
        for header, row in zip(table.index, cells, strict=True)
    )
    html = f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    sheet = contact_sheet(answers.suspected_projections.head(SHOWN), pictures, _of_projection)
    return section(
        "projection", "AP or PA", paragraph(words + said), html,
        _list("suspected_projection_errors"), sheet,
    )  # fmt: skip


def _of_other(row: Row) -> dict[str, str]:
    unknown = bool(pd.isna(row["body_part"]))
    return {
        "Header": str(row["header"]),
        "Body part": "–" if unknown else str(row["body_part"]),
        "Model": str(row["outcome"]),
        "p_chest": probability(float(row["p_chest"])),
    }


def _of_laid(row: Row) -> dict[str, str]:
    facts = {"Model": str(row["outcome"])}
    if not pd.isna(row["turn"]) and row["turn"]:
        facts["Turn by"] = f"{int(row['turn'])}°"
    for name in ("inverted", "mirrored"):
        if row[name] is True:
            facts[name.capitalize()] = "yes"
    return facts


def _of_projection(row: Row) -> dict[str, str]:
    return {
        "Header": str(row["header"]),
        "Model": str(row["projection"]),
        "p_ap": probability(float(row["p_ap"])),
    }


def _list(name: str) -> str:
    return f"<p>The whole list: {link(f'{name}.csv')} or {link(f'{name}.parquet')}</p>"

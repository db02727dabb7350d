"""The report's histograms of p_frontal, as inline SVG with the numbers beside it."""

from __future__ import annotations

from math import ceil, log10

import pandas as pd

from cxrspark.audit.judge import BINS
from cxrspark.audit.report.page import images, more, number, text
from cxrspark.evaluation.figures import SCORED

PANELS = {
    "frontal": "Header says frontal",
    "lateral": "Header says lateral",
    "none": "Header says neither or nothing",
}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 360, 210, 46, 38, 10
FLOOR = -0.25  # the axis starts below log10(1), so that a single image has a bar


def histograms(counts: pd.DataFrame) -> str:
    """One panel for each kind of header that has images, on one scale.

    Args:
        counts: From `cxrspark.audit.judge.histogram`.
    """
    bins = counts.groupby(["header_view", "bin"])["images"].sum()
    decades = max(1, ceil(log10(int(bins.max())))) if len(bins) else 1
    # A bin that a threshold divides has the colour of most of its images.
    largest = counts.sort_values("images").drop_duplicates(["header_view", "bin"], keep="last")
    colours = largest.set_index(["header_view", "bin"])["outcome"]
    panels = [
        _panel(title, bins[view].to_dict(), colours[view].to_dict(), decades)
        for view, title in PANELS.items()
        if view in bins.index.get_level_values(0)
    ]
    legend = "".join(
        f'<span><span class="swatch {name}"></span>called {name}</span>'
        if name != "uncertain"
        else f'<span><span class="swatch {name}"></span>left uncertain</span>'
        for name in SCORED
    )
    return (
        f'<p class="legend">{legend}</p>\n<div class="panels">\n'
        + "\n".join(panels)
        + "\n</div>\n"
        + more("The same as numbers", _numbers(bins))
    )


def _panel(title: str, bins: dict[int, int], colours: dict[int, str], decades: int) -> str:
    plot = HEIGHT - BOTTOM - TOP

    def y(log: float) -> float:
        return TOP + plot * (1 - (log - FLOOR) / (decades - FLOOR))

    step = (WIDTH - LEFT - 6) / BINS
    parts = []
    for decade in range(decades + 1):
        height = y(decade)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 6}" y1="{height:.1f}" y2="{height:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{_short(decade)}</text>'
        )
    for place, count in sorted(bins.items()):
        top = y(log10(count))
        said = f"p_frontal {place / BINS:.2f} to {(place + 1) / BINS:.2f}: {images(count)}"
        parts.append(
            f'<rect class="{colours[place]}" x="{LEFT + place * step + 0.75:.1f}" y="{top:.1f}" '
            f'width="{step - 1.5:.1f}" height="{HEIGHT - BOTTOM - top:.1f}"><title>{said}</title>'
            "</rect>"
        )
    for share in (0, 0.5, 1):
        x = LEFT + share * BINS * step
        anchor = {0: "start", 0.5: "middle", 1: "end"}[share]
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - 22}" text-anchor="{anchor}">{share}</text>')
    parts.append(
        f'<text x="{LEFT + BINS * step / 2:.0f}" y="{HEIGHT - 5}" text-anchor="middle">'
        "lateral ← p_frontal → frontal</text>"
    )
    total = sum(bins.values())
    label = text(f"Histogram of p_frontal, {title}: {images(total)} on a log scale")
    return (
        f"<figure><h3>{text(title)}<small>{images(total)}</small></h3>\n"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">\n'
        + "\n".join(parts)
        + "\n</svg></figure>"
    )


def _short(decade: int) -> str:
    return f"{10 ** (decade % 3)}{('', 'k', 'M', 'G')[decade // 3]}"


def _numbers(bins: pd.Series[int]) -> str:
    head = "".join(f'<th scope="col">{text(title)}</th>' for title in PANELS.values())
    rows = []
    for place in range(BINS):
        counts = (int(bins.get((view, place), 0)) for view in PANELS)
        cells = "".join(f"<td>{number(count)}</td>" for count in counts)
        name = f"{place / BINS:.2f} to {(place + 1) / BINS:.2f}"
        rows.append(f'<tr><th scope="row">{name}</th>{cells}</tr>')
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Images by p_frontal"><table>'
        f'<thead><tr><th scope="col">p_frontal</th>{head}</tr></thead><tbody>\n'
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )

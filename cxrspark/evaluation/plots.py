"""Evaluations as PNG plots; needs matplotlib, which only these plots do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cxrspark.evaluation.figures import BINS, NOT_PER_CENT, OUTCOMES, PER_CENT, Evaluation
from cxrspark.evaluation.intervals import Figure
from cxrspark.views import VIEWS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

# Okabe and Ito's palette, told apart by the colour-blind; shapes and hatches differ as well.
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#777777"
PANELS = {
    "accuracy": "Accuracy, every image called (%)",
    "sensitivity_frontal": "Sensitivity, frontal (%)",
    "sensitivity_lateral": "Sensitivity, lateral (%)",
    "accuracy_called": "Accuracy where called (%)",
    "auc": "AUC",
    "brier": "Brier score",
}
DPI = 120


def write_plots(evaluations: Sequence[Evaluation], model_id: str, folder: Path) -> list[Path]:
    """Draw figures.png, confusion.png and reliability.png.

    Args:
        evaluations: From :func:`cxrspark.evaluation.figures.evaluate`, all images first.
        model_id: Named in the titles.
        folder: Where the files go; it exists.

    Returns:
        The files written.

    Raises:
        ImportError: matplotlib is not installed.
    """
    drawings = {
        "figures.png": _figures(evaluations, model_id),
        "confusion.png": _confusion(evaluations, model_id),
        "reliability.png": _reliability(evaluations[0], model_id),
    }
    for name, drawing in drawings.items():
        drawing.savefig(folder / name, dpi=DPI)
    return [folder / name for name in drawings]


def _drawing(width: float, height: float, title: str) -> Drawing:
    from matplotlib.figure import Figure as Drawing  # without pyplot: no window, no state

    drawing = Drawing(figsize=(width, height), layout="constrained")
    drawing.suptitle(title, fontsize=13)
    return drawing


def _figures(evaluations: Sequence[Evaluation], model_id: str) -> Drawing:
    """One panel a figure, one line a source: the value and its 95 % interval."""
    height = 2.4 + 0.62 * len(evaluations)
    drawing = _drawing(12, height, f"Model {model_id}: figures with 95 % intervals")
    panels = drawing.subplots(2, 3, sharey=True).flat
    for panel, (name, title) in zip(panels, PANELS.items(), strict=True):
        scale, digits = NOT_PER_CENT.get(name, PER_CENT)
        for line, evaluation in enumerate(evaluations):
            _figure_line(panel, getattr(evaluation, name), line, scale, digits)
        panel.set_title(title, fontsize=10)
        panel.set_yticks(range(len(evaluations)), [e.name for e in evaluations])
        panel.set_ylim(len(evaluations) - 0.5, -0.6)
        panel.margins(x=0.12)
        panel.locator_params(axis="x", nbins=5)
        panel.ticklabel_format(axis="x", useOffset=False)
        panel.grid(axis="x", color="#dddddd")
        panel.set_axisbelow(True)
    return drawing


def _figure_line(panel: Axes, figure: Figure | None, line: int, scale: int, digits: int) -> None:
    if figure is None:
        panel.text(
            0.5, line, "not measurable", color=GREY, ha="center", va="center", fontsize=8,
            transform=panel.get_yaxis_transform(),
        )  # fmt: skip
        return
    colour, marker = (BLUE, "s") if line == 0 else (VERMILION, "o")
    value = figure.value * scale
    if figure.low is not None and figure.high is not None:
        panel.plot([figure.low * scale, figure.high * scale], [line] * 2, color=colour, linewidth=2)
    panel.plot(value, line, marker, color=colour, markersize=6)
    panel.text(value, line - 0.18, f"{value:.{digits}f}", ha="center", va="bottom", fontsize=8)


def _confusion(evaluations: Sequence[Evaluation], model_id: str) -> Drawing:
    """What images of each label were called, one panel a source, shaded by share of the row."""
    across = min(3, len(evaluations))
    down = -(-len(evaluations) // across)
    drawing = _drawing(max(7, 4.2 * across), 1.0 + 2.1 * down, f"Model {model_id}: confusion")
    panels = list(drawing.subplots(down, across, squeeze=False).flat)
    for panel, evaluation in zip(panels, evaluations, strict=False):
        _confusion_panel(panel, evaluation)
    drawing.supxlabel("what the model called them", fontsize=10)
    drawing.supylabel("what they are labelled", fontsize=10)
    for panel in panels[len(evaluations) :]:
        panel.set_axis_off()
    return drawing


def _confusion_panel(panel: Axes, evaluation: Evaluation) -> None:
    counts = np.array([[evaluation.confusion[v][o] for o in OUTCOMES] for v in VIEWS])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    panel.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        text = f"{count:,}\n{shares[row, column]:.2%}" if counts[row].sum() else "0"
        panel.text(column, row, text, color=colour, ha="center", va="center", fontsize=9)
    panel.set_title(f"{evaluation.name} ({evaluation.images:,} images)", fontsize=10)
    panel.set_xticks(range(len(OUTCOMES)), OUTCOMES, fontsize=9)
    panel.set_yticks(range(len(VIEWS)), VIEWS, fontsize=9)


def _reliability(evaluation: Evaluation, model_id: str) -> Drawing:
    """Above, how often a p_frontal came true; below, how many images had it."""
    drawing = _drawing(7, 7.5, f"Model {model_id}: reliability, all sources")
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    above.plot([0, 1], [0, 1], "--", color=GREY, label="perfectly calibrated")
    for one in evaluation.reliability:
        if one.frontal is not None and one.mean_p is not None:
            above.plot([one.mean_p] * 2, [one.frontal.low, one.frontal.high], "_-", color=BLUE)
            above.plot(one.mean_p, one.frontal.value, "o", color=BLUE)
    above.plot([], [], "o-", color=BLUE, label=f"one of {BINS} bins, with 95 % interval")
    above.set_ylabel("share labelled frontal")
    above.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    width = 0.4 / BINS
    bars = (("lateral", VERMILION, "///", 0.1 / BINS), ("frontal", BLUE, "", 0.5 / BINS))
    for view, colour, hatch, shift in bars:
        counts = [one.images[view] for one in evaluation.reliability]
        lefts = [one.low + shift for one in evaluation.reliability]
        look = {"color": colour, "hatch": hatch, "edgecolor": "white"}
        below.bar(lefts, counts, width, align="edge", label=f"labelled {view}", **look)
    below.set_yscale("symlog", linthresh=1)
    below.set_ylabel("images (log scale)")
    below.set_xlabel("p_frontal")
    below.set_xlim(-0.02, 1.02)
    below.set_xticks(np.linspace(0, 1, BINS + 1))
    below.legend(loc="upper center")
    for panel in (above, below):
        panel.grid(color="#dddddd")
        panel.set_axisbelow(True)
    return drawing

"""The paper's figure: four curves of a training."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def write_curves(history: list[dict[str, float]], file: Path, kept_epoch: int) -> None:
    """Draw training and validation loss and accuracy over the epochs.

    Args:
        history: Rows with epoch, loss, accuracy, val_loss and val_accuracy.
        file: PNG to write.
        kept_epoch: Epoch whose weights are kept; a line marks it.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    epochs = [row["epoch"] for row in history]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [row[name] for row in history], linewidth=0.8, label="training")
        held_back = [row[f"val_{name}"] for row in history]
        axes.plot(epochs, held_back, linewidth=0.8, label="validation")
        axes.axvline(kept_epoch, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xlabel("epoch")
        axes.set_title(name)
        axes.legend(frameon=False)
    top = sorted(row["val_loss"] for row in history)[int(0.98 * (len(history) - 1))]
    figure.axes[0].set_ylim(0, max(1.05 * top, 1.05 * history[-1]["loss"]))
    figure.savefig(file, dpi=90)

"""Write the tables of README.md and docs/ from docs/figures: the last step of `make bench`.

A table stands between `<!-- figures: NAME -->` and `<!-- end -->`.
"""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.common.measuring import FIGURES
from benchmarks.speed.compare import CONTESTANTS

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/benchmarks.md", "docs/scale.md")
BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def load(name: str) -> dict:
    return json.loads((FIGURES / f"{name}.json").read_text())


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown, the first column to the left and the others to the right."""
    head = list(head)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def measured(figures: dict) -> str:
    return f"\nMeasured on {figures['date']}, {figures['machine']}."


def compare() -> str:
    figures = load("compare")
    medians, loop = figures["medians"], figures["medians"]["loop"]
    rows = [
        [
            f"**{CONTESTANTS[name].label}**" if name == "cxrspark" else CONTESTANTS[name].label,
            f"{medians[name]:.1f}",
            f"{medians[name] / loop:.2f}",
            f"{medians['cxrspark'] / medians[name]:.2f}",
        ]
        for name in CONTESTANTS
    ]
    all_versions = {k: v for found in figures["versions"].values() for k, v in found.items()}
    names = ", ".join(f"{k} {all_versions[k]}" for k in ("pyspark", "ray", "daft", "pillow"))
    head = ["", "images/s", "of the bare loop", "cxrspark is faster by"]
    said = f" {figures['images']:,} JPEGs of {figures['megabytes']:.2f} MB, {names}.\n"
    return table(head, rows) + measured(figures) + said


def networks() -> str:
    figures = load("networks")
    rows = [
        [
            row["network"],
            f"{row['parameters']:,}",
            row["input"],
            f"{row['ms_per_image']:.2f}",
            f"{row['images_per_core_hour']:,}",
            f"{row['share_of_time']:.1%}",
        ]
        for row in figures["networks"]
    ]
    head = ["network", "parameters", "input", "ms/image", "images/core hour", "of the job's time"]
    said = f" Decoding takes {figures['decode_ms']:.1f} ms.\n"
    return table(head, rows) + measured(figures) + said


def scoring() -> str:
    figures = load("scoring")
    return (
        f"Scoring adds **{figures['added_ms_per_image']:.2f} ms** to an image on one core.\n"
        f"{measured(figures)} {figures['images']:,} images.\n"
    )


def whole() -> str:
    figures = load("whole_archive")
    rows = [
        [
            f"{run['images']:,}",
            f"{run['seconds']:.1f}",
            f"{run['seconds_outside_tasks']:.1f}",
            f"{run['decoding_seconds']:,.0f}",
            f"{run['overhead']:.2%}",
            f"{run['core_ms_per_mimic_image']:.2f}",
        ]
        for run in figures["runs"]
    ]
    head = ["images", "s", "of them outside reading", "decoding would take, s", "overhead"]
    peaks = ", ".join(f"{name} {size:,.0f}" for name, size in figures["peak_megabytes"].items())
    said = f" At most, in MB: {peaks}.\n"
    return table([*head, "core ms/MIMIC-sized image"], rows) + measured(figures) + said


def scale() -> str:
    figures = load("scale")
    rows = [
        [
            row["archive"],
            f"{row['cores']:,}",
            f"{row['minutes']:,.1f}",
            f"{row['core_hours']:.2f}",
            f"{row['busy']:.0%}",
            f"{row['busy_after_start']:.0%}",
            row["limit"],
        ]
        for row in figures["rows"]
    ]
    head = ["archive", "cores", "minutes", "core hours", "cores in tasks", "after the start"]
    each = ", ".join(
        f"{name} {1000 * seconds:.1f} ms"
        for name, seconds in figures["core_seconds_an_image"].items()
    )
    said = f" An image takes on a core: {each}.\n"
    return table([*head, "limited by"], rows) + measured(figures) + said


TABLES: dict[str, Callable[[], str]] = {
    "compare": compare, "networks": networks, "scoring": scoring, "whole": whole, "scale": scale
}  # fmt: skip


def main() -> None:
    for page in PAGES:
        file = ROOT / page
        text = file.read_text()
        file.write_text(BLOCK.sub(lambda m: m[1] + TABLES[m[2]]() + m[3], text))


if __name__ == "__main__":
    main()

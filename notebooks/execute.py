"""Run notebooks and keep their outputs in them: python notebooks/execute.py FILE…."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

TIMEOUT_SECONDS = 900
QUIET = "--IPKernelApp.capture_fd_output=False"
"""What the JVM and TensorFlow say goes to this terminal, not into the notebook."""

PROGRESS = re.compile(r"\d[\d,]* of [\d,]+ images|epoch \d+ of \d+")
"""Lines that say how far a cell has come; they differ from run to run."""


def execute(file: Path) -> NotebookNode:
    """Run all cells of a notebook in its own folder.

    Args:
        file: The notebook; not changed.

    Returns:
        The notebook with the outputs of this run, without times and without progress.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
        ValueError: A cell gave a warning.
    """
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=[QUIET],
        resources={"metadata": {"path": str(file.parent)}},
    )
    client.execute()
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress(output)]
    return notebook


def _is_progress(output: NotebookNode) -> bool:
    if output.get("name") != "stderr":
        return False
    unexpected = [line for line in output.text.splitlines() if not PROGRESS.match(line)]
    if unexpected:
        raise ValueError(f"a cell wrote to stderr: {unexpected[0]}")
    return True


if __name__ == "__main__":
    for name in sys.argv[1:]:
        nbformat.write(execute(Path(name)), name)

"""The Python process in which an executor runs a task."""

from __future__ import annotations

import sys
from zipimport import zipimporter


def forget_zips() -> None:
    """Drop what Python has cached of the zip files and jars on its path; call it as a task ends.

    A worker starts each task by `importlib.invalidate_caches`, and up to Python 3.12 every cached
    zip file is then listed anew: some 50 ms a task for Spark's own (Spark 4.2 no longer does it,
    SPARK-54744). A later import finds the zip file again by itself.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]

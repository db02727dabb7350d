import importlib
import subprocess
import sys
import zipfile
from pathlib import Path
from zipimport import zipimporter

import pytest

from cxrspark.scoring.worker import forget_zips

ROOT = Path(__file__).parents[2]
LOADED = ["PIL.Image", "ai_edge_litert.interpreter", "obstore", "pandas", "pyarrow"]
FORKING = f"""
import os, sys
import cxrspark.scoring.daemon
assert not {{"tensorflow", "pydantic", "matplotlib"}} & set(sys.modules)
print(len(os.listdir("/proc/self/task")), *(name for name in {LOADED} if name in sys.modules))
"""


def test_forgotten_zips_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = str(tmp_path / "modules.zip")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("in_zip_first.py", "NAME = 'first'")
        file.writestr("in_zip_second.py", "NAME = 'second'")
    monkeypatch.syspath_prepend(archive)
    assert importlib.import_module("in_zip_first").NAME == "first"
    assert isinstance(sys.path_importer_cache[archive], zipimporter)
    folders = {path for path, f in sys.path_importer_cache.items() if not is_zip(f)}
    forget_zips()
    assert not [path for path, finder in sys.path_importer_cache.items() if is_zip(finder)]
    assert folders <= set(sys.path_importer_cache)
    assert importlib.import_module("in_zip_second").NAME == "second"


@pytest.mark.end_to_end
def test_workers_are_forked_of_a_process_that_has_loaded_what_they_need() -> None:
    """And which has no thread, with which it should not fork."""
    said = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["1", *LOADED]
    for name in ("local", "cluster"):
        lines = (ROOT / "conf" / name / "spark-defaults.conf").read_text().splitlines()
        assert ["spark.python.daemon.module", "cxrspark.scoring.daemon"] in map(str.split, lines)


def is_zip(finder: object) -> bool:
    return isinstance(finder, zipimporter)

import importlib
import sys
import zipfile
from pathlib import Path
from zipimport import zipimporter

import pytest

from cxrspark.scoring.worker import forget_zips


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


def is_zip(finder: object) -> bool:
    return isinstance(finder, zipimporter)

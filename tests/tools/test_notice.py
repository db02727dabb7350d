import json
from pathlib import Path

import pytest

from tools.notice import CARD, notice


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / CARD).parent.mkdir(parents=True)
    (tmp_path / CARD).write_text(json.dumps({"licence": "weights of some kind"}))
    for name, said in {
        "one": "License-Expression: MIT",
        "two": "License: a long text\nClassifier: License :: OSI Approved :: BSD License",
        "three": "License: Apache 2.0",
        "cxrspark": "License: of our own",
    }.items():
        _install(tmp_path, name, said)
    return tmp_path


def _install(folder: Path, name: str, said: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{said}\n")


def test_lists_packages_weights_and_libraries(folder: Path) -> None:
    (folder / "one.libs").mkdir()
    (folder / "one.libs" / "libgomp-e985bcbb.so.1.0.0").touch()
    lines = [" ".join(line.split()) for line in notice(folder).splitlines()]
    assert {"one 1.0 MIT", "two 1.0 BSD License", "three 1.0 Apache 2.0"} <= set(lines)
    assert "one.libs: libgomp" in lines
    assert any("weights of some kind" in line for line in lines)
    assert not any("of our own" in line for line in lines)


@pytest.mark.parametrize(
    "said",
    [
        "License: GPL V3.0",
        "License-Expression: AGPL-3.0-only",
        "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
        "Summary: says nothing",
    ],
)
def test_what_may_not_be_handed_on_is_refused(folder: Path, said: str) -> None:
    _install(folder, "copyleft", said)
    with pytest.raises(SystemExit, match=r"may not be handed on.* copyleft 1\.0 \("):
        notice(folder)


def test_lesser_gpl_may_go_along(folder: Path) -> None:
    _install(folder, "lesser", "License-Expression: LGPL-2.1-only")
    assert "LGPL-2.1-only" in notice(folder)

"""What README and notebooks call is on the package's public face, and is cheap to import."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import cxrspark

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def example() -> str:
    """README's example of the library."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (block,) = [block for block in blocks if "import" in block]
    return str(block)


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@pytest.mark.parametrize("name", cxrspark.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(cxrspark, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'scores_archive'"):
        _ = cxrspark.scores_archive


@pytest.mark.parametrize("code", [example(), *map(code_of, NOTEBOOKS)])
def test_readme_and_notebooks_import_from_the_face_alone(code: str) -> None:
    taken = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in taken if str(node.module).split(".")[0] == "cxrspark"]
    assert ours
    for node in ours:
        assert node.module == "cxrspark"
        assert {alias.name for alias in node.names} <= {*cxrspark.__all__, "train"}


def test_readmes_example_scores_an_archive(spark: SparkSession, phantoms: Path) -> None:
    names = {"spark": spark, "archive": str(phantoms)}
    exec(example(), names)
    assert names["scores"].count() == names["read_manifest"](spark, str(phantoms)).count()


def test_the_package_itself_loads_nothing() -> None:
    code = "import sys, cxrspark; print(sorted(m for m in sys.modules if m.startswith('cxrspark')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['cxrspark']\n"

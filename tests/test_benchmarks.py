"""That the benchmarks, which take too long for the suite, at least find what they import."""

import ast
import importlib
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PEERS = {"daft", "ray"}
"""Installed by `make bench` in an environment of its own."""

TRAINING = {"keras", "petastorm", "tensorflow"}
ELSEWHERE = PEERS if find_spec("tensorflow") else PEERS | TRAINING
"""What the environment of this run need not have; `make test` has one run in training's."""


def is_there(module: str, name: str) -> bool:
    """Whether a module has a name, or a package a module that nothing has imported yet."""
    found = importlib.import_module(module)
    if hasattr(found, name):
        return True
    return hasattr(found, "__path__") and find_spec(f"{module}.{name}") is not None


@pytest.mark.parametrize("file", sorted(BENCHMARKS.rglob("*.py")), ids=lambda file: file.stem)
def test_what_a_benchmark_imports_is_there(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                assert alias.name.split(".")[0] in ELSEWHERE or find_spec(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] not in ELSEWHERE:
            assert find_spec(node.module), node.module
            if node.module.startswith("cxrspark"):
                try:
                    for alias in node.names:
                        assert is_there(node.module, alias.name), f"{node.module}.{alias.name}"
                except ModuleNotFoundError as error:
                    if error.name not in ELSEWHERE:
                        raise

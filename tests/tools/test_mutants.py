import pytest

from tools.mutants import ROOT, Mutation
from tools.mutations import MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=str)
def test_each_mutation_changes_a_line_that_is_there(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text()
    assert mutation.applied(text) != text
    assert all((ROOT / file).is_file() for file in mutation.tests.split())


def test_a_line_that_is_gone_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times, not once: x: old → new"):
        Mutation("x", "old", "new", "").applied("something else")

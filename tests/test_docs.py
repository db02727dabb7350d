import re

import pytest

from benchmarks.accuracy.model_card import DOCS, pages


@pytest.mark.parametrize("name", ["model.md", "training.md"])
def test_a_page_says_what_its_figures_and_template_say(name: str) -> None:
    page = pages()[name]
    assert (DOCS / name).read_text() == page
    assert not re.search(r"\{[A-Z_]+\}", page)

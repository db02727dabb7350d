import re

import pytest

from benchmarks.accuracy import answers_card
from benchmarks.accuracy.model_card import DOCS, pages


@pytest.mark.parametrize("name", ["answers.md", "model.md", "training.md"])
def test_a_page_says_what_its_figures_and_template_say(name: str) -> None:
    page = answers_card.page() if name == "answers.md" else pages()[name]
    assert (DOCS / name).read_text() == page
    assert not re.search(r"\{[A-Z_]+\}", page)

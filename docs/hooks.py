"""For the site: what links to a file outside the documents is shown as its name."""

import re

OUTSIDE = re.compile(r"\[[^\]]+\]\((?:\.\./)?((?:(?<=\.\./)[^)]+)|figures/)\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs for each page."""
    return OUTSIDE.sub(r"`\1`", markdown)

"""Rows of a scores table, of which a test names what it is about."""

from __future__ import annotations

from datetime import datetime, timezone

from cxrspark.tables.schemas import SCORES

USUAL = {
    "rows": 64,
    "columns": 64,
    "model_id": "m1",
    "pixels_recipe": "area64-1",
    "archive": "/archive",
    "run_id": "run",
    "scored_at": datetime(2026, 1, 1, tzinfo=timezone.utc),
}


def score_row(**named: object) -> tuple[object, ...]:
    """A row by the columns of `SCORES`; null where neither named nor usual."""
    row = {**USUAL, **named}
    return tuple(row.get(name) for name in SCORES.names)

"""Scores against headers, and the report on them."""

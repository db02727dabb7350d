"""Scores against labels: figures with intervals."""

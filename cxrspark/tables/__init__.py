"""The tables: their columns, and how a commit is written."""

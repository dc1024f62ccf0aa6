"""Cells: rows that share what a model sees of them, in the place of rows."""

"""Residuals and influence, row by row."""

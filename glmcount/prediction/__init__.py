"""Predictions for new rows, with their standard errors."""

"""Inference: covariances, tests and intervals, all on records and arrays."""

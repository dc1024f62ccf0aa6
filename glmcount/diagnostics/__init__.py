"""Residuals and influence, row by row."""

from typing import TYPE_CHECKING

from glmcount.later import waiting

if not TYPE_CHECKING:
    __getattr__ = waiting(__name__, "dispersion influence openness verdicts")

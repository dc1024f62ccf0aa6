"""Predictions for new rows, with their standard errors."""

from typing import TYPE_CHECKING

from glmcount.later import waiting

if not TYPE_CHECKING:
    __getattr__ = waiting(__name__, "choices grid margins predict simulate standardise variables")

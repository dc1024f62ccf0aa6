"""Fitting: passes over the rows, the solvers on their sums, and what certifies the end."""

from typing import TYPE_CHECKING

from glmcount.later import waiting

if not TYPE_CHECKING:
    __getattr__ = waiting(__name__, "pilot search walls")

"""What a user holds of a fit."""

from glmcount.fitted import Described
from glmcount.results.result import Results

__all__ = ["Described", "Results"]

"""Inference: covariances, tests and intervals, all on records and arrays."""

from typing import TYPE_CHECKING

from glmcount.later import waiting

if not TYPE_CHECKING:
    __getattr__ = waiting(
        __name__,
        """
        anova contrasts drawn equivalence hypotheses levels multiplicity profiled ratio
        responses score score_bootstrap tests words
        """,
    )

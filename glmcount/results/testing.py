"""Of a result its tests."""

from __future__ import annotations

from typing import Any

import pandas as pd

from glmcount.diagnostics import verdicts
from glmcount.fitted import Fitted
from glmcount.inference.hypotheses import linear_constraints
from glmcount.inference.intervals import OwnFreedom, reported
from glmcount.inference.tests import Tested, TestResult, single, wald
from glmcount.report.summary import EquationRows
from glmcount.report.tidy import tidy_frame
from glmcount.results.held import Held

__all__ = ["Testing"]


class Testing:
    """Of a result its tests of hypotheses."""

    _state: Fitted
    _held: Held

    def _tested(self) -> Tested:
        state = self._state
        matrix = reported(state.estimates, self._held.covariance)
        freedom = self._held.found.freedom
        own = freedom if isinstance(freedom, OwnFreedom) else None
        return Tested(state.estimates, matrix, state.family, self._held.df, own)

    def wald_test(self, hypothesis: Any) -> TestResult:
        """Test linear hypotheses jointly, such as ``"x1 = 0, x2 = x3"`` or a matrix R.

        What they say of an ancillary parameter alone, such as ``"alpha = 1"``, is tested on the
        scale on which it is estimated (log alpha); a value on its boundary is refused.
        """
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        return wald(self._tested(), r, q, str(hypothesis))

    def t_test(self, hypothesis: Any, alpha: float = 0.05) -> pd.DataFrame:
        """Test each linear hypothesis alone: estimate, std_error, statistic, p_value, interval.

        The estimate is that of the combination of parameters, whatever value the hypothesis
        gives it.
        """
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        found = single(self._tested(), r, q, alpha, str(hypothesis))
        return tidy_frame([EquationRows("", *found)], False, alpha).drop(columns="equation")

"""Of a result its tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from glmcount.diagnostics import verdicts
from glmcount.fitted import Fitted
from glmcount.inference.hypotheses import linear_constraints
from glmcount.inference.intervals import OwnFreedom, reported
from glmcount.inference.score_bootstrap import clusters_of, score_bootstrap
from glmcount.inference.tests import Tested, TestResult, single, wald
from glmcount.prediction.simulate import generator
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

    def score_bootstrap(
        self,
        hypothesis: Any,
        groups: Any = None,
        *,
        reps: int = 9_999,
        rng: int | np.random.Generator | None = None,
        alpha: float | None = None,
    ) -> TestResult:
        """Test linear hypotheses with few clusters, by a bootstrap of the scores under them.

        The hypothesis is imposed by one fit under it; its efficient scores are summed by
        cluster, their signs drawn, and T = S'V^-1 S made anew in each draw (Kline & Santos 2012).

        Parameters
        ----------
        hypothesis : str, mapping or array
            As for `wald_test`.
        groups : str or array, optional
            The clusters; those of the covariance where it is clustered.
        reps : int
            Draws: of signs from 12 clusters on, of Webb's six points below. All patterns of
            signs are taken where these are no more.
        rng : int or Generator, optional
            The seed.
        alpha : float, optional
            Give the interval of level 1 - alpha too, which inverts the test: some forty fits
            under values of what one hypothesis tests.

        Returns
        -------
        TestResult
            With `conf_int` where `alpha` is given.

        Raises
        ------
        UsageError, NotDefinedError
            Without clusters; for a parameter on its boundary.

        Examples
        --------
        >>> import glmcount as gc
        >>> data = {"y": [1, 3, 2, 6, 4, 5, 2, 2], "x": [0, 1] * 4, "g": list("aabbccdd")}
        >>> r = gc.fit("y ~ x", data)
        >>> round(r.score_bootstrap("x = 0", "g", rng=0).pvalue, 2)
        0.13
        """
        tested = self._tested()
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        needs = clusters_of(self._held.cov, groups)
        asked = r, q, str(hypothesis)
        return score_bootstrap(tested, self._state, needs, asked, reps, generator(rng), alpha)

    def t_test(self, hypothesis: Any, alpha: float = 0.05) -> pd.DataFrame:
        """Test each linear hypothesis alone: estimate, std_error, statistic, p_value, interval.

        The estimate is that of the combination of parameters, whatever value the hypothesis
        gives it.
        """
        r, q = linear_constraints(hypothesis, verdicts.names(self._state))
        found = single(self._tested(), r, q, alpha, str(hypothesis))
        return tidy_frame([EquationRows("", *found)], False, alpha).drop(columns="equation")

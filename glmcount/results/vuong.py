"""The test of two results of which neither model contains the other."""

from __future__ import annotations

from glmcount.allowed import choice, shown
from glmcount.errors import ConvergenceError, UsageError
from glmcount.fitted import Fitted
from glmcount.front import public
from glmcount.inference.ratio import compared
from glmcount.inference.tests import TestResult
from glmcount.inference.vuong import CORRECTIONS, vuong
from glmcount.results.result import Results

__all__ = ["vuong_test"]


@public
def vuong_test(r1: Results, r2: Results, *, correction: str | None = None) -> TestResult:
    """Test which of two models, neither of which contains the other, is nearer to the truth.

    z = (sum_i m_i - c) / (sqrt(n) sd(m)), m_i = log f1(y_i) - log f2(y_i) and c the correction,
    k1 - k2 of AIC or (k1 - k2) log(n) / 2 of BIC, k counting every estimated parameter. Positive
    z favours the first model. The test is made after one whether the variance of m is zero, as it
    is where the models coincide at the truth; at the 5 % level it must not be (Vuong 1989,
    Econometrica 57).

    Parameters
    ----------
    r1, r2 : Results
        Of the same rows, responses and weights.
    correction : {None, "aic", "bic"}

    Returns
    -------
    TestResult
        `estimate` is the mean of m with its 95 % interval in `conf_int`; `pvalue` two-sided.

    Raises
    ------
    UsageError
        If one model contains the other, as a zero-inflated model does its parent and the negative
        binomial the Poisson: there the statistic is not normal (Wilson 2015, Economics Letters
        127), and `lr_test` is the test; or if they are of different data.
    NotDefinedError
        If the data do not tell the models apart.
    NoLikelihoodError
        Of quasi-likelihoods, and under probability weights.

    Examples
    --------
    >>> import glmcount as gc
    >>> data = gc.datasets.load("biochemists")
    >>> r1 = gc.fit("art ~ ment + kid5", data, family="negbin")
    >>> r2 = gc.fit("art ~ ment + kid5", data, inflate="ment")
    >>> found = gc.vuong_test(r1, r2)
    >>> found.pvalue < 0.05, found.statistic > 0
    (True, True)
    """
    for each in (r1, r2):
        if not isinstance(each, Results):
            raise UsageError(
                f"vuong_test takes two results of fit; got {shown(each)}.", kind="vuong_test"
            )
    chosen = choice("correction", correction, CORRECTIONS, "vuong_correction")
    first, second = r1._state, r2._state
    for state in (first, second):
        state.information_criterion("vuong_test", 0.0)
        if state.importance and state.spec.weights is not None:
            raise UsageError(
                "vuong_test counts rows, and a row under importance weights counts for more or "
                "less than one. Compare the models by aic.",
                kind="weighted_vuong",
            )
    for small, large in ((first, second), (second, first)):
        _refuse_nested(small, large)
    return vuong(first, second, chosen)


def _refuse_nested(small: Fitted, large: Fitted) -> None:
    try:
        compared(small, large)
    except UsageError as error:
        if error.kind == "not_nested":
            return
        raise
    except ConvergenceError:
        # Of nested models the smaller has the larger likelihood; nested they are.
        pass
    names = f"{small.family.label} in {large.family.label}"
    raise UsageError(
        f"One of the models contains the other ({names}), and Vuong's test is of models of which "
        "neither does: its statistic would not be normal. Use glmcount.lr_test(r0, r1), the "
        "smaller model first.",
        kind="nested_models",
    )

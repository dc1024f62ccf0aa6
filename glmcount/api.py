"""`fit` and `fit_arrays`: what is asked, as one record, and `Results` of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from glmcount.families.base import Family
from glmcount.families.combine.links import Link
from glmcount.fits import fitted
from glmcount.front import public
from glmcount.inference.covariance import Estimator
from glmcount.numerics.control import Control
from glmcount.request import Options, Request, check_options
from glmcount.results.result import Results
from glmcount.subject import Arrays, Formula

__all__ = ["fit", "fit_arrays"]


@public
def fit(
    formula: str,
    data: Any,
    *,
    family: str | Family = "poisson",
    link: str | Link | None = None,
    offset: Any = None,
    exposure: Any = None,
    weights: Any = None,
    weights_type: str = "frequency",
    inflate: str | None = None,
    hurdle: str | None = None,
    zero: str | Family | None = None,
    truncated: int | None = None,
    censored: Any = None,
    dispersion: str | None = None,
    cov: str | Mapping[str, Any] | Estimator | None = None,
    information: str | None = None,
    method: str = "newton",
    start: Sequence[float] | None = None,
    missing: str = "drop",
    separation: str = "warn",
    compress: str | bool = "auto",
    env: Mapping[str, Callable[..., Any]] | None = None,
    control: Control | None = None,
    **unknown: Any,
) -> Results:
    """Fit a count model by maximum likelihood.

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + C(g)"``, in patsy's language; ``offset(log(t))`` may be a term.
    data : DataFrame, Table or dict
        pandas, polars, pyarrow, or a dict of columns.
    family : str or Family
        A name in ``glmcount.families.families``, such as "poisson", "quasipoisson",
        "negbin" ("nb2"), "negbin1", "genpoisson", "compoisson", "pig", "bernoulli", or a
        value such as ``glmcount.families.negbin(alpha=0.5)``.
    link : {"log", "identity", "sqrt"}, optional
        Of the mean; of Bernoulli "logit", "probit", "cloglog".
    offset, exposure, weights : str, array or Series, optional
        A column, an expression, or one value a row. The logarithm of the exposure is added
        to the predictor. All are remembered by predict and the null model.
    weights_type : {"frequency", "importance", "probability"}
        "frequency": whole numbers or not, copies of a row, whose sum is the number of
        observations. "importance": a row's log-likelihood times its weight, the row still one
        observation (nonrobust errors go by the weights, robust ones by the rows). "probability":
        sampling weights; no likelihood, and robust errors by default.
    inflate, hurdle : str, optional
        Right-hand side of a second part: ``"z1 + z2"`` or ``"1"``. Zero-inflated, the
        probability of a structural zero; hurdle, that of a positive count, the counts above
        being zero-truncated. ``offset(...)`` may be a term.
    zero : {"logit", "probit", "cloglog"}, optional
        Link of that part; for a hurdle also "poisson", "negbin", "geometric": the
        probability that such a count is positive.
    truncated : int, optional
        Counts up to this number are never seen; 0 is the zero-truncated model.
    censored : column, expression, number or array, optional
        Limit at which a count says only "so many or more".
    dispersion : str, optional
        Right-hand side of a regression for log alpha (of "compoisson" for log nu).
    cov : str, dict or Estimator, optional
        "nonrobust", "opg", "HC0", "HC1", "HC2" or "HC3"; ``{"cluster": "g"}``; what `cluster`,
        `hac`, `driscoll_kraay`, `jackknife` and `bootstrap` make; one of your own.
    information : {"expected", "observed"}, optional
        Default: expected for one equation (as R and statsmodels), observed for several.
    method : {"newton", "irls", "lbfgs", "gradient"}
    start : array, optional
        Starting values in the order of the parameters, ancillary ones as logarithms.
    missing : {"drop", "raise"}
        What to do with rows that have missing values, in the model or in a column that `cov`
        reads.
    separation : {"warn", "raise", "ignore"}
        What to do where a coefficient is infinite.
    compress : {"auto", True, False}
        Whether rows that share what the model sees of them are fitted as one weighted row,
        which changes no result: for a Poisson model those of the same design, for others
        those of the same design, offset and, mostly, count. "auto" does so from 100,000 rows
        on where a sample says that there are few such cells; `Results.n_cells` tells.
    env : dict, optional
        The user's own functions for the formula.
    control : Control, optional
    **unknown
        No other option is taken: a name that is none of these is refused, with the nearest one.

    Returns
    -------
    Results

    Raises
    ------
    GlmcountError
        With what is wrong, where, and what to do; ``error.kind`` names it.

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", data={"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    >>> [round(float(b), 4) for b in r.params]
    [0.4055, 1.0986]
    """
    if unknown:
        check_options(unknown)
    request = Request(
        family=family, link=link, offset=offset, exposure=exposure, weights=weights,
        weights_type=weights_type, inflate=inflate, hurdle=hurdle, zero=zero,
        truncated=truncated, censored=censored, dispersion=dispersion, cov=cov,
        information=information, method=method, start=start, missing=missing,
        separation=separation, compress=compress, env=env, control=control,
    )  # fmt: skip
    return Results(*fitted(Formula(formula, data), request))


@public
def fit_arrays(
    y: Any,
    X: Any,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> Results:
    """Fit to arrays: `X` as it is, no intercept added.

    Parameters
    ----------
    y : array, shape (n,)
    X : array or DataFrame, shape (n, p)
    names : sequence of str, optional
        Column names; x0, x1, ... by default, or those of a DataFrame.
    **options
        As `fit`; offset, exposure and weights are arrays.

    Returns
    -------
    Results

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit_arrays([1, 2, 3], [[1.0], [1.0], [1.0]])
    >>> round(float(r.params["x0"]), 6)
    0.693147
    """
    check_options(options, "fit_arrays")
    return Results(*fitted(Arrays(y, X, names), Request(**options)))

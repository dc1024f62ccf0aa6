"""Whether counts vary more, or less, than the mean says: tests of Var(Y) = mu.

With d = (y - mu)^2 - y, of mean zero under the null, and the pairs (a, b) = (d / mu, 1) of NB1,
Var = (1 + alpha) mu, or (d, mu^2) of NB2, Var = mu + alpha mu^2, all estimate alpha by
sum(a) / sum(b). They differ in its standard error:

* "nb1", "nb2": by the residuals of the regression of a / sqrt(b) on sqrt(b) (Cameron & Trivedi
  1990, Journal of Econometrics 46, equations 2.8 and 2.10; AER::dispersiontest);
* "dean", "lm_nb2": from the null, Var(a) = 2 b: the score statistic of NB2, Dean's P_B (Dean 1992,
  JASA 87, equation 2.2); "dean_c" adds h mu to d, h the leverage, for what estimating the mean
  takes away; "lm_nb1" that of NB1, Dean's P_C;
* "katz": the score of Katz' law P(y + 1) / P(y) = (lambda + gamma y) / (1 + y) at gamma = 0 is
  sum(d / mu) / 2, that of NB1, but gamma may be below 0 too (Lee 1986, International Economic
  Review 27).

Estimating the mean changes none of these in the limit: the derivative of d by mu has mean zero.
It does change "pearson", P = sum (y - mu)^2 / mu, whose variance under the null is
2 n + sum 1 / mu - u'X I^-1 X'u, u = d log mu / d eta (McCullagh 1986, JASA 81).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from glmcount.engine.layout import linear
from glmcount.engine.passes import assemble
from glmcount.engine.strip import Strip
from glmcount.engine.weigh import Unweighed, Weighed
from glmcount.errors import NotDefinedError, UsageError
from glmcount.fitted import Fitted
from glmcount.fitting.run import fold_sums
from glmcount.fitting.sums import mean_inverse, row_leverage, rows_of
from glmcount.inference.intervals import width
from glmcount.inference.tests import TestResult
from glmcount.numerics import Array
from glmcount.numerics.control import USUAL
from glmcount.numerics.tails import chi2_tail, normal_above
from glmcount.records import dataclass

__all__ = [
    "ALTERNATIVES",
    "KINDS",
    "LR",
    "dispersion_test",
    "likelihood_ratio",
    "refuse_alternative",
    "refuse_dispersed",
]

ALTERNATIVES = ("greater", "two-sided", "less")
LR = "lr"
# Variances this close to the mean are the mean.
SAME = 1e-9


@dataclass(frozen=True)
class _Sums:
    """Weighted sums over the rows of one pair (a, b); `v` the weights of variances.

    Parameters
    ----------
    weight, a, b : float
        Of w, w a and w b.
    leverage : float
        Of w h mu.
    square : float
        Of w a^2 / b.
    vb, vaa, vab, vbb : float
        Of v b, v a^2, v a b and v b^2.
    """

    weight: float
    a: float
    b: float
    leverage: float
    square: float
    vb: float
    vaa: float
    vab: float
    vbb: float

    @property
    def alpha(self) -> float:
        """sum(a) / sum(b)."""
        return self.a / self.b

    @property
    def robust(self) -> float:
        """Standard error of alpha by its residuals, whatever the variance."""
        alpha = self.alpha
        rest = self.vaa - 2.0 * alpha * self.vab + alpha * alpha * self.vbb
        return float(np.sqrt(max(rest, 0.0))) / self.b

    @property
    def regression(self) -> float:
        """Standard error of alpha in the regression of a / sqrt(b) on sqrt(b)."""
        rest = self.square - self.alpha * self.a
        return float(np.sqrt(max(rest, 0.0) / (self.weight - 1.0) / self.b))

    @property
    def null(self) -> float:
        """Standard error of alpha where it is 0."""
        return float(np.sqrt(2.0 * self.vb)) / self.b


@dataclass(frozen=True)
class _Kind:
    """A test by a pair (a, b).

    Parameters
    ----------
    square : bool
        Whether b is mu^2, else 1.
    error : {"regression", "null"}
    lagrange : bool
        Whether the statistic is the square, a chi-squared.
    corrected : bool
        Whether h mu is added.
    offset : float
        Of the estimate: 1 where a dispersion 1 + alpha is told.
    """

    square: bool
    error: str
    lagrange: bool = False
    corrected: bool = False
    offset: float = 0.0


PAIRS = {
    "nb1": _Kind(False, "regression", offset=1.0),
    "nb2": _Kind(True, "regression"),
    "dean": _Kind(True, "null"),
    "dean_c": _Kind(True, "null", corrected=True),
    "lm_nb1": _Kind(False, "null", lagrange=True, offset=1.0),
    "lm_nb2": _Kind(True, "null", lagrange=True),
    "katz": _Kind(False, "null", lagrange=True, offset=1.0),
}
PEARSON = "pearson"
KINDS = (*PAIRS, PEARSON, LR)


def dispersion_test(state: Fitted, kind: str, alternative: str, alpha: float) -> TestResult:
    """The test of a kind, all but the likelihood ratio, with alpha or the dispersion.

    Raises
    ------
    NotDefinedError
        Of a model whose variance is not its mean, and for what weights do not allow.
    """
    refuse_dispersed(state)
    if state.nobs - state.k_mean <= 0:
        raise NotDefinedError(
            "There are no more rows than coefficients, so that nothing is left to tell of the "
            "variance. Fit fewer coefficients or more rows.",
            kind="no_degrees_of_freedom",
        )
    if kind == PEARSON:
        return _pearson(state, alternative, alpha)
    own = PAIRS[kind]
    sums = _sums(state, own)
    if not sums.b > 0.0:
        raise NotDefinedError(
            "All means are 0: there is no variance to test.", kind="no_dispersion_test"
        )
    found = sums.alpha + (sums.leverage / sums.b if own.corrected else 0.0)
    plain = own.error == "regression"
    error = (sums.robust if state.importance else sums.regression) if plain else sums.null
    if not error > 0.0:
        raise NotDefinedError(
            "The squared residuals do not vary: they leave nothing to judge a dispersion by.",
            kind="no_dispersion_test",
        )
    z = found / error
    shape = "alpha mu^2" if own.square else "alpha mu"
    reach = width(alpha, None) * (error if plain else sums.robust)
    estimate = found + own.offset
    return TestResult(
        z * z if own.lagrange else z,
        _pvalue(z, alternative, own.lagrange),
        1,
        "chi2" if own.lagrange else "normal",
        _hypothesis(shape, alternative),
        title=f"Dispersion test ({kind})",
        estimate=estimate,
        conf_int=(estimate - reach, estimate + reach),
    )


def _hypothesis(shape: str, alternative: str) -> str:
    sign = {"greater": ">", "less": "<", "two-sided": "!="}[alternative]
    return f"Var(Y) = mu against mu + {shape}, alpha {sign} 0"


def _pvalue(z: float, alternative: str, square: bool) -> float:
    if alternative == "two-sided":
        return chi2_tail(z * z, 1) if square else 2.0 * normal_above(abs(z))
    return normal_above(z if alternative == "greater" else -z)


def refuse_dispersed(state: Fitted) -> None:
    """Refuse a model that has a variance of its own.

    Raises
    ------
    NotDefinedError
    """
    family = state.fit.family
    if family.observed is None and family.mean_equation and state.rows.fold(_is_mean(state), _both):
        return
    raise NotDefinedError(
        f"This test asks whether counts vary more than a mean that is their variance too, and a "
        f"{state.family.label} model is not of that kind. Test the fit of family='poisson' with "
        "the same mean, without further parts; kind='lr' tests an alpha that this model has, and "
        "glmcount.lr_test(r0, r1) one that a further model has.",
        kind="no_dispersion_test",
    )


def _both(one: bool, other: bool) -> bool:
    return one and other


def _is_mean(state: Fitted) -> Callable[[Strip], bool]:
    fit = state.fit

    def look(strip: Strip) -> bool:
        mean, variance = fit.family.moments(rows_of(fit.layout, strip, fit.theta).etas)
        return bool(np.all(np.abs(variance.value - mean.value) <= SAME * mean.value))

    return look


def _sums(state: Fitted, own: _Kind) -> _Sums:
    fit, rows = state.fit, state.rows
    inverse = mean_inverse(rows, fit) if own.corrected else None

    def look(strip: Strip) -> Array:
        seen = rows_of(fit.layout, strip, fit.theta)
        mu = np.broadcast_to(fit.family.moments(seen.etas)[0].value, (strip.n,))
        # A mean that is 0 has zeros only, and tells of no variance.
        mu, there = np.where(mu > 0.0, mu, 1.0), mu > 0.0
        w = np.ones(strip.n) if strip.weights is None else strip.weights
        w = np.where(there, w, 0.0)
        v = w * w if state.importance else w
        relative = ((strip.y[0] - mu) ** 2 - strip.y[0]) / mu
        a, b = (relative * mu, mu * mu) if own.square else (relative, np.ones(strip.n))
        h = np.zeros(strip.n)
        if inverse is not None:
            h = row_leverage(fit, inverse, strip, seen, state.importance)
        every = (
            w,
            w * a,
            w * b,
            w * h * mu,
            w * relative**2,
            v * b,
            v * a * a,
            v * a * b,
            v * b * b,
        )
        return np.array([values.sum() for values in every])

    return _Sums(*rows.fold(look, np.add).tolist())


def _pearson(state: Fitted, alternative: str, alpha: float) -> TestResult:
    """Pearson's chi-squared as a normal deviate, its mean df and its variance that of the null."""
    if state.importance and state.spec.weights is not None:
        raise NotDefinedError(
            "Pearson's chi-squared counts rows, and a row under importance or probability weights "
            "counts for more or less than one. Use kind='nb1' or 'nb2'.",
            kind="weighted_dispersion",
        )
    fit, rows, df = state.fit, state.rows, state.df_resid

    def seen(strip: Strip) -> tuple[Unweighed, Array, Array]:
        own = rows_of(fit.layout, strip, fit.theta)
        mean = fit.family.moments(own.etas)[0]
        slope = mean.d1[0]
        assert slope is not None
        mu = np.broadcast_to(mean.value, (strip.n,))
        safe = np.where(mu > 0.0, mu, 1.0)
        return own, np.where(mu > 0.0, mu, np.inf), np.where(mu > 0.0, slope / safe, 0.0)

    def weigh(own: Unweighed) -> Weighed:
        mean = fit.family.moments(own.etas)[0]
        slope = mean.d1[0]
        assert slope is not None
        u = np.where(mean.value > 0.0, slope / np.where(mean.value > 0.0, mean.value, 1.0), 0.0)
        w = u if own.weights is None else u * own.weights
        return Weighed(np.zeros(1), (w, *(None,) * (fit.layout.q - 1)), {})

    vector = assemble(fit.layout, fold_sums(rows, fit.layout, fit.theta, weigh, USUAL))[1]
    moved = np.dot(mean_inverse(rows, fit), vector)

    def sums(strip: Strip) -> Array:
        own, mu, u = seen(strip)
        w = np.ones(strip.n) if strip.weights is None else strip.weights
        gap = own.y[0] - np.where(np.isinf(mu), 0.0, mu)
        square = gap * gap / mu
        shift = linear(fit.layout, strip, moved, 0) * u * gap
        there = np.isfinite(mu)
        every = (square, 1.0 / mu, there * 1.0, square**2, square * shift, shift**2)
        return np.array([np.dot(w, values) for values in every])

    square, inverse, weight, fourth, cross, shifted = rows.fold(sums, np.add).tolist()
    variance = 2.0 * weight + inverse - float(np.dot(vector, moved))
    z, ratio = (square - df) / np.sqrt(variance), square / df
    spread = fourth - 2.0 * ratio * cross + ratio**2 * shifted - square**2 / weight
    reach = width(alpha, None) * float(np.sqrt(max(spread, 0.0))) / df
    return TestResult(
        float(z),
        _pvalue(float(z), alternative, False),
        1,
        "normal",
        _hypothesis("alpha mu", alternative),
        title="Dispersion test (pearson)",
        estimate=ratio,
        conf_int=(ratio - reach, ratio + reach),
    )


def refuse_alternative(alternative: str) -> None:
    """Refuse a likelihood ratio against less variance, which no alpha has.

    Raises
    ------
    UsageError
    """
    if alternative != "greater":
        raise UsageError(
            "A likelihood ratio against the negative binomial knows more variance only: alpha is "
            f"not below 0. alternative={alternative!r} is for the other kinds.",
            kind="alternative",
        )


def likelihood_ratio(
    gained: float, estimate: float, ends: tuple[float, float] | None, name: str
) -> TestResult:
    """Twice the log-likelihood gained over alpha = 0, a boundary: half of it is 0 by chance.

    Half chi2(0), half chi2(1) (Self & Liang 1987, JASA 82, case 5).
    """
    statistic = 2.0 * max(gained, 0.0)
    return TestResult(
        statistic,
        0.5 * chi2_tail(statistic, 1) if statistic > 0.0 else 1.0,
        1,
        "half chi2",
        f"{name} = 0",
        title="Dispersion test (lr)",
        estimate=estimate,
        conf_int=ends,
    )

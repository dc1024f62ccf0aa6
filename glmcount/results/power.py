"""The power of a test, by simulation."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy

from glmcount.allowed import generator, proportion, real, refuse, shown, truth, whole
from glmcount.errors import GlmcountError, GlmcountWarning, NotDefinedError, UsageError, some
from glmcount.fitted import Fitted
from glmcount.front import fronted, public
from glmcount.inference.naming import nearest_parameter
from glmcount.inference.watch import Watch
from glmcount.numerics import Array
from glmcount.prediction.simulate import simulate
from glmcount.printed import Lines, Printed
from glmcount.records import dataclass, replace
from glmcount.results.result import Results

__all__ = ["Power", "power"]

Test = Callable[[Results], float]


@fronted
@dataclass(frozen=True, repr=False)
class Power(Printed):
    """How often a test rejects.

    Parameters
    ----------
    power : float
        Share of the simulated fits in which p was at most `alpha`.
    conf_int : tuple of float
        Its exact binomial interval of level 95 % (Clopper & Pearson 1934): how far the number of
        simulations allows to tell it.
    reps : int
        Simulations that could be fitted and tested.
    failed : int
        Those that could not; they count neither way.
    alpha : float
    hypothesis : str
    pvalues : ndarray, shape (reps,)

    Examples
    --------
    >>> import glmcount as gc
    >>> r = gc.fit("y ~ x", {"y": [1, 3] * 20, "x": [0, 1] * 20})
    >>> found = gc.power(r, "x = 0", params={"x": 0.0}, reps=100, rng=1)
    >>> found.conf_int[0] <= found.power <= found.conf_int[1], found.pvalues.shape
    (True, (100,))
    """

    power: float
    conf_int: tuple[float, float]
    reps: int
    failed: int
    alpha: float
    hypothesis: str
    pvalues: Array

    def __str__(self) -> str:
        low, high = self.conf_int
        failed = f", {self.failed} more could not be fitted" if self.failed else ""
        return (
            f"Power of {self.hypothesis} at alpha {self.alpha:g}: {self.power:.3f} "
            f"[{low:.3f}, {high:.3f}] by {self.reps} simulations{failed}"
        )

    def _lines(self) -> Lines:
        """The same as a table, for notebooks."""
        low, high = self.conf_int
        facts = (
            ("hypothesis", self.hypothesis),
            ("alpha", f"{self.alpha:g}"),
            ("power", f"{self.power:.3f}"),
            ("interval of level 0.95", f"{low:.3f} to {high:.3f}"),
            ("simulations", self.reps),
            ("could not be fitted", self.failed or None),
        )
        return Lines("Power by simulation", facts)


@public
def power(
    r: Results,
    test: str | Test,
    *,
    params: Mapping[str, float] | None = None,
    reps: int = 1000,
    alpha: float = 0.05,
    rng: Any = None,
    progress: bool = False,
) -> Power:
    """The power of a test, by counts drawn from a model and fitted again.

    Parameters
    ----------
    r : Results
        A fit to the rows of the study as it is planned: its design, offsets and options are used,
        its covariance for the tests. Counts of a pilot study will do, or any of the right length
        where all parameters are given.
    test : str or callable
        A hypothesis as `Results.wald_test` takes it, such as ``"x = 0"``, or a function of a result
        that returns a p-value.
    params : mapping of str to float, optional
        What is assumed of parameters, by name; the others are as fitted. Ancillary ones on their
        natural scale.
    reps : int
    alpha : float
        Level of the test.
    rng : int or numpy.random.Generator, optional
    progress : bool
        Whether lines on the way tell how many are done and how long the others take.

    Returns
    -------
    Power

    Raises
    ------
    UsageError
        If there is no such parameter, or a value is none it can have.
    NotDefinedError
        Of quasi-likelihoods; under frequency weights, whose rows stand for several counts; and
        if no simulation can be fitted.

    Examples
    --------
    >>> import glmcount as gc
    >>> plan = {"y": [1, 3] * 20, "x": [0, 1] * 20}
    >>> r = gc.fit("y ~ x", plan)
    >>> found = gc.power(r, "x = 0", params={"Intercept": 0.0, "x": 1.0}, reps=200, rng=1)
    >>> 0.5 < found.power < 1.0, found.reps
    (True, 200)
    """
    if not isinstance(r, Results):
        raise UsageError(f"power takes a result of fit first; got {shown(r)}.", kind="power")
    count = whole("reps", reps, 1, "reps", "It is the number of simulations.")
    level, told = proportion("alpha", alpha), truth("progress", progress)
    tested, name = _tested(r, test)
    _refuse_weights(r._state)
    assumed = _assuming(r._state, {} if params is None else params)
    watch = Watch(count, "simulations", sys.stderr if told else None)
    source, found = generator(rng), []
    first: GlmcountError | None = None
    for done in range(count):
        y = np.full(r._state.rows.source.n_rows, np.nan)
        y[r._state.used_rows()] = simulate(assumed, 1, source)[0].to_numpy()
        try:
            found.append(_pvalue(r, y, tested))
        except GlmcountError as error:
            first = first or error
        watch.tell(done + 1)
    values = np.array(found)
    if not len(values):
        raise NotDefinedError(
            f"None of {count} simulations could be fitted and tested. The first said: {first}",
            kind="no_simulation",
        )
    share = float((values <= level).mean())
    ends = _clopper_pearson(int((values <= level).sum()), len(values))
    return Power(
        power=share,
        conf_int=ends,
        reps=len(values),
        failed=count - len(values),
        alpha=level,
        hypothesis=name,
        pvalues=values,
    )


def _tested(r: Results, test: Any) -> tuple[Test, str]:
    if callable(test):
        return test, getattr(test, "__name__", "a test")
    # A hypothesis that cannot be read is refused before anything is drawn.
    name = r.wald_test(test).hypothesis
    return (lambda each: each.wald_test(test).pvalue), name


def _pvalue(r: Results, y: Array, test: Test) -> float:
    with warnings.catch_warnings():
        # Separation and boundaries of a simulation are part of what is counted.
        warnings.simplefilter("ignore", GlmcountWarning)
        allowed = "a number from 0 to 1"
        found = real("The p-value of test", test(r.refit(y=y)), allowed, "power")
    if not 0.0 <= found <= 1.0:
        refuse("The p-value of test", found, allowed, "power")
    return found


def _refuse_weights(state: Fitted) -> None:
    if state.spec.weights is not None and not state.importance:
        raise NotDefinedError(
            "A row under a frequency weight stands for several counts, of which one would be drawn "
            "for all. Repeat the rows in the data, without weights.",
            kind="weighted_simulation",
        )


def _assuming(state: Fitted, params: Mapping[str, float]) -> Fitted:
    """The fit with other parameters."""
    found, fit = state.estimates, state.fit
    if not isinstance(params, Mapping):
        raise UsageError(
            f"params names parameters and what is assumed of them, such as {{'x': 0.2}}; got "
            f"{shown(params)}.",
            kind="params",
        )
    unknown = [name for name in params if name not in found.names]
    if unknown:
        raise UsageError(
            f"There is no parameter "
            f"{some(map(repr, unknown))}.{nearest_parameter(unknown[0], found.names)} "
            f"Parameters: {some(found.names, 20)}.",
            kind="unknown_parameter",
        )
    free = len(fit.kept)
    inner = np.where(np.isfinite(found.internal), found.internal, 0.0)
    for name, value in params.items():
        j = found.names.index(name)
        if j >= free:
            raise UsageError(
                f"{name} is on its boundary in the fit, where it cannot be set. Fit counts in "
                "which it is inside.",
                kind="unknown_parameter",
            )
        inner[j] = _inner(state, j, real(name, value, "a number", "params"))
    user = np.zeros(fit.layout.size)
    user[fit.kept] = inner[:free]
    theta = fit.layout.reshift(user)
    return replace(state, fit=replace(fit, theta=theta))


def _inner(state: Fitted, j: int, value: float) -> float:
    """A parameter on the scale on which it is estimated."""
    found = state.estimates
    if not found.natural[j]:
        return value
    if not found.logged[j]:
        raise UsageError(
            f"{found.names[j]} is not estimated as its logarithm, and cannot be set here. Leave it "
            "as fitted.",
            kind="params",
        )
    if not value > 0.0:
        raise UsageError(f"{found.names[j]} is above 0; got {value:g}.", kind="params")
    return float(np.log(value))


def _clopper_pearson(hits: int, count: int, alpha: float = 0.05) -> tuple[float, float]:
    low = scipy.special.betaincinv(hits, count - hits + 1, alpha / 2.0) if hits else 0.0
    high = 1.0
    if hits < count:
        high = scipy.special.betaincinv(hits + 1, count - hits, 1.0 - alpha / 2.0)
    return float(low), float(high)

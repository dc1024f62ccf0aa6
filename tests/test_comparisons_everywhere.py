"""Every comparison of every family, combinator and covariance: a number, or a named refusal."""

from __future__ import annotations

import inspect
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.diagnostics.dispersion import KINDS as DISPERSIONS
from glmcount.results.pooled import Pooled

FAMILIES = (
    "poisson", "quasipoisson", "negbin", "geometric", "negbin1", "negbinp", "genpoisson",
    "compoisson", "pig", "bernoulli",
)  # fmt: skip
COMBINATORS = {
    "plain": {},
    "inflate": {"inflate": "z"},
    "inflate_g": {"inflate": "g", "zero": "probit"},
    "hurdle": {"hurdle": "g"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 6},
    "dispersion": {"dispersion": "g"},
    "sqrt": {"link": "sqrt"},
    "offset": {"exposure": "t"},
    "weights": {"weights": "w"},
    "sampled": {"weights": "w", "weights_type": "probability"},
    "arrays": {},
}
COVARIANCES = {
    **{name: name for name in ("nonrobust", "opg", "HC0", "HC1", "HC2", "HC3")},
    "CR1": {"cluster": "firm"},
    "CR1 t": gc.cluster("firm", df="t"),
    "CR2": gc.cluster("firm", kind="CR2", df="satterthwaite"),
    "CR3": gc.cluster("firm", kind="CR3", df="t"),
    "two ways": {"cluster": ["firm", "z2"]},
    "hac": gc.hac("order"),
}


def made():
    rng = np.random.default_rng(11)
    n = 240
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    data["g"] = np.resize(list("abc"), n)
    data["t"], data["w"] = rng.uniform(0.5, 2.0, n), rng.integers(1, 3, n)
    mean = data.t * np.exp(0.9 + 0.2 * data.x + 0.3 * (data.g == "b"))
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, n))
    data["y"] = np.where(rng.uniform(size=n) < 0.2 + 0.1 * (data.z > 0), 0, y)
    data["b"] = (data.y > 1).astype(int)
    data["firm"], data["z2"] = rng.integers(0, 30, n), rng.integers(0, 25, n)
    data.loc[7, "x"] = np.nan
    return data


DATA = made()


@cache
def fitted(family, combinator):
    """A fit, or why there is none."""
    call = {**COMBINATORS[combinator], "family": family}
    response = "b" if family == "bernoulli" else "y"
    if combinator == "truncated":
        call["data"] = DATA[DATA[response] > 0]
    data = call.pop("data", DATA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if combinator == "arrays":
                x = np.column_stack([np.ones(len(data)), data.x.fillna(0.0)])
                return gc.fit_arrays(data[response], x, names=["one", "x"], **call)
            return gc.fit(f"{response} ~ x + g", data, **call)
        except gc.errors.GlmcountError as error:
            return error


REFERENCE = pd.DataFrame({"x": [0.0, 1.0], "z": [0.0, 1.0], "t": [1.0, 1.0], "weight": [2, 1]})


def numbers_of(found):
    """The numbers of a table, a test or a pooled result."""
    if isinstance(found, pd.DataFrame):
        return found[["estimate", "std_error"]].to_numpy(dtype=float)
    if isinstance(found, Pooled):
        return found.params.to_numpy()
    return np.array([found.statistic, found.pvalue])


METHODS = {
    "pairwise": lambda r: r.contrasts("g"),
    "single-step": lambda r: r.contrasts("g", kind="mean", adjust="single-step"),
    "ratio": lambda r: r.contrasts("g", adjust="fdr", exponentiate=True),
    "inflate_g": lambda r: r.contrasts("inflate_g"),
    "hurdle_g": lambda r: r.contrasts("hurdle_g", exponentiate=True),
    "dispersion_g": lambda r: r.contrasts("dispersion_g"),
    "t_test": lambda r: r.t_test("x = 0"),
    "g": lambda r: r.t_test("g[T.b] = 0"),
    "t_test ratio": lambda r: r.t_test("x = 0", exponentiate=True),
    "equivalence": lambda r: r.equivalence("x", -0.5, 0.5),
    "standardised": lambda r: r.standardised_rate(REFERENCE, by="g", compare="ratio"),
    "pool": lambda r: gc.pool([r, r]),
    **{f"dispersion {k}": lambda r, k=k: r.test_dispersion(k) for k in DISPERSIONS},
}


def asked(method, result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return METHODS[method](result)
        except gc.errors.GlmcountError as error:
            assert error.kind != "error" and len(str(error)) > 40
            return error


@pytest.mark.parametrize("combinator", COMBINATORS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_method_gives_a_number_or_a_named_refusal(family, combinator):
    result = fitted(family, combinator)
    if isinstance(result, gc.errors.GlmcountError):
        assert result.kind != "error"
        return
    estimates = result._state.estimates
    inside = not estimates.fixed.any() and np.isfinite(estimates.values).all()
    for method in METHODS:
        found = asked(method, result)
        if not isinstance(found, gc.errors.GlmcountError):
            assert np.isfinite(numbers_of(found)).all() or not inside, method
    plain = combinator in ("plain", "offset", "inflate", "hurdle", "sampled", "weights")
    if plain and inside:
        wanted = ["pairwise", "single-step", "t_test", "equivalence", "standardised", "pool"]
        if family == "bernoulli" and combinator == "offset":
            # Its means are probabilities, which no offset multiplies.
            wanted.remove("standardised")
            assert asked("standardised", result).kind == "not_proportional"
        refused = {m: asked(m, result) for m in wanted}
        assert not [m for m, e in refused.items() if isinstance(e, gc.errors.GlmcountError)], (
            refused
        )


@pytest.mark.parametrize("cov", COVARIANCES)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("combinator", ["plain", "inflate", "weights"])
def test_every_covariance_reaches_every_comparison(family, combinator, cov):
    result = fitted(family, combinator)
    if isinstance(result, gc.errors.GlmcountError):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            other = result.with_cov(COVARIANCES[cov])
        except gc.errors.GlmcountError as error:
            assert error.kind == "no_leverage" and combinator == "inflate"
            return
    errors = {}
    for method in ("pairwise", "t_test", "equivalence", "standardised"):
        found = asked(method, other)
        errors[method] = found.kind if isinstance(found, gc.errors.GlmcountError) else ""
    if any(errors.values()):
        # What refuses is the covariance, and so it does for all alike.
        assert len(set(errors.values())) == 1, errors
        return
    row = asked("g", other)
    first = asked("pairwise", other).iloc[0]
    assert first.std_error == pytest.approx(row.std_error[0], rel=1e-8)
    assert first.p_value == pytest.approx(row.p_value[0], rel=1e-6)


@pytest.mark.parametrize("combinator", ["plain", "inflate", "hurdle", "offset", "arrays"])
@pytest.mark.parametrize("family", FAMILIES)
def test_power_is_a_share_or_a_named_refusal(family, combinator):
    result = fitted(family, combinator)
    if isinstance(result, gc.errors.GlmcountError):
        return
    try:
        found = gc.power(result, "x = 0", reps=2, rng=0)
    except gc.errors.GlmcountError as error:
        assert error.kind in ("no_likelihood", "no_simulation", "simulate_range"), error
        return
    assert 0.0 <= found.power <= 1.0 and found.reps + found.failed == 2


# One of each type that an option may be given by mistake.
ODD = (
    None, True, 5, -1, 0.5, np.nan, np.inf, 1j, "", "nowhere", b"x", [], [1], ["a", "b"], (), {},
    {"x": "a"}, object(), len, np.arange(3), np.array(2), np.eye(2), pd.NA, pd.Series([1, 2]),
    pd.DataFrame({"x": [1]}), pd.Timestamp("2020-01-01"), 10**400,
)  # fmt: skip
CALLS = {
    "contrasts": lambda r: (r.contrasts, {"term": "g"}),
    "equivalence": lambda r: (r.equivalence, {"term": "x", "low": -1, "high": 1}),
    "test_dispersion": lambda r: (r.test_dispersion, {}),
    "standardised_rate": lambda r: (r.standardised_rate, {"reference": REFERENCE, "by": "g"}),
    "t_test": lambda r: (r.t_test, {"hypothesis": "x = 0"}),
    "pool": lambda r: (gc.pool, {"results": [r, r]}),
    "power": lambda r: (gc.power, {"r": r, "test": "x = 0", "reps": 2}),
    "vuong_test": lambda r: (gc.vuong_test, {"r1": r, "r2": fitted("negbin", "plain")}),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_option_comes_out_raw(name, capsys):
    call, given = CALLS[name](fitted("poisson", "plain"))
    for option in inspect.signature(call).parameters:
        for value in ODD:
            if option == "test" and callable(value):
                # A user's own function may raise what it likes.
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    call(**{**given, option: value})
                except gc.errors.GlmcountError as error:
                    assert error.kind != "error"

"""Power by simulation: against closed forms, seeds, refusals."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.inference.watch import Watch
from glmcount.results.power import Power


def plan(n=120, seed=0):
    rng = np.random.default_rng(seed)
    x = np.resize([0.0, 1.0], n)
    return pd.DataFrame({"x": x, "z": rng.normal(size=n), "y": rng.poisson(3.0, n)})


PLAN = plan()


def test_the_level_is_the_power_where_nothing_is_to_be_found():
    r = gc.fit("y ~ x", PLAN)
    found = gc.power(r, "x = 0", params={"x": 0.0}, reps=1000, rng=1)
    low, high = stats.binom.ppf([0.0005, 0.9995], 1000, 0.05)
    assert low <= (found.pvalues <= 0.05).sum() <= high
    assert found.failed == 0 and found.reps == 1000


def test_the_power_is_that_of_the_normal_approximation():
    """Of log(rate ratio) 0.3 at 60 and 60 counts of mean 3 and 3 exp(0.3)."""
    r = gc.fit("y ~ x", PLAN)
    assumed = {"Intercept": np.log(3.0), "x": 0.3}
    found = gc.power(r, "x = 0", params=assumed, reps=1000, rng=2)
    error = np.sqrt(1 / (60 * 3.0) + 1 / (60 * 3.0 * np.exp(0.3)))
    truth = stats.norm.sf(stats.norm.isf(0.025) - 0.3 / error)
    assert found.power == pytest.approx(truth, abs=0.035)
    low, high = found.conf_int
    hits = round(found.power * 1000)
    exact = stats.binomtest(hits, 1000).proportion_ci(0.95, "exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), rel=1e-9)


def test_alpha_is_assumed_on_its_natural_scale_and_costs_power():
    rng = np.random.default_rng(0)
    y = rng.negative_binomial(2, 2 / (2 + 3.0), 120)
    r = gc.fit("y ~ x", PLAN.assign(y=y), family="negbin")
    assumed = {"Intercept": 1.1, "x": 0.4}
    few, many = (
        gc.power(r, "x = 0", params={**assumed, "alpha": alpha}, reps=200, rng=3).power
        for alpha in (1.0, 0.05)
    )
    assert few < many - 0.2


def test_a_seed_gives_the_same_and_a_function_is_a_test():
    r = gc.fit("y ~ x", PLAN)
    first = gc.power(r, "x = 0", params={"x": 0.2}, reps=50, rng=4)
    again = gc.power(r, lambda each: each.pvalues["x"], params={"x": 0.2}, reps=50, rng=4)
    np.testing.assert_allclose(first.pvalues, again.pvalues, rtol=1e-6)
    assert first.hypothesis == "x = 0"


def test_rows_that_were_left_out_stay_out():
    data = PLAN.assign(z=PLAN.z.where(PLAN.index % 7 != 0))
    with pytest.warns(gc.errors.MissingRowsWarning):
        r = gc.fit("y ~ x + z", data)
    sizes = set()

    def test(each):
        sizes.add(each.nobs)
        return each.pvalues["z"]

    gc.power(r, test, reps=3, rng=0)
    assert sizes == {r.nobs}


def test_the_covariance_of_the_fit_is_used():
    r = gc.fit("y ~ x", PLAN, cov="HC1")
    kinds = set()

    def test(each):
        kinds.add(each.cov_type)
        return 0.5

    gc.power(r, test, reps=2, rng=0)
    assert kinds == {"HC1"}


def test_simulations_that_cannot_be_tested_are_counted():
    calls = []

    def test(each):
        calls.append(1)
        if len(calls) % 2:
            raise gc.errors.NotDefinedError("no test")
        return 0.01

    found = gc.power(gc.fit("y ~ x", PLAN), test, reps=10, rng=1)
    assert (found.reps, found.failed, found.power) == (5, 5, 1.0)
    assert "5 more could not be fitted" in str(found)

    def never(each):
        return float("nan")

    with pytest.raises(gc.errors.NotDefinedError) as caught:
        gc.power(gc.fit("y ~ x", PLAN), never, reps=3, rng=1)
    assert caught.value.kind == "no_simulation"


@pytest.mark.parametrize(
    ("test", "call", "kind"),
    [
        ("x = 0", {"params": {"q": 1}}, "unknown_parameter"),
        ("x = 0", {"params": {"x": "a"}}, "params"),
        ("nowhere = 0", {}, "hypothesis"),
        ("x = 0", {"reps": 0}, "reps"),
        ("x = 0", {"alpha": 0}, "alpha"),
        ("x = 0", {"rng": "seed"}, "rng"),
        ("x = 0", {"progress": 1}, "progress"),
    ],
)
def test_usage(test, call, kind):
    with pytest.raises(gc.errors.GlmcountError) as caught:
        gc.power(gc.fit("y ~ x", PLAN), test, **{"reps": 3, **call})
    assert caught.value.kind == kind


def test_what_has_no_draws_is_named():
    with pytest.raises(gc.errors.UsageError):
        gc.power("y ~ x", "x = 0")
    weighted = gc.fit("y ~ x", PLAN.assign(w=2), weights="w")
    quasi = gc.fit("y ~ x", PLAN, family="quasipoisson")
    for r, kind in ((weighted, "weighted_simulation"), (quasi, "no_likelihood")):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            gc.power(r, "x = 0", reps=2)
        assert caught.value.kind == kind
    wide = gc.fit("y ~ 1", {"y": [0, 1, 5, 9, 0, 2, 14]}, family="negbin")
    with pytest.raises(gc.errors.UsageError, match="above 0"):
        gc.power(wide, "Intercept = 0", params={"alpha": -1.0}, reps=2)


def test_progress_tells_rate_and_time_left(capsys):
    gc.power(gc.fit("y ~ x", PLAN), "x = 0", reps=4, rng=1, progress=True)
    assert capsys.readouterr().err.startswith("4/4 simulations, ")
    told = io.StringIO()
    watch = Watch(10, "simulations", told)
    watch.said -= 5.0
    watch.tell(3)
    assert told.getvalue().startswith("3/10 simulations, ")
    watch.tell(4)
    assert told.getvalue().count("\n") == 1


def test_the_ends_of_an_interval_are_0_and_1():
    found = Power(1.0, (0.9, 1.0), 10, 0, 0.05, "x = 0", np.zeros(10))
    assert str(found) == "Power of x = 0 at alpha 0.05: 1.000 [0.900, 1.000] by 10 simulations"

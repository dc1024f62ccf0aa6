"""Profile intervals against published figures and brute force."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import glmcount as gc
from glmcount.errors import (
    ConvergenceError,
    IntervalWarning,
    NoLikelihoodError,
    NotDefinedError,
    UsageError,
)
from glmcount.inference.profiled import profile_intervals
from tests import golden_files

CUT = stats.chi2.ppf(0.95, 1)


def profile(result, **options):
    return result.conf_int(method="profile", **options)


def agree(found, printed):
    for name, row in printed.items():
        for end, text in zip(found.loc[name], row, strict=True):
            assert golden_files.agrees(end, text), (name, end, text)


def test_dobson():
    # R's ?glm and stats-Ex.Rout.save print what profile interpolates, at most 1.4e-5 off;
    # tests/golden/make_tests.R has R's roots of the same likelihoods.
    r = gc.fit("counts ~ C(outcome) + C(treatment)", gc.datasets.load("dobson"))
    printed = [
        (2.6958215, 3.36655581), (-0.8577018, -0.06255840), (-0.6753696, 0.08244089),
        (-0.3932548, 0.39325483), (-0.3932548, 0.39325483),
    ]  # fmt: skip
    np.testing.assert_allclose(profile(r), printed, atol=1.5e-5)


def test_by_hand():
    agree(profile(gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})), {"Intercept": ("-1.169732", "0.842891")})
    r = gc.fit("y ~ 1", {"y": [1, 1, 2, 1, 3, 2, 1, 1, 4, 2]}, truncated=0)
    agree(profile(r), {"Intercept": ("-0.462985", "0.841316")})


def test_a_rare_group_under_nb2():
    y = [0, 1, 0, 2, 5, 0, 1, 3, 0, 0, 7, 1] * 5 + [0, 0, 1, 0, 4, 0, 2, 0, 0, 1, 0, 9] + [0, 3, 0]
    r = gc.fit("y ~ g", {"y": y, "g": ["A"] * 60 + ["B"] * 12 + ["C"] * 3}, family="negbin")
    printed = {
        "Intercept": ("0.139413", "0.906392"), "g[T.B]": ("-1.083828", "0.849192"),
        "g[T.C]": ("-2.372619", "1.674027"), "alpha": ("0.892467", "2.731108"),
    }  # fmt: skip
    agree(profile(r), printed)


def separated():
    return gc.fit("y ~ d", {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}, separation="ignore")


def test_separation_leaves_half_an_interval():
    with pytest.warns(IntervalWarning, match="d: lower end -inf, where the maximum is") as caught:
        found = profile(separated())
    assert caught[0].message.kind == "infinite_interval"
    assert found.loc["d", 0] == -np.inf
    assert golden_files.agrees(found.loc["d", 1], "-0.569262")

    # The other rows' mean alone: three counts with sum 6.
    def gap(b):
        return 2.0 * (6 * np.log(2) - 6 - (6 * b - 3 * np.exp(b))) - CUT

    ends = [optimize.brentq(gap, -2, np.log(2)), optimize.brentq(gap, np.log(2), 3)]
    np.testing.assert_allclose(found.loc["Intercept"], ends, atol=1e-7)


def test_a_boundary_is_an_end():
    y = [2, 1, 3, 2, 2, 1, 2, 3]
    data = {"y": y, "x": np.arange(1.0, 9.0)}
    with pytest.warns(gc.errors.BoundaryWarning):
        r = gc.fit("y ~ 1", data, family="negbin")
    found = profile(r)
    top = stats.poisson.logpmf(y, np.mean(y)).sum()

    def gap(alpha):
        # The mean of NB2 with a constant is the sample's, whatever alpha.
        size = 1.0 / alpha
        return 2.0 * (top - stats.nbinom.logpmf(y, size, size / (size + np.mean(y))).sum()) - CUT

    np.testing.assert_allclose(found.loc["alpha"], [0.0, optimize.brentq(gap, 1e-3, 50)], atol=1e-7)


def test_an_end_at_a_boundary_has_its_reason():
    data = {"y": [0, 1, 3, 2, 2, 1, 2, 9], "x": np.arange(8.0)}
    r = gc.fit("y ~ x", data, family="negbin")
    with pytest.warns(IntervalWarning, match="alpha: lower end 0, since the likelihood falls"):
        found = profile(r, parameters="alpha")
    assert found.index.tolist() == ["alpha"]
    assert found.loc["alpha", 0] == 0.0 < r.params["alpha"] < found.loc["alpha", 1]
    # So it is: Poisson is not rejected.
    assert 2.0 * (r.llf - gc.fit("y ~ x", data).llf) < CUT


def test_another_level_and_held_dispersion():
    r = gc.fit("Days ~ Eth + Sex", gc.datasets.load("quine"), family="negbin")
    wide = profile(r, alpha=0.01)
    narrow = profile(r)
    assert (wide[0] < narrow[0]).all()
    assert (wide[1] > narrow[1]).all()
    held = profile(r, nuisance="held")
    alone = gc.fit(
        "Days ~ Eth + Sex",
        gc.datasets.load("quine"),
        family=gc.families.negbin(alpha=float(r.params["alpha"])),
    )
    np.testing.assert_allclose(held.iloc[:3], profile(alone), atol=1e-7)
    assert not np.allclose(held.iloc[:3], narrow.iloc[:3], atol=1e-4)


def test_arrays_and_dropped_rows_and_aliased_columns():
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    x[7] = np.nan
    data = pd.DataFrame({"y": rng.poisson(np.exp(0.5 + 0.2 * np.nan_to_num(x))), "x": x})
    with pytest.warns(gc.errors.GlmcountWarning):
        r = gc.fit("y ~ x + I(2 * x)", data, weights=np.full(60, 2.0))
    twice = data.loc[np.repeat(data.dropna().index, 2)]
    X = np.column_stack([np.ones(len(twice)), twice.x])
    other = gc.fit_arrays(twice.y.to_numpy(), X)
    np.testing.assert_allclose(profile(r), profile(other), atol=1e-8)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"family": "quasipoisson"}, NoLikelihoodError),
        ({"weights": "x", "weights_type": "probability"}, NoLikelihoodError),
        ({"cov": "HC1"}, NotDefinedError),
    ],
)
def test_refusals(options, error):
    data = {"y": [1, 3, 2, 6, 1, 2], "x": [1.0, 2.0, 1.0, 2.0, 3.0, 1.5]}
    with pytest.raises(error, match="profile"):
        profile(gc.fit("y ~ x", data, **options))


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"method": "bayes"}, "unknown_method"),
        ({"method": "profile", "nuisance": "gone"}, "unknown_nuisance"),
        ({"nuisance": "held"}, "wald_nuisance"),
        ({"method": "bootstrap", "nuisance": "held"}, "wald_nuisance"),
        ({"nuisance": "gone"}, "unknown_nuisance"),
        ({"parameters": "nope"}, "unknown_parameter"),
        ({"method": "profile", "alpha": 2.0}, "alpha"),
    ],
)
def test_options(options, kind):
    r = gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})
    with pytest.raises(UsageError) as caught:
        r.conf_int(**options)
    assert caught.value.kind == kind


def test_a_better_maximum_is_offered():
    # Of a fit that is told to have less than it has, every value nearby is better.
    result = gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})
    low = result._state
    lowered = type(low)(**{**low.__dict__, "fit": _lowered(low.fit)})
    with pytest.raises(ConvergenceError, match=r"r\.refit\(start=") as caught:
        profile_intervals(lowered, [0], 0.05, False)
    assert caught.value.kind == "better_optimum"
    assert re.search(r"start=\[-?\d", str(caught.value))


def _lowered(fit):
    return type(fit)(**{**fit.__dict__, "llf": fit.llf - 3.0})

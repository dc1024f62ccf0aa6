"""Estimates in the user's columns, scales and names."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import glmcount as gc
from glmcount.fitting.estimates import estimates, names, parameters


def fitted(formula="y ~ x", **options):
    rng = np.random.default_rng(6)
    data = {"x": rng.normal(size=200), "alpha": rng.normal(size=200)}
    data["y"] = rng.poisson(np.exp(0.3 + 0.4 * data["x"]) * rng.gamma(2.0, 0.5, 200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        return gc.fit(formula, data, **options)


def test_names_are_the_mean_s_then_the_ancillary_ones():
    state = fitted(family="negbin", inflate="x")._state
    assert names(state.family, state.asked_spec) == (
        "Intercept",
        "x",
        "inflate_Intercept",
        "inflate_x",
        "alpha",
    )


def test_a_constant_is_shown_on_its_natural_scale_and_a_regression_is_not():
    one, two = fitted(family="negbin"), fitted(family="negbin", dispersion="x")
    shown, regressed = (parameters(r._state.family, r._state.asked_spec) for r in (one, two))
    assert shown.natural.tolist() == [False, False, True]
    assert shown.logged.tolist() == [False, False, True]
    assert not regressed.natural.any()


def test_a_name_that_a_column_has_is_given_to_it():
    state = fitted("y ~ alpha", family="negbin")._state
    found = parameters(state.family, state.asked_spec)
    assert found.names == ("Intercept", "alpha", "alpha (dispersion)")
    assert found.renamed == (("alpha", "alpha (dispersion)"),)


def test_values_and_slopes_are_those_of_the_scale():
    r = fitted(family="negbin")
    state = r._state
    found = estimates(state.fit, state.asked_spec, state.family)
    assert found.values[2] == pytest.approx(np.exp(found.internal[2]))
    assert found.slope.tolist() == [1.0, 1.0, pytest.approx(found.values[2])]
    np.testing.assert_array_equal(found.values, r.params)


def test_where_each_parameter_goes_alone_is_where_its_unit_function_goes():
    rng = np.random.default_rng(8)
    firm = np.repeat(np.arange(30), 20)
    y = rng.poisson(1.5, 600)
    y[np.isin(firm, (0, 4, 17))] = 0
    with pytest.warns(gc.errors.SeparationWarning):
        r = gc.fit("y ~ C(firm) + x", {"y": y, "firm": firm, "x": rng.normal(size=600)})
    moves = r._state.estimates.moves
    ends = moves.ways(np.eye(len(r.params)))
    np.testing.assert_array_equal(moves.own, ends)
    # The level of reference is empty: all others rise against it, but those that go down too.
    assert ends[0] == -1.0 and np.isnan(ends[[4, 17]]).all()
    assert np.all(np.delete(ends, [0, 4, 17, 30]) == 1.0) and ends[30] == 0.0

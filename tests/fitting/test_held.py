"""A coefficient held by its column as an offset, against fits of formulas that say so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

import glmcount as gc
from glmcount.fitting.held import held_column
from tests.made import counts

DATA = counts(150, 5)
CASES = [
    ("y ~ x + z", {}, "x", "y ~ z"),
    ("y ~ x + z", {"family": "negbin"}, "Intercept", "y ~ 0 + x + z"),
    ("y ~ x + g", {"family": "negbin"}, "g[T.b]", "y ~ x + I(1.0 * (g == 'c'))"),
    ("y ~ x", {"inflate": "z"}, "inflate_z", None),
]


@pytest.mark.parametrize(("formula", "options", "name", "left"), CASES)
def test_it_is_the_fit_with_an_offset(formula, options, name, left):
    r = gc.fit(formula, DATA, **options)
    state, value = r._state, float(r.params[name]) + 0.1
    place = int(state.fit.kept[list(r.params.index).index(name)])
    own = held_column(state.rows, place)
    llf, theta = own.fit(state.fit, state.options, value)
    user = state.fit.layout.unshift(theta)
    assert user[place] == pytest.approx(value, abs=1e-12)
    if left is None:
        other = gc.fit(formula, DATA, inflate=f"1 + offset({value} * z)")
    else:
        column = {"x": DATA["x"], "Intercept": np.ones(150), "g[T.b]": 1.0 * (DATA["g"] == "b")}
        other = gc.fit(left, DATA, offset=value * column[name], **options)
    assert llf == pytest.approx(other.llf, abs=1e-7)
    rest = np.delete(user, place)
    internal = other._state.estimates.internal
    # patsy has factors before numbers.
    np.testing.assert_allclose(np.sort(rest), np.sort(internal), atol=2e-5)


def test_a_constant_of_a_zero_part():
    r = gc.fit("y ~ x", DATA, inflate="1")
    own = held_column(r._state.rows, 2)
    llf, _ = own.fit(r._state.fit, r._state.options, -1.5)
    pi = special.expit(-1.5)

    def negative(b):
        mass = stats.poisson.pmf(DATA["y"], np.exp(b[0] + b[1] * DATA["x"]))
        return -np.log(pi * (DATA["y"] == 0) + (1.0 - pi) * mass).sum()

    assert llf == pytest.approx(-optimize.minimize(negative, [0.5, 0.1]).fun, abs=1e-6)


def test_of_several_columns_of_one_part_none_goes_alone():
    r = gc.fit("y ~ bs(x, df=4)", DATA)
    assert held_column(r._state.rows, 2) is None

"""B-splines against scipy's basis elements and numpy's quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import BSpline

from glmcount.language.bspline import Knots, bspline, bspline_knots, bspline_seen
from glmcount.language.knots import Span, Tally

X = np.random.default_rng(4).gamma(2.0, 1.0, 60)


def made(x=X, **settings):
    learnt = bspline_knots(settings, bspline_seen(settings, [x]))
    return learnt, bspline(settings, learnt, [x])


@pytest.mark.parametrize("degree", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("constant", [False, True])
def test_columns_are_those_of_the_basis(degree, constant):
    learnt, found = made(df=degree + 4, degree=degree, include_intercept=constant)
    inner = 4 - constant
    shares = np.linspace(0, 1, inner + 2)[1:-1]
    outer = [X.min(), X.max()]
    expected = np.sort(np.r_[outer * (degree + 1), np.quantile(X, shares)])
    np.testing.assert_allclose(learnt.all_knots, expected, rtol=1e-14)
    whole = BSpline.design_matrix(X, learnt.all_knots, degree).toarray()
    np.testing.assert_allclose(found, whole[:, 1 - constant :], rtol=0, atol=1e-13)


def test_they_add_up_to_one_and_knots_can_be_given():
    learnt, found = made(knots=[1.0, 2.0], include_intercept=True, lower_bound=0, upper_bound=20)
    assert learnt.all_knots.tolist() == [0.0] * 4 + [1.0, 2.0] + [20.0] * 4
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-14)


def test_what_is_kept_of_a_strip_is_no_more_than_needed():
    assert isinstance(bspline_seen({"df": 5}, [X]), Tally)
    assert isinstance(bspline_seen({"df": 3}, [X]), Span)
    assert isinstance(bspline_seen({"knots": [1.0]}, [X]), Span)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give either df= or knots="),
        ({"df": 2}, r"df=2 is too small .* must be 3 or more"),
        ({"df": 3, "include_intercept": True}, "must be 4 or more"),
        ({"df": 5, "degree": -1}, "degree=-1"),
        ({"df": 5, "knots": [1.0]}, "implies 2 knots, but 1"),
        ({"knots": [[1.0]]}, "list of numbers"),
        ({"knots": [-99.0]}, "below lower"),
    ],
)
def test_settings_that_do_not_fit(settings, said):
    with pytest.raises(ValueError, match=said):
        made(**settings)


def test_nothing_to_place_knots_by_and_too_few_knots():
    with pytest.raises(ValueError, match="no values"):
        made(np.zeros(0), df=5, lower_bound=0, upper_bound=1)
    with pytest.raises(ValueError, match="needs more knots"):
        bspline({}, Knots(3, np.arange(4.0)), [X])

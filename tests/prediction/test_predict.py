"""Predictions take their offsets from the new rows, keep their place, and say what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"x": rng.normal(size=90), "t": rng.uniform(1, 9, 90), "g": rng.choice(list("abc"), 90)},
        index=np.arange(90) * 2,
    )
    frame["y"] = rng.poisson(frame.t * np.exp(0.3 * frame.x))
    return frame


def test_new_rows_are_the_old_ones(data):
    result = gc.fit("y ~ center(x) * g", data, exposure="t")
    np.testing.assert_allclose(result.predict(data.iloc[7:9]), result.fittedvalues.iloc[7:9])
    np.testing.assert_allclose(result.predict(data.iloc[[5]]), result.fittedvalues.iloc[[5]])
    assert list(result.predict(data.iloc[7:9]).index) == [14, 16]
    as_dict = result.predict({"x": [0.0], "g": ["b"], "t": [2.0]})
    assert as_dict.shape == (1,)
    np.testing.assert_allclose(
        result.predict({"x": [0.0], "g": ["b"], "t": [4.0]}), 2 * as_dict, rtol=1e-13
    )


def test_missing_values_stay_in_place(data):
    result = gc.fit("y ~ x + g", data, exposure="t")
    rows = data.head(4).copy()
    rows.loc[2, "x"] = np.nan
    rows.loc[6, "g"] = None
    found = result.predict(rows)
    assert list(found.isna()) == [False, True, False, True]
    frame = result.get_prediction(rows).summary_frame()
    assert frame.isna().any(axis=1).tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("options", "kind"),
    [({"exposure": "t"}, "exposure_required"), ({"offset": "log(t)"}, "offset_required")],
)
def test_exposure_and_offset_are_asked_for(data, options, kind):
    result = gc.fit("y ~ x", data, **options)
    with pytest.raises(gc.errors.UnknownColumnError, match="'t'") as caught:
        result.predict(data[["x"]])
    assert caught.value.kind == kind


def test_an_offset_given_as_an_array_is_asked_for_again(data):
    by_name = gc.fit("y ~ x", data, exposure="t")
    by_array = gc.fit("y ~ x", data, exposure=data.t.to_numpy())
    np.testing.assert_array_equal(by_name.params, by_array.params)
    with pytest.raises(gc.errors.UnknownColumnError, match="exposure="):
        by_array.predict(data.head(2))
    found = by_array.predict(data.head(2), exposure=data.t.head(2))
    np.testing.assert_allclose(found, by_name.predict(data.head(2)), rtol=1e-14)


def test_a_level_that_was_not_there_is_named(data):
    result = gc.fit("y ~ g", data)
    with pytest.raises(gc.errors.DataError, match="'zz'") as caught:
        result.predict({"g": ["a", "zz"]})
    assert caught.value.kind == "unseen_level"


@pytest.mark.parametrize("which", ["mean", "linear", "var"])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_standard_errors_are_the_delta_method(data, which, family):
    result = gc.fit("y ~ x + g", data, family=family, cov="HC0")
    rows = data.head(3)
    found = result.get_prediction(rows, which=which)
    # Differences in each estimated parameter, ancillary ones on the logarithm.
    from glmcount.results import Results

    state = result._state
    fit, step = state.fit, 1e-6
    gradients = []
    for j in range(len(fit.theta)):
        ends = []
        for sign in (1, -1):
            theta = fit.theta.copy()
            theta[j] += sign * step
            moved = Results(_with_theta(state, theta), result._cov)
            ends.append(moved.predict(rows, which=which).to_numpy())
        gradients.append((ends[0] - ends[1]) / (2 * step))
    matrix = state.reshifted(result._covariance.matrix)
    gradients = np.array(gradients)
    truth = np.sqrt(np.einsum("jn,jk,kn->n", gradients, matrix, gradients))
    np.testing.assert_allclose(found.se, truth, rtol=1e-5)


def _with_theta(state, theta):
    from dataclasses import replace

    return replace(state, fit=replace(state.fit, theta=theta))


def test_intervals_of_means_stay_positive(data):
    frame = gc.fit("y ~ x", data).get_prediction({"x": [-50.0, 0.0]}).summary_frame()
    assert (frame.mean_ci_lower > 0).all()
    assert (frame.mean_ci_lower < frame["mean"]).all()
    assert (frame["mean"] < frame.mean_ci_upper).all()


def test_unknown_quantities_are_refused(data):
    with pytest.raises(gc.errors.UsageError, match="mean"):
        gc.fit("y ~ x", data).predict(which="meen")

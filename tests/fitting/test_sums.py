"""Further passes at an estimate against sums over the design written out."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine.information import Information
from glmcount.engine.weigh import Unweighed
from glmcount.errors import NotDefinedError
from glmcount.families import families, hurdle, poisson
from glmcount.fitting.falling import Falling
from glmcount.fitting.maximise import maximise
from glmcount.fitting.run import Settings
from glmcount.fitting.sums import (
    by_row,
    finite_columns,
    inverse_information,
    mean_inverse,
    mean_weights,
    row_leverage,
    spread,
    total,
)
from glmcount.records import replace
from tests.made import counts, ready

DATA = counts()
X = np.stack([np.ones(60), DATA["x"], DATA["g"] == "b", DATA["g"] == "c"], axis=1)


def fit_of(family="poisson", **roles):
    rows, layout, measured, own = ready("y ~ x + g", DATA, family, **roles)
    return rows, maximise(rows, layout, measured, own, Settings())


def means(fit):
    return np.exp(X @ fit.layout.unshift(fit.theta)[:4])


@pytest.mark.parametrize("weights", [None, "w"])
def test_rows_and_totals(weights):
    rows, fit = fit_of(weights=weights)
    mean, w = means(fit), np.ones(60) if weights is None else DATA["w"]
    found = by_row(rows, fit, lambda strip, at: strip.y[0] - np.exp(at.etas[0]))
    np.testing.assert_allclose(found, DATA["y"] - mean, atol=1e-11)
    pearson = total(rows, fit, lambda at: (at.y[0] - np.exp(at.etas[0])) ** 2 / np.exp(at.etas[0]))
    assert pearson == pytest.approx((w * (DATA["y"] - mean) ** 2 / mean).sum(), rel=1e-11)
    assert by_row(rows, fit, lambda strip, at: np.ones(1)).tolist() == [1.0] * 60


@pytest.mark.parametrize("family", ["poisson", "negbin"])
@pytest.mark.parametrize("importance", [False, True])
def test_leverages_are_the_diagonal_of_the_hat_matrix(family, importance):
    rows, fit = fit_of(family, weights="w")
    mean, w = means(fit), DATA["w"]
    alpha = np.exp(fit.theta[4]) if family == "negbin" else 0.0
    working = mean / (1 + alpha * mean)
    root = X * np.sqrt(working * w)[:, None]
    hat = np.diag(root @ np.linalg.solve(root.T @ root, root.T))
    inverse = mean_inverse(rows, fit)
    own = by_row(rows, fit, lambda s, at: row_leverage(fit, inverse, s, at, importance))
    np.testing.assert_allclose(own, hat if importance else hat / w, rtol=1e-9)


def test_weights_of_the_mean_are_expected_where_these_are_known():
    rows = Unweighed(np.array([[0.0, 3.0]]), None, (np.array([0.2, 1.0]), np.log([[0.5]])[0]))
    mean = np.exp(rows.etas[0])
    np.testing.assert_allclose(mean_weights(families["negbin"], rows), mean / (1 + 0.5 * mean))
    observed = families["negbin"].with_(expected=None)
    bend = mean * (1 + 0.5 * rows.y[0]) / (1 + 0.5 * mean) ** 2
    np.testing.assert_allclose(mean_weights(observed, rows), bend, rtol=1e-13)


def test_several_parts_have_no_leverage():
    with pytest.raises(NotDefinedError, match="several parts") as caught:
        rows, fit = fit_of(hurdle(poisson))
        mean_inverse(rows, fit)
    assert caught.value.kind == "no_leverage"


def test_a_matrix_over_the_kept_columns_has_zeros_elsewhere():
    _, fit = fit_of()
    some = replace(fit, kept=np.array([0, 2]))
    found = spread(some, np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert found[np.ix_([0, 2], [0, 2])].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert np.count_nonzero(found) == 4


def test_along_a_direction_the_columns_that_carry_it_are_held():
    _, fit = fit_of()
    np.testing.assert_allclose(
        inverse_information(fit), np.linalg.inv(fit.information.matrix), rtol=1e-9
    )
    assert inverse_information(fit, np.diag([1.0, -1.0, 1.0, 1.0])) is None
    far = Falling(
        np.ones(60, bool), (), fit.layout, np.array([0.0, 1, 0, 0]), carriers=np.array([1])
    )
    gone = replace(fit, falling=far)
    assert finite_columns(fit).tolist() == [0, 1, 2, 3] and finite_columns(gone).tolist() == [
        0,
        2,
        3,
    ]
    matrix = fit.information.matrix.copy()
    matrix[1], matrix[:, 1] = 0.0, 0.0
    found = inverse_information(gone, matrix)
    inside = np.ix_([0, 2, 3], [0, 2, 3])
    np.testing.assert_allclose(found[inside], np.linalg.inv(matrix[inside]), rtol=1e-9)
    assert not found[1].any()
    # Of parameters alone the foremost column is held, and more where that is not enough.
    alone = replace(far, carriers=None, rows=np.zeros(60, bool))
    held = inverse_information(replace(fit, falling=alone), matrix)
    np.testing.assert_allclose(held, found, rtol=1e-12)
    assert isinstance(fit.information, Information)

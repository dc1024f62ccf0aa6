"""Single precision steers the first passes of a large fit, and leaves no trace in its results."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.fitting import gram as products
from glmcount.fitting import pilot, start
from glmcount.fitting.run import Run

# More than those whose products take no less time in single precision.
COLUMNS = [f"x{k}" for k in range(34)]
FORMULA = "y ~ " + " + ".join(COLUMNS)


def drawn(n=60_000, spread=1.0, seed=5):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({name: 4.0 + spread * rng.standard_normal(n) for name in COLUMNS})
    eta = 0.2 + (frame[COLUMNS] - 4.0) @ np.linspace(-0.1, 0.1, len(COLUMNS)) / spread
    frame["y"] = rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, n)) * (rng.random(n) < 0.8)
    return frame


@pytest.fixture
def passes(monkeypatch):
    """Whether each pass over all rows that asked for the information was a rough one."""
    told = []
    evaluate = Run.evaluate

    def telling(self, theta, second=True, rough=False, *, expected):
        if second and not self.pilot:
            told.append(rough)
        return evaluate(self, theta, second, rough, expected=expected)

    monkeypatch.setattr(Run, "evaluate", telling)
    return told


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("p", "q"), [(3, 2), (9, 9), (21, 21), (24, 7), (7, 24), (41, 41), (41, 7), (7, 41)]
)
def test_products_in_single_precision_have_seven_digits(p, q, sign):
    rng = np.random.default_rng(p)
    left, right = rng.standard_normal((p, 3000)), rng.standard_normal((q, 3000))
    right = left if p == q else right
    weights = sign * rng.random(3000)
    exact = np.einsum("in,n,jn->ij", left, weights, right)
    size = np.sqrt(np.outer(np.square(left).sum(axis=1), np.square(right).sum(axis=1)))
    for rough, digits in ((False, 1e-14), (True, 3e-7)):
        held = left.copy()
        found = products.gram(held, held if p == q else right, weights, p == q, rough)
        assert found.dtype == np.float64
        assert (np.abs(found - exact) <= digits * size).all()


def test_weights_that_would_overflow_stay_double():
    columns = np.random.default_rng(1).standard_normal((41, 50))
    weights = np.full(50, 1e40)
    found = products.gram(columns.copy(), columns.copy(), weights, False, rough=True)
    np.testing.assert_allclose(found, 1e40 * columns @ columns.T, rtol=1e-10, atol=1e28)


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("poisson", {}),
        ("poisson", {"weights": "x0", "weights_type": "importance"}),
        ("negbin", {}),
        ("negbin", {"method": "irls"}),
        ("poisson", {"inflate": " + ".join(COLUMNS[:8])}),
        ("poisson", {"hurdle": "x0"}),
    ],
)
def test_results_are_those_of_double_precision(family, options, passes, monkeypatch):
    data = drawn()
    data["x0"] = np.abs(data["x0"])
    found = gc.fit(FORMULA, data, family=family, **options)
    assert passes[0]
    assert not passes[-1]
    monkeypatch.setattr(pilot, "single_suits", lambda layout: False)
    passes.clear()
    double = gc.fit(FORMULA, data, family=family, **options)
    assert not any(passes)
    assert (np.abs(found.params - double.params) <= 1e-9 * double.bse).all()
    np.testing.assert_allclose(found.bse, double.bse, rtol=1e-10)
    assert found.llf == pytest.approx(double.llf, rel=1e-14)
    assert found.certificate.floor == pytest.approx(double.certificate.floor, rel=1e-6)


@pytest.mark.parametrize("spread", [1e-9, 1e9])
def test_columns_of_extreme_size_stay_double(spread, passes):
    found = gc.fit(FORMULA, drawn(spread=spread))
    assert found.converged
    assert not any(passes)


def test_columns_that_are_close_stay_double(passes):
    data = drawn()
    data["x8"] = data["x7"] + 1e-3 * data["x8"]
    found = gc.fit(FORMULA, data)
    assert found.converged
    assert not any(passes)


def test_columns_that_are_close_only_in_later_rows_are_told_apart(passes, monkeypatch):
    """The pilot's rows are the first of the strip; later ones outweigh them."""
    data = drawn()
    far = 300.0 * np.random.default_rng(2).standard_normal(len(data))
    far[: len(data) // 2] = 0.0
    data["x7"] += far
    data["x8"] += far
    data["y"] = data["y"].clip(upper=1)
    found = gc.fit(FORMULA, data)
    assert passes[0]
    monkeypatch.setattr(start, "PILOT_FROM", 10**9)
    alone = gc.fit(FORMULA, data)
    assert (np.abs(found.params - alone.params) <= 1e-8 * alone.bse).all()
    np.testing.assert_allclose(found.bse, alone.bse, rtol=1e-9)


def test_separation_is_found_as_in_double_precision(monkeypatch):
    data = drawn()
    data["x8"] = (np.arange(len(data)) % 7 == 0).astype(float)
    data.loc[data["x8"] == 1.0, "y"] = 0
    with pytest.warns(gc.errors.SeparationWarning):
        found = gc.fit(FORMULA, data)
    monkeypatch.setattr(pilot, "single_suits", lambda layout: False)
    with pytest.warns(gc.errors.SeparationWarning):
        double = gc.fit(FORMULA, data)
    finite = np.isfinite(double.bse)
    assert (np.isfinite(found.bse) == finite).all()
    np.testing.assert_allclose(found.bse[finite], double.bse[finite], rtol=1e-8)
    assert found.llf == pytest.approx(double.llf, abs=1e-5)


def test_rows_that_overflow_at_the_pilot_s_estimate_start_without_it():
    data = drawn()
    data["y"] = data["y"].clip(upper=1)
    data.loc[len(data) // 2 :, "x8"] *= 1e5
    found = gc.fit(FORMULA, data)
    assert any(line.pilot for line in found.history)
    assert found.converged

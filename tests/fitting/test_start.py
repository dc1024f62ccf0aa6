"""Where a fit begins: closed forms, least squares, what a user gives, and how large a pilot is."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.families import compose, families
from glmcount.fitting import start
from glmcount.fitting.run import Settings
from glmcount.fitting.start import first_values, pilot_rows, usual
from tests.made import counts, run_of

DATA = counts()


def test_a_pilot_is_a_twentieth_of_many_rows():
    assert pilot_rows(start.PILOT_FROM - 1, 3, 1, 2) is None
    assert pilot_rows(60_000, 151, 1, 2) is None, "too few rows for so many columns"
    assert pilot_rows(60_000, 3, 1, 2) == start.PILOT_LEAST
    assert pilot_rows(10**6, 3, 16, 2) == 50_000 // 16
    assert pilot_rows(10**8, 3, 1_526, 2) == start.PILOT_MOST // 1_526
    assert pilot_rows(10**6, 3, 100_000, 2) is None
    # Of many columns the copies stay within their bytes, as long as these tell the parameters.
    assert pilot_rows(10**6, 3, 1, 1_000) == start.PILOT_BYTES // 8_000
    assert pilot_rows(10**6, 1_000, 1, 1_000) == 20_000


def test_constants_begin_at_the_mean_and_slopes_at_zero():
    run = run_of("y ~ x + g", DATA, exposure="t", weights="w")
    theta = first_values(run)
    mean = np.log((DATA["w"] @ DATA["y"]) / (DATA["w"] @ DATA["t"]))
    assert theta[0] == pytest.approx(mean, rel=1e-13) and not theta[1:].any()
    np.testing.assert_array_equal(usual(run), theta)


def test_what_is_given_is_in_the_columns_of_the_user():
    given = np.array([0.5, -0.25])
    run = run_of("y ~ x", DATA, settings=Settings(start=given))
    np.testing.assert_allclose(run.layout.unshift(first_values(run)), given, rtol=1e-14)


@pytest.mark.parametrize("weights", [None, "w"])
def test_without_a_constant_the_lifted_response_is_regressed(weights):
    run = run_of("y ~ 0 + x + z", DATA, "negbin", offset="t", weights=weights)
    w = np.ones(60) if weights is None else DATA["w"]
    design = np.stack([DATA["x"], DATA["z"]], axis=1) * np.sqrt(w)[:, None]
    lifted = (np.log(np.maximum(DATA["y"], 0.1)) - DATA["t"]) * np.sqrt(w)
    expected = np.linalg.lstsq(design, lifted, rcond=None)[0]
    found = first_values(run)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-10)
    assert found[2] == usual(run)[2]


def test_a_mean_that_would_be_negative_begins_elsewhere():
    identity = compose(families["poisson"], "identity")
    offset = np.where(np.arange(60) == 0, -50.0, 0.0)
    run = run_of("y ~ x", DATA | {"o": offset}, identity, offset="o")
    assert not np.array_equal(first_values(run), usual(run))
    plain = run_of("y ~ x", DATA, identity)
    np.testing.assert_array_equal(first_values(plain), usual(plain))

"""Tidy frames: broom's columns, ratios, infinite coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glmcount.errors import NotDefinedError
from glmcount.report.tidy import glance_frame, tidy_frame
from tests.report.samples import DISPERSION, MEAN, POISSON, QUASI

NUMBERS = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]


def test_one_row_for_each_coefficient():
    frame = tidy_frame([MEAN, DISPERSION])
    assert list(frame) == ["term", *NUMBERS, "equation"]
    assert list(frame["term"]) == ["Intercept", "hospital", "gender[T.male]", "alpha"]
    assert list(frame["equation"]) == ["mean"] * 3 + ["Dispersion (alpha)"]
    np.testing.assert_array_equal(frame["estimate"][:3], MEAN.coef)
    np.testing.assert_array_equal(frame["conf_high"][:3], MEAN.upper)
    assert frame["p_value"].isna().tolist() == [False, False, False, True]
    assert tidy_frame([MEAN], alpha=0.1).attrs["conf_level"] == pytest.approx(0.9)


def test_ratios():
    plain, ratios = tidy_frame([MEAN, DISPERSION]), tidy_frame([MEAN, DISPERSION], True)
    mean = slice(0, 3)
    np.testing.assert_allclose(ratios["estimate"][mean], np.exp(plain["estimate"][mean]))
    expected = np.exp(plain["estimate"][mean]) * plain["std_error"][mean]
    np.testing.assert_allclose(ratios["std_error"][mean], expected)
    np.testing.assert_allclose(ratios["conf_low"][mean], np.exp(plain["conf_low"][mean]))
    pd.testing.assert_frame_equal(ratios[["statistic", "p_value"]], plain[["statistic", "p_value"]])
    assert ratios.pop("scale").tolist() == ["IRR", "IRR", "IRR", "coef"]
    pd.testing.assert_frame_equal(ratios[3:], plain[3:])


def test_ratios_need_a_log_link():
    with pytest.raises(NotDefinedError) as caught:
        tidy_frame([DISPERSION], exponentiate=True)
    assert caught.value.kind == "no_rate_ratio"


def test_infinite_coefficients_are_infinite_and_dropped_ones_missing():
    marked = replace(MEAN, marks=("", "-inf", "dropped"))
    frame = tidy_frame([marked])
    assert frame["estimate"][0] == MEAN.coef[0]
    assert frame["estimate"][1] == -np.inf
    assert frame.loc[1, NUMBERS[1:]].isna().all()
    assert frame.loc[2, NUMBERS].isna().all()
    assert tidy_frame([marked], exponentiate=True)["estimate"][1] == 0.0


def test_glance_is_one_row():
    frame = glance_frame(POISSON, {"mean": 8, "alpha": 1}, 7)
    assert frame.shape == (1, 18)
    row = frame.iloc[0]
    assert row["logLik"] == POISSON.llf
    assert row["df_residual"] == 4398
    assert row["AIC"] == POISSON.aic
    assert row["nobs"] == 4406
    assert row[["df_model", "k", "k_mean", "k_alpha"]].tolist() == [7, 9, 8, 1]
    assert bool(row["converged"])
    assert np.isnan(row["scale"])


def test_glance_of_a_model_without_likelihood():
    row = glance_frame(QUASI, {"mean": 8}, 7).iloc[0]
    assert row[["logLik", "AIC", "BIC"]].isna().all()
    assert row["scale"] == QUASI.scale

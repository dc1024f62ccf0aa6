"""Separation told whole: for counts of any size, every row, part and method, and alike everywhere.

Right values come from the exact programme in whole numbers of docs/study_separation.py, from fits
of the rows that are left, and from arithmetic by hand.
"""

from __future__ import annotations

import importlib.util
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.cli import main

STUDY = Path(__file__).parents[2] / "docs" / "study_separation.py"
METHODS = ["newton", "irls", "lbfgs", "gradient"]


def quietly(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit(*args, **options)


def told(*args, **options):
    """The result, and the text of each warning by its kind."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = gc.fit(*args, **options)
    return result, {w.message.kind: str(w.message) for w in caught if hasattr(w.message, "kind")}


def study():
    spec = importlib.util.spec_from_file_location("study_separation", STUDY)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Large counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1, 3e4, 1e5, 1e6, 1e9, 1e15])
def test_large_counts_do_not_hide_separation(scale, method):
    if method == "gradient" and scale == 1e15:
        pytest.skip("takes its 100,000 steps")
    data = {"y": scale * np.array([0, 0, 1, 2, 3]), "x": [1, 1, 0, 0, 0]}
    control = gc.Control(maxiter=200) if method == "gradient" else None
    result = quietly("y ~ x", data, method=method, control=control)
    assert result.separation.where == (0, 1)
    assert result.converged
    assert result.params["Intercept"] == pytest.approx(np.log(2 * scale), rel=1e-12)
    assert result.bse["Intercept"] == pytest.approx(1 / np.sqrt(6 * scale), rel=1e-10)
    assert result.params["x"] == -np.inf and result.bse["x"] == np.inf


FAMILIES = ["quasipoisson", "negbin", "negbin1", "genpoisson", "genpoisson2", "geometric"]


@pytest.mark.parametrize("family", [*FAMILIES, "pig", "compoisson"])
@pytest.mark.parametrize("scale", [1, 1e6])
def test_every_family_finds_it(family, scale):
    if family in ("pig", "compoisson") and scale > 1:
        pytest.skip("takes long at such counts")
    y, d = scale * np.array([1, 2, 3, 0, 0, 6, 1, 0]), [0, 0, 0, 1, 1, 0, 0, 1]
    result = quietly("y ~ d", {"y": y, "d": d}, family=family)
    assert result.separation.where == (3, 4, 7)
    rest = quietly("y ~ 1", {"y": y[y > 0]}, family=family)
    assert result.params["Intercept"] == pytest.approx(rest.params["Intercept"], rel=1e-8)
    if family != "quasipoisson":
        # Its scale counts all rows among the degrees of freedom.
        assert result.bse["Intercept"] == pytest.approx(rest.bse["Intercept"], rel=1e-5)


def test_groups_of_zeros_beside_groups_of_a_million():
    g = np.repeat(list("abcdef"), 4)
    y = np.where(np.isin(g, ["b", "d", "e"]), 0, 1e6 + 1e5 * np.arange(24))
    result = quietly("y ~ g", {"y": y, "g": g})
    assert result.separation.where == tuple(np.flatnonzero(y == 0))
    assert dict(zip(result.separation.columns, result.separation.signs, strict=True)) == {
        "g[T.b]": -1,
        "g[T.d]": -1,
        "g[T.e]": -1,
    }
    assert result.params["g[T.c]"] == pytest.approx(np.log(y[8:12].sum() / y[:4].sum()), rel=1e-12)


def test_many_rows_and_columns():
    rng = np.random.default_rng(3)
    g = rng.integers(0, 40, 60_000)
    x = rng.normal(size=60_000)
    y = np.where(g % 5 == 3, 0, rng.poisson(np.exp(8 + 0.2 * x)))
    result = quietly("y ~ C(g) + x", {"y": y, "g": g, "x": x})
    assert np.array_equal(result.separation.rows, g % 5 == 3)
    assert len(result.separation.columns) == 8
    kept = g % 5 != 3
    rest = quietly("y ~ C(g) + x", {"y": y[kept], "g": g[kept], "x": x[kept]})
    assert result.params["x"] == pytest.approx(rest.params["x"], rel=1e-10)
    assert result.bse["x"] == pytest.approx(rest.bse["x"], rel=1e-8)
    assert result.llf == pytest.approx(rest.llf, rel=1e-12)


def test_a_fit_that_ends_in_the_rounding_of_its_sums_is_looked_into():
    # Row 5 alone has x2: its mean is lost in sums of 5e15 when it is down to 0.01.
    y = 1e15 * np.array([5, 0, 0, 2, 3, 0, 2, 0, 0, 2, 1, 4])
    x0, x1 = [1, 0, 0, 0, 0, 0, 0, 3, 3, 0, 3, 2], [0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0]
    x2 = (np.arange(12) == 5).astype(float)
    result = quietly("y ~ x0 + x1 + x2", {"y": y, "x0": x0, "x1": x1, "x2": x2})
    assert result.separation.where == (5,)
    assert result.separation.columns == ("x2",) and result.params["x2"] == -np.inf
    rest = quietly("y ~ x0 + x1", {"y": y[x2 == 0], **_without(5, x0=x0, x1=x1)})
    assert result.params[["x0", "x1"]].tolist() == pytest.approx(rest.params.tolist()[1:], 1e-10)


def test_a_certificate_of_rows_with_a_mean_of_zero_comes_without_warnings_of_numpy():
    y, x = np.zeros(12), np.zeros(12)
    y[[2, 4, 5]] = 4, 4, 4e6
    x[[0, 5, 8, 10, 11]] = 1e6, -3, 3, 2, 3
    result = quietly("y ~ x + z", {"y": y, "x": x, "z": (np.arange(12) == 4).astype(float)})
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert not np.isnan(result.certificate.rho)
        assert result.summary()


def _without(row, **columns):
    return {name: np.delete(values, row) for name, values in columns.items()}


# All rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("far", [50, 1e6, 1e9])
def test_rows_whose_mean_has_underflowed_are_listed(far):
    result = quietly("y ~ x", {"y": [1, 2, 3, 1, 0, 0, 0], "x": [0, 0, 0, 0, 1, 2, far]})
    assert result.separation.where == (4, 5, 6)
    assert result.separation.signs == (-1,)


@pytest.mark.parametrize("zero", ["logit", "probit", "cloglog", "poisson"])
@pytest.mark.parametrize("far", [50, 1e6])
def test_rows_of_a_hurdle_are_listed(zero, far):
    data = {"y": [1, 2, 0, 3, 1, 0, 0, 0, 2], "x": [0, 0, 0, 0, 0, 1, 2, far, 0]}
    result = quietly("y ~ 1", data, hurdle="x", zero=zero)
    assert result.separation.where == (5, 6, 7)
    assert result.separation.columns == ("hurdle_x",)
    at = result.predict({"x": [0, 0.5, -1]}, which="prob-positive")
    assert at.tolist() == pytest.approx([5 / 6, 0.0, 1.0], abs=1e-12)


@pytest.mark.parametrize("far", [10, 1000, 1e6])
def test_a_hurdle_without_a_constant_keeps_zeros_of_its_direction(far):
    # The inverse of the rows' moves had a zero of 2e-17, which moved rows that stay.
    data = {"y": [2, 0, 0], "x0": [1, far, 1], "x2": [0, 1, 0]}
    result = quietly("y ~ 1", data, hurdle="0 + x0 + x2")
    assert result.separation.where == (1,)
    assert result.separation.columns == ("hurdle_x2",) and result.separation.signs == (-1,)


@pytest.mark.parametrize("far", [10, 1e4, 1e6])
def test_directions_as_thin_as_a_far_row_leaves_them(far):
    data = {
        "y": [1, 1, 6, 1, 1, 1, 6, 1, 3, 6],
        "x0": [far, 0, 1, 0, 0, 1, 1, 1, 1, 0],
        "x1": [0, 0, -2, 3, 3, -3, 2, 3, -3, 1],
        "g": list("ddadcbcdba"),
    }
    result = quietly("y ~ x0 + x1 + g", data, truncated=0)
    assert result.separation.where == (0, 1, 3, 4, 7)
    assert result.separation.columns == tuple(result.params.index)
    assert result.separation.signs == (-1, 1, 1, 1, -1, -1)
    assert result.converged


def test_a_row_without_weight_does_not_count():
    data = {"y": [1, 2, 3, 0, 0, 5], "d": [0, 0, 0, 1, 1, 1], "w": [1, 1, 1, 1, 1, 0]}
    assert quietly("y ~ d", data, weights="w").separation.where == (3, 4)


def test_censored_rows_run_up():
    data = {"y": [1, 2, 3, 5, 5, 4], "d": [0, 0, 0, 1, 1, 0]}
    result, kinds = told("y ~ d", data, censored=5)
    assert result.separation.where == (3, 4) and result.separation.signs == (1,)
    assert "response 0" not in kinds["separation"]


@pytest.mark.parametrize("seed", [1, 7])
def test_a_sample_of_the_study(seed):
    module = study()
    wrong = []
    for number in range(50):
        kind = module.KINDS[number % len(module.KINDS)] if number % 2 else "poisson"
        how, word = module.outcome(kind, "newton", seed, number)
        wrong += [(number, kind, word)] if how == "WRONG" else []
    assert wrong == []


# What is said ---------------------------------------------------------------------------------


def test_advice_fits_the_part():
    y, g = [0, 0, 0, 0, 1, 2, 3, 0, 1, 0, 2, 4, 0, 0, 3, 2], list("aaaabbbbbbbbcccc")
    _, mean = told("y ~ g", {"y": y, "g": g})
    assert "Leave these rows out" in mean["separation"]
    _, zero = told("y ~ 1", {"y": y, "g": g}, hurdle="g")
    assert "Keep these rows" in zero["separation"] and "hurdle part" in zero["separation"]
    _, none = told("y ~ 1", {"y": [1, 2, 3, 4, 2, 1, 5, 2], "x": np.arange(8)}, hurdle="x")
    assert "Leave these rows out" not in none["separation"]
    assert "fit without it" in none["separation"]


# One truth ------------------------------------------------------------------------------------

SIMPLE = {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}


def test_params_tidy_and_summary_tell_the_same():
    result = quietly("y ~ d", SIMPLE)
    tidy = result.tidy().set_index("term")
    assert result.params["d"] == tidy.estimate["d"] == -np.inf
    assert result.bse["d"] == tidy.std_error["d"] == np.inf
    for frame, column in ((result.pvalues, "p_value"), (result.tvalues, "statistic")):
        assert np.isnan(frame["d"]) and np.isnan(tidy[column]["d"])
    assert result.conf_int().loc["d"].isna().all()
    assert tidy.loc["d", ["conf_low", "conf_high"]].isna().all()
    cov = result.cov_params()
    assert cov.loc["d", "d"] == np.inf and np.isnan(cov.loc["d", "Intercept"])
    assert cov.loc["Intercept", "Intercept"] == pytest.approx(1 / 6, rel=1e-12)
    alone = result.t_test("d = 0").iloc[0]
    assert alone.estimate == -np.inf and alone.std_error == np.inf and np.isnan(alone.p_value)
    row = next(line for line in str(result.summary()).split("\n") if line.startswith("d "))
    assert row.split() == ["d", "-inf"]
    assert result.llf == pytest.approx(quietly("y ~ 1", {"y": [1, 2, 3]}).llf, rel=1e-14)


def test_json_tells_the_same(tmp_path, capsys):
    path = tmp_path / "data.csv"
    pd.DataFrame(SIMPLE).to_csv(path, index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(["fit", "y ~ d", str(path), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name in ("params", "bse", "tvalues", "pvalues"):
        assert found[name]["d"] is None
    assert found["separation"] == {"rows": [3, 4], "infinite": {"d": "-inf"}}


def test_predictions_beyond_are_infinite_or_zero():
    result = quietly("y ~ d", SIMPLE)
    new = {"d": [0, 0.5, -1, 1, 1e-3]}
    assert result.predict(new).tolist() == pytest.approx([2, 0, np.inf, 0, 0], abs=1e-300)
    linear = result.predict(new, which="linear").tolist()
    assert linear == pytest.approx([np.log(2), -np.inf, np.inf, -np.inf, -np.inf])
    zero = result.predict(new, which="prob-zero").tolist()
    assert zero == pytest.approx([np.exp(-2), 1, 0, 1, 1])
    assert result.predict(new, which="prob", at=2)[2] == 0.0
    with pytest.warns(gc.errors.PredictionWarning, match="4 rows .* 1, 2, 3, 4: .* no interval"):
        frame = result.get_prediction(new).summary_frame()
    assert frame["mean"].tolist() == pytest.approx([2, 0, np.inf, 0, 0], abs=1e-300)
    assert frame.mean_se[0] == pytest.approx(np.sqrt(4 / 6), rel=1e-10)
    assert frame.iloc[1:, 1:].isna().all().all()
    sure = result.get_prediction(new, which="prob-zero").summary_frame()
    assert sure.loc[1].tolist() == [1, 0, 1, 1] and sure.loc[2].tolist() == [0, 0, 0, 0]


def test_a_finite_sum_of_infinite_coefficients():
    data = {
        "y": [1, 2, 3, 5, 4, 0, 2],
        "x1": [0, 1, 2, 3, 1, 3, 2],
        "x2": [0, 1, 2, 3, 1, 1, 2],
        "z": [1, 2, 0, 1, 3, 1, 1],
    }
    result = quietly("y ~ x1 + x2 + z", data)
    assert result.params[["x1", "x2"]].tolist() == [-np.inf, np.inf]
    both = result.t_test("x1 + x2 = 0").iloc[0]
    assert both.estimate == pytest.approx(0.510020, abs=1e-6)
    assert both.std_error == pytest.approx(0.310217, abs=1e-6)
    assert both.p_value == pytest.approx(0.1002, abs=1e-4)
    assert result.wald_test("x1 + x2 = 0").pvalue == pytest.approx(both.p_value, rel=1e-10)
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        result.wald_test("x1 + 2*x2 = 0")
    assert caught.value.kind == "no_wald_test"
    kept = {name: np.delete(values, 5) for name, values in data.items()}
    rest = quietly("y ~ x1 + z", kept)
    new = {"x1": [2.5, 0.3], "x2": [2.5, 0.3], "z": [1, 4]}
    mine, right = result.get_prediction(new), rest.get_prediction(new)
    np.testing.assert_allclose(mine.summary_frame(), right.summary_frame(), rtol=1e-9)


def test_two_infinities_against_each_other_are_no_number():
    y, g = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 4, 0, 0, 3, 2], list("aaaabbbbcccccccc")
    result = quietly("y ~ 1", {"y": y, "g": g}, inflate="g")
    assert result.params["inflate_Intercept"] == np.inf
    assert np.isnan(result.params["inflate_g[T.b]"]) and np.isnan(result.bse["inflate_g[T.b]"])
    assert result.params["inflate_g[T.c]"] == -np.inf
    row = next(x for x in str(result.summary()).split("\n") if "g[T.b]" in x)
    assert row.split()[-2:] == ["no", "limit"]
    third = result.t_test("inflate_Intercept + inflate_g[T.c] = 0").iloc[0]
    # The rest is a zero-inflated Poisson of group c alone.
    alone = quietly("y ~ 1", {"y": y[8:]}, inflate="1")
    assert third.estimate == pytest.approx(alone.params["inflate_Intercept"], rel=1e-6)
    assert third.std_error == pytest.approx(alone.bse["inflate_Intercept"], rel=1e-5)


def test_all_that_the_limit_leaves_undetermined_is_marked():
    """R's Titanic: the crew had no children."""
    freq = [0, 0, 35, 0, 0, 0, 17, 0, 118, 154, 387, 670, 4, 13, 89, 3]
    freq += [5, 11, 13, 0, 1, 13, 14, 0, 57, 14, 75, 192, 140, 80, 76, 20]
    rows = [
        (c, s, a, v)
        for v in ("No", "Yes")
        for a in ("Child", "Adult")
        for s in ("Male", "Female")
        for c in ("1st", "2nd", "3rd", "Crew")
    ]
    data = pd.DataFrame(rows, columns=["Class", "Sex", "Age", "Survived"]).assign(Freq=freq)
    result = quietly("Freq ~ Class*Sex*Age + Survived*(Class+Sex+Age)", data)
    crew = data.index[(data.Class == "Crew") & (data.Age == "Child")]
    assert result.separation.where == tuple(crew)
    columns = ("Class[T.Crew]:Age[T.Child]", "Class[T.Crew]:Sex[T.Male]:Age[T.Child]")
    assert result.separation.columns == columns and result.separation.signs == (-1, 0)
    assert result.params[columns[0]] == -np.inf and np.isnan(result.params[columns[1]])
    rest = result.params.drop(list(columns))
    assert np.isfinite(rest).all() and (result.bse[rest.index] < 2).all()
    without = quietly("Freq ~ Class*Sex*Age + Survived*(Class+Sex+Age)", data.drop(index=crew))
    np.testing.assert_allclose(without.params[rest.index], rest, rtol=1e-8)
    np.testing.assert_allclose(without.bse[rest.index], result.bse[rest.index], rtol=1e-8)


# Scoring --------------------------------------------------------------------------------------

SLOW = [
    [0, 4, 6, 15, 0, 0, 0, 6, 1, 0, 1, 5, 4, 4],
    [2, 0, 1, 2, 2, 0, 0, 0, 1, 13, 1, 0, 1, 2],
]


@pytest.mark.parametrize("y", SLOW)
def test_scoring_that_is_slow_is_no_recession(y):
    data = {"y": y, "x": np.arange(14) % 5}
    right = quietly("y ~ x", data, family="genpoisson2")
    result = quietly("y ~ x", data, family="genpoisson2", method="irls")
    assert result.certificate.boundary == right.certificate.boundary == ""
    np.testing.assert_allclose(result.params, right.params, rtol=1e-8)
    np.testing.assert_allclose(result.bse, right.bse, rtol=1e-7)

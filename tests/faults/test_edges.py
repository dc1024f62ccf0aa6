"""What lies at the edge of numbers, files and calls."""

import warnings

import numpy as np
import pytest

import glmcount as gc
from glmcount.cli import main


def fit(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        return gc.fit(*args, **options)


@pytest.mark.parametrize("family", ["poisson", "negbin", "quasipoisson", "genpoisson2"])
def test_a_mean_that_underflows_adds_nothing(family):
    data = {"y": [0, 3, 4, 2, 9, 1], "o": [-1000.0, 0, 0, 0, 0, 0]}
    r = fit("y ~ 1", data, offset="o", family=family)
    rest = fit("y ~ 1", {"y": data["y"][1:]}, family=family)
    assert r.deviance == pytest.approx(rest.deviance, rel=1e-9)
    assert r.pearson_chi2 == pytest.approx(rest.pearson_chi2, rel=1e-9)
    for residuals in (r.resid_pearson, r.resid_deviance, r.resid_anscombe, r.resid_working):
        assert np.isfinite(residuals).all()
    assert "nan" not in str(r.summary())


@pytest.mark.parametrize("formula", ["y ~ where(s == 1, 1, x)", "y ~ I((s == 1) | (x > 0))"])
def test_text_is_not_compared_with_numbers(formula):
    data = {"y": [1, 2, 3, 4], "s": ["1", "2", "1", "2"], "x": [1.0, 2, 3, 5]}
    with pytest.raises(gc.errors.DataError, match="compares a column of text with 1"):
        fit(formula, data)


def test_an_offset_of_new_rows_needs_new_rows():
    r = fit("y ~ 1", {"y": [1, 2, 3]}, offset=np.zeros(3))
    for ask in (r.predict, r.get_prediction):
        with pytest.raises(gc.errors.UsageError, match="newdata"):
            ask(offset=np.ones(3))


def test_the_output_is_not_written_over_the_data(tmp_path, capsys):
    path = tmp_path / "data.csv"
    path.write_text("y,x\n1,0\n3,1\n2,0\n")
    assert main(["fit", "y ~ x", str(path), "--output", str(path)]) != 0
    assert path.read_text().startswith("y,x")
    assert "file of the data" in capsys.readouterr().err


@pytest.mark.parametrize("y", [[3, 3, 3], [3], [5] * 4, [100] * 4, [2] * 4])
def test_scores_of_rounding_have_no_outer_product(y):
    with pytest.raises(gc.errors.CovarianceError):
        _ = fit("y ~ 1", {"y": y}, cov="opg").bse


def test_an_outer_product_of_no_finite_coefficient_is_named():
    r = fit("y ~ 1", {"y": [1, 1, 1]}, family="bernoulli", cov="opg")
    try:
        errors = r.bse
    except gc.errors.CovarianceError:
        return
    assert np.isinf(errors).all()


def test_a_null_model_that_is_exact_has_no_ratio():
    r = fit("y ~ 1", {"y": [1, 1]}, truncated=0)
    with pytest.raises(gc.errors.NotDefinedError):
        _ = r.prsquared
    assert "Pseudo" not in str(r.summary()) and len(r.glance()) == 1


def test_splines_of_high_degree_are_refused():
    with pytest.raises(gc.errors.FormulaTooComplexError, match="degree"):
        fit("y ~ bs(x, df=30, degree=25)", {"y": [1, 2] * 20, "x": np.arange(40.0)})


def test_nothing_is_said_of_a_row_that_cannot_be_estimated():
    data = {"a": list("uuuvvv"), "b": list("pqrpqq"), "y": [1, 2, 3, 4, 5, 6]}
    new = {"a": ["v"], "b": ["r"]}
    for options in ({}, {"family": "geometric"}, {"family": "negbin"}):
        r = fit("y ~ a*b", data, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
            for at in range(6):
                assert np.isnan(r.predict(new, which="prob", at=at)).all()
                assert (
                    np.isnan(r.get_prediction(new, which="prob", at=at).summary_frame()).all().all()
                )


@pytest.mark.parametrize("method", ["newton", "irls", "lbfgs"])
def test_a_long_flat_valley_is_no_way_to_infinity(method):
    X = np.array([[1, 1, -1], [1, -1, 1], [1, -1, 0], [0, -1, 1]], dtype=float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        r = gc.fit_arrays([80670, 71586, 27481, 76788], X, family="negbin", method=method)
    # By scipy's search; at every fixed alpha the log-likelihood is concave and no row is zero.
    assert r.llf == pytest.approx(-55.985583, abs=1e-6)
    assert r.params.to_numpy() == pytest.approx([20.755, 10.534, 20.684, 6.507], abs=1e-3)
    assert r.converged and r.certificate.boundary == ""


@pytest.mark.parametrize("family", ["negbin", "pig", "genpoisson", "genpoisson2"])
def test_a_separated_part_leaves_the_other_its_boundary(family):
    r = fit("y ~ 1", {"y": [3, 1, 3, 3, 3, 1]}, family=family, hurdle="1")
    assert r.params["alpha"] == 0.0
    assert r.certificate.boundary == "alpha = 0"
    counts = fit("y ~ 1", {"y": [3, 1, 3, 3, 3, 1]}, truncated=0)
    assert r.llf == pytest.approx(counts.llf, abs=1e-8)


def test_new_rows_that_are_all_missing_or_none():
    for options in ({"hurdle": "1"}, {"family": "negbin"}, {"inflate": "1"}):
        r = fit("y ~ x", {"y": [0, 1, 2, 3, 0, 4], "x": range(6)}, **options)
        for which, at in (("prob", 1), ("cdf", 1), ("prob-zero", None), ("mean-nonzero", None)):
            assert np.isnan(r.predict({"x": [np.nan]}, which=which, at=at)).all()
            assert len(r.predict({"x": []}, which=which, at=at)) == 0

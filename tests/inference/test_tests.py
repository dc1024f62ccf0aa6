"""Wald tests and tests of single hypotheses against their formulas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(21)
    frame = pd.DataFrame({"x": rng.normal(size=120), "z": rng.normal(size=120)})
    frame["g"] = rng.choice(list("abc"), 120)
    frame["y"] = rng.negative_binomial(3, 3 / (3 + np.exp(1 + 0.2 * frame.x)))
    return frame


@pytest.fixture(scope="module", params=["poisson", "quasipoisson", "negbin"])
def result(request, data):
    return gc.fit("y ~ x + z + C(g)", data, family=request.param)


def formula_of(result, r, q):
    gap = r @ result.params.to_numpy() - q
    matrix = r @ result.cov_params().to_numpy() @ r.T
    return gap @ np.linalg.solve(matrix, gap)


def rows(result, *hypotheses):
    out = np.zeros((len(hypotheses), len(result.params)))
    for i, hypothesis in enumerate(hypotheses):
        for name, value in hypothesis.items():
            out[i, result.params.index.get_loc(name)] = value
    return out


@pytest.mark.parametrize(
    ("text", "hypotheses", "values"),
    [
        ("x = 0", [{"x": 1}], [0]),
        ("x = 0.3", [{"x": 1}], [0.3]),
        ("x", [{"x": 1}], [0]),
        ("x = z", [{"x": 1, "z": -1}], [0]),
        ("2*x - z/2 = 1", [{"x": 2, "z": -0.5}], [1]),
        ("x = 0, z = 0", [{"x": 1}, {"z": 1}], [0, 0]),
        ("x = z = 0.1", [{"x": 1, "z": -1}, {"z": 1}], [0, 0.1]),
        ("C(g)[T.b] = C(g)[T.c]", [{"C(g)[T.b]": 1, "C(g)[T.c]": -1}], [0]),
        ("C(g)[T.b] = 0, C(g)[T.c] = 0", [{"C(g)[T.b]": 1}, {"C(g)[T.c]": 1}], [0, 0]),
    ],
)
def test_a_hypothesis_in_words_is_its_formula(result, text, hypotheses, values):
    r, q = rows(result, *hypotheses), np.array(values, dtype=float)
    truth = formula_of(result, r, q)
    found = result.wald_test(text)
    assert found.df == len(r) and found.hypothesis == text
    if result.model.family == "quasipoisson":
        assert found.distribution == "F" and found.df_denom == result.df_resid == 115
        assert found.statistic == pytest.approx(truth / len(r), rel=1e-9)
        assert found.pvalue == pytest.approx(stats.f.sf(truth / len(r), len(r), 115), rel=1e-9)
    else:
        assert found.distribution == "chi2" and found.df_denom is None
        assert found.statistic == pytest.approx(truth, rel=1e-9)
        assert found.pvalue == pytest.approx(stats.chi2.sf(truth, len(r)), rel=1e-9)


def test_matrices_vectors_and_pairs_are_hypotheses_too(result):
    by_text = result.wald_test("x = 0.2")
    vector = rows(result, {"x": 1})
    pair = result.wald_test((vector, [0.2]))
    assert pair.statistic == pytest.approx(by_text.statistic, rel=1e-12)
    at_zero = result.wald_test("x = 0").statistic
    for shape in (vector, vector[0], vector[0].tolist()):
        assert result.wald_test(shape).statistic == pytest.approx(at_zero, rel=1e-12)


def test_a_joint_test_does_not_mind_how_it_is_put(result):
    one = result.wald_test("x = 0, z = 0")
    other = result.wald_test("x + z = 0, 5*x - 3*z = 0")
    assert one.statistic == pytest.approx(other.statistic, rel=1e-9)


def test_single_tests_are_the_tables_rows(result):
    found = result.t_test("x = 0, z = 0", alpha=0.1)
    np.testing.assert_allclose(found.estimate, result.params[["x", "z"]], rtol=1e-13)
    np.testing.assert_allclose(found.std_error, result.bse[["x", "z"]], rtol=1e-12)
    np.testing.assert_allclose(found.statistic, result.tvalues[["x", "z"]], rtol=1e-12)
    np.testing.assert_allclose(found.p_value, result.pvalues[["x", "z"]], rtol=1e-10)
    ends = result.conf_int(0.1).loc[["x", "z"]]
    np.testing.assert_allclose(found[["conf_low", "conf_high"]], ends, rtol=1e-12)


def test_a_single_test_squared_is_the_wald_test(result):
    single = result.t_test("x + 2*z = 0.4")
    joint = result.wald_test("x + 2*z = 0.4")
    assert single.statistic[0] ** 2 == pytest.approx(joint.statistic, rel=1e-9)
    assert single.p_value[0] == pytest.approx(joint.pvalue, rel=1e-8)


def test_quasi_likelihood_has_students_t(data):
    result = gc.fit("y ~ x", data, family="quasipoisson")
    t = result.params / result.bse
    np.testing.assert_allclose(result.pvalues, 2 * stats.t.sf(np.abs(t), 118), rtol=1e-10)
    reach = stats.t.ppf(0.995, 118) * result.bse
    np.testing.assert_allclose(result.conf_int(0.01)[1], result.params + reach, rtol=1e-10)
    plain = gc.fit("y ~ x", data)
    np.testing.assert_allclose(result.bse, plain.bse * np.sqrt(result.scale), rtol=1e-10)


def test_the_robust_covariance_is_the_one_tested(data):
    result = gc.fit("y ~ x + z", data, cov="HC3")
    r = np.array([[0.0, 1.0, 1.0]])
    truth = formula_of(result, r, np.zeros(1))
    assert result.wald_test(r).statistic == pytest.approx(truth, rel=1e-10)
    other = result.with_cov("nonrobust").wald_test(r).statistic
    assert abs(other / truth - 1) > 1e-3


def test_tiny_p_values_are_not_zero():
    data = {"y": [1000] * 50 + [4000] * 50, "d": [0] * 50 + [1] * 50}
    found = gc.fit("y ~ d", data, control=gc.Control()).wald_test("d = 1.2")
    assert 0 < found.pvalue < 1e-100
    assert "p < 0.001" in str(found)


def test_what_cannot_be_tested_is_named(data):
    result = gc.fit("y ~ x + z", data)
    for repeated in ("x = 0, 2*x = 0", "x = 0, x = 1", [[0, 0, 0]]):
        with pytest.raises(gc.errors.CovarianceError) as caught:
            result.wald_test(repeated)
        assert caught.value.kind == "singular_hypothesis"
    with pytest.raises(gc.errors.FormulaError) as caught:
        result.wald_test("nowhere = 0")
    assert "Intercept, x, z" in str(caught.value)
    with pytest.raises(gc.errors.UsageError, match="between 0 and 1"):
        result.t_test("x = 0", alpha=1.0)


def test_an_infinite_coefficient_has_no_test():
    data = {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]}
    result = gc.fit("y ~ d", data, separation="ignore")
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        result.wald_test("d = 0")
    assert caught.value.kind == "no_wald_test"
    finite = result.wald_test("Intercept = 0").statistic
    assert finite == pytest.approx(np.log(2) ** 2 * 6, rel=1e-6)


def test_alpha_can_be_compared_with_a_value(data):
    result = gc.fit("y ~ x", data, family="negbin")
    alpha, error = result.params["alpha"], result.bse["alpha"]
    found = result.wald_test("alpha = 0.25")
    # On the scale of log alpha, whose standard error is that of alpha over alpha.
    truth = (np.log(alpha / 0.25) / (error / alpha)) ** 2
    assert found.statistic == pytest.approx(truth, rel=1e-10)


@pytest.mark.parametrize("hypothesis", ["", "  ", np.ones((1, 5)), "x + ", "x * z = 0", "x = y = "])
def test_a_hypothesis_that_is_none_is_a_formula_error(data, hypothesis):
    result = gc.fit("y ~ x + z", data)
    for test in (result.wald_test, result.t_test):
        with pytest.raises(gc.errors.FormulaError) as caught:
            test(hypothesis)
        assert caught.value.kind == "hypothesis"

"""Hypotheses: ancillary parameters on their own scale, boundaries, and text of every kind."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

import glmcount as gc


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit(*args, **options)


@pytest.fixture(scope="module")
def quine():
    return gc.datasets.load("quine")


@pytest.fixture(scope="module")
def negbin(quine):
    return gc.fit("Days ~ Eth + Sex", quine, family="negbin")


def log_scale(result, name="alpha"):
    """Covariance with one parameter by its logarithm."""
    j = result.params.index.get_loc(name)
    turn = np.eye(len(result.params))
    turn[j, j] = 1.0 / result.params[name]
    return turn @ result.cov_params().to_numpy() @ turn


# Ancillary parameters --------------------------------------------------------------------


def test_alpha_is_asked_about_by_its_logarithm(negbin):
    alpha, error = negbin.params["alpha"], negbin.bse["alpha"]
    z = np.log(alpha / 1.0) / (error / alpha)
    for same in ("alpha = 1", "1 = alpha", "2*alpha = 2", "-alpha + 1", {"alpha": 1}):
        assert negbin.wald_test(same).statistic == pytest.approx(z**2, rel=1e-9)
    row = np.array([0.0, 0.0, 0.0, 1.0])
    assert negbin.wald_test((row, [1.0])).statistic == pytest.approx(z**2, rel=1e-9)
    found = negbin.t_test("alpha = 1")
    assert found.estimate[0] == alpha and found.std_error[0] == pytest.approx(error)
    assert found.statistic[0] == pytest.approx(z, rel=1e-9)
    assert found.p_value[0] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-8)
    ends = negbin.conf_int().loc["alpha"].to_numpy()
    assert found[["conf_low", "conf_high"]].to_numpy()[0] == pytest.approx(ends, rel=1e-12)
    twice = negbin.t_test("-2*alpha = -2")
    assert twice.estimate[0] == pytest.approx(-2 * alpha)
    assert twice.statistic[0] == pytest.approx(-z, rel=1e-9)
    assert twice[["conf_low", "conf_high"]].to_numpy()[0] == pytest.approx(-2 * ends[::-1])


def test_an_interval_ends_where_the_test_begins_to_reject(negbin):
    for end in negbin.conf_int().loc["alpha"]:
        assert negbin.wald_test({"alpha": end}).pvalue == pytest.approx(0.05, rel=1e-8)


def test_a_single_test_shows_the_estimate_whatever_is_asked(negbin):
    found = negbin.t_test("Intercept = 3, Eth[T.N] - Sex[T.M] = 1")
    b, v = negbin.params, negbin.cov_params()
    assert found.estimate[0] == pytest.approx(b["Intercept"], rel=1e-14)
    assert found.statistic[0] == pytest.approx((b["Intercept"] - 3) / negbin.bse["Intercept"])
    assert found.estimate[1] == pytest.approx(b["Eth[T.N]"] - b["Sex[T.M]"], rel=1e-14)
    pair = ["Eth[T.N]", "Sex[T.M]"]
    error = np.sqrt(np.array([1, -1]) @ v.loc[pair, pair].to_numpy() @ np.array([1, -1]))
    assert found.statistic[1] == pytest.approx((found.estimate[1] - 1) / error, rel=1e-10)
    reach = stats.norm.isf(0.025) * error
    assert found.conf_low[1] == pytest.approx(found.estimate[1] - reach, rel=1e-10)


def test_joint_hypotheses_mix_scales(negbin):
    matrix = log_scale(negbin)
    own = np.ix_([1, 3], [1, 3])
    gap = np.array([negbin.params["Eth[T.N]"] + 0.2, np.log(negbin.params["alpha"] / 0.7)])
    truth = gap @ np.linalg.solve(matrix[own], gap)
    for same in (
        "Eth[T.N] = -0.2, alpha = 0.7",
        "alpha + Eth[T.N] = 0.5, Eth[T.N] = -0.2",
        "3*alpha - Eth[T.N] = 2.3, 2*alpha + Eth[T.N] = 1.2",
        ["alpha = 0.7", "Eth[T.N] = -0.2"],
    ):
        found = negbin.wald_test(same)
        assert found.statistic == pytest.approx(truth, rel=1e-8), same
        assert found.df == 2
    # One equation between parameters of two scales: the delta method on the natural ones.
    row = np.array([0.0, 1.0, 0.0, 1.0])
    gap = row @ negbin.params.to_numpy() - 0.4
    plain = gap**2 / (row @ negbin.cov_params().to_numpy() @ row)
    assert negbin.wald_test("alpha + Eth[T.N] = 0.4").statistic == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize(
    "hypothesis",
    [
        "alpha = 0",
        "alpha",
        "0 = 3*alpha",
        {"alpha": 0},
        "Eth[T.N] = 0, alpha = 0",
        "alpha = Eth[T.N], Eth[T.N] = 0",
        "alpha + Sex[T.M] = 0.1, Sex[T.M] = 0.1",
        np.eye(4),
    ],
)
def test_the_boundary_is_refused_and_the_right_test_named(negbin, hypothesis):
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        negbin.wald_test(hypothesis)
    assert caught.value.kind == "boundary_hypothesis"
    assert "likelihood-ratio" in str(caught.value) and "Poisson" in str(caught.value)
    assert "alpha = 0" in str(caught.value)
    with pytest.raises(gc.errors.NotDefinedError, match="between 0 and inf"):
        negbin.wald_test("alpha = -1")


def test_single_tests_refuse_the_boundary_too(negbin):
    for hypothesis in ("alpha = 0", "Eth[T.N] = 0, 2*alpha = 0", np.eye(4)):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            negbin.t_test(hypothesis)
        assert caught.value.kind == "boundary_hypothesis"


@pytest.mark.parametrize(
    ("options", "name", "value", "limit"),
    [
        ({"family": "negbin1"}, "alpha", 10.0, "Poisson"),
        ({"family": "pig"}, "alpha", 1.0, "Poisson"),
        ({"family": "genpoisson"}, "alpha", 2.0, "Poisson"),
        ({"family": "genpoisson2"}, "alpha", 0.2, "Poisson"),
        ({"family": "negbin", "inflate": "1"}, "alpha", 0.5, "Zero-inflated Poisson"),
        ({"family": "negbin", "hurdle": "1"}, "alpha", 0.5, "Hurdle Poisson"),
    ],
)
def test_every_natural_parameter_is_asked_about_on_its_scale(quine, options, name, value, limit):
    r = quiet("Days ~ Eth", quine, **options)
    truth = (np.log(r.params[name] / value) / (r.bse[name] / r.params[name])) ** 2
    assert r.wald_test(f"{name} = {value}").statistic == pytest.approx(truth, rel=1e-8)
    with pytest.raises(gc.errors.NotDefinedError, match=limit) as caught:
        r.wald_test(f"{name} = 0")
    assert caught.value.kind == "boundary_hypothesis"


def test_nu_has_a_boundary_and_power_has_none(quine):
    rng = np.random.default_rng(0)
    r = quiet("y ~ 1", {"y": rng.binomial(6, 0.4, 200)}, family="compoisson")
    truth = (np.log(r.params["nu"]) / (r.bse["nu"] / r.params["nu"])) ** 2
    assert r.wald_test("nu = 1").statistic == pytest.approx(truth, rel=1e-8)
    with pytest.raises(gc.errors.NotDefinedError, match="Geometric"):
        r.wald_test("nu = 0")
    r = quiet("Days ~ Eth", quine, family="negbinp")
    plain = ((r.params["power"] - 2) / r.bse["power"]) ** 2
    assert r.wald_test("power = 2").statistic == pytest.approx(plain, rel=1e-9)
    assert r.wald_test("power = 0").df == 1
    r = quiet("Days ~ Eth", quine, family="negbin", dispersion="Eth")
    plain = (r.params["dispersion_Eth[T.N]"] / r.bse["dispersion_Eth[T.N]"]) ** 2
    assert r.wald_test("dispersion_Eth[T.N] = 0").statistic == pytest.approx(plain, rel=1e-9)


def test_a_parameter_on_its_boundary_has_no_test_at_all():
    rng = np.random.default_rng(0)
    data = {"y": rng.binomial(10, 0.3, 100), "x": rng.normal(size=100)}
    r = quiet("y ~ x", data, family="negbin", dispersion="x")
    assert r.params["alpha"] == 0
    for test in (r.wald_test, r.t_test):
        with pytest.raises(gc.errors.NotDefinedError) as caught:
            test("alpha = 1")
        assert caught.value.kind == "no_wald_test"
        with pytest.raises(gc.errors.FormulaError, match="means nothing at alpha = 0") as caught:
            test("dispersion_x = 0")
        assert caught.value.kind == "hypothesis"


# Text -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 80))
    return gc.fit("y ~ x + z", {"y": rng.poisson(np.exp(0.3 * x)), "x": x, "z": z})


def test_no_length_or_depth_is_too_much(plain):
    one = plain.wald_test("x = 0").statistic
    for text in (
        "-" * 5_000 + "x = 0",
        "+-" * 20_000 + "x",
        " + ".join(["x"] * 20_000) + " = 0",
        "(" * 20_000 + "x" + ")" * 20_000 + " = 0",
        "-(" * 9_999 + "x" + ")" * 9_999,
        "x" + "*2/2" * 10_000 + "= 0",
    ):
        assert plain.wald_test(text).statistic == pytest.approx(one, rel=1e-9)
    with pytest.raises(gc.errors.FormulaError) as caught:
        plain.wald_test("x = 0," * 8_000 + "z = 0")
    assert caught.value.kind == "hypothesis" and len(str(caught.value)) < 1_000
    with pytest.raises(gc.errors.CovarianceError) as caught:
        plain.wald_test("x = 0," * 900 + "z = 0")
    assert len(str(caught.value)) < 1_000


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("x = z = 0.1", "x - z = 0, z = 0.1"),
        ("(x = 0), (z = 1)", "x = 0, z = 1"),
        ("2*(x - z)/4 + 1 = .5e0", "x - z = -1"),
        ("-x*2 = -(z)", "2*x = z"),
        ("x - - z = 3 - 2 - 1", "x + z = 0"),
        ("2 * -x = 1", "x = -0.5"),
        ("x=1.,z=1e-1", "x = 1, z = 0.1"),
        ("x - 2 - 3", "x = 5"),
        ("x/2/5 = 1", "x = 10"),
        (["x = 0", "z = 1"], "x = 0, z = 1"),
        ({"x": 0, "z": 1}, "x = 0, z = 1"),
        (([[0, 1, 0], [0, 0, 1]], [0, 1]), "x = 0, z = 1"),
        ([0, 1, 0], "x = 0"),
        (([0, 1, 0], 2), "x = 2"),
    ],
)
def test_ways_to_say_one_thing(plain, text, same):
    assert plain.wald_test(text).statistic == pytest.approx(
        plain.wald_test(same).statistic, rel=1e-9
    )


@pytest.mark.parametrize(
    "wrong",
    [
        object(), None, 3, 1.5, len, b"x = 0", {"x": "a"}, {"x": None}, {"nowhere": 0}, {1.5: 0},
        {}, [], [[]], [["a", "b", "c"]], ["x = 0", 3], np.ones((2, 2, 3)), np.eye(3) * np.nan,
        (np.eye(3), [1, 2]), (np.eye(3), "a"), (1, 2, 3, 4), [1, 2], {"x": np.inf}, {"x": [1, 2]},
        "x = 1e400", "x/0", "x/z", "x*z", "1 = 1", "x = x", "x = 0,", ",x", "x = = z", "x =", "= 0",
        "(x", "x)", "()", "x z", "2 x", "x * (z = 0)", "-(x = 0)", "x ~ z", "x == 0", "x < 1",
        "x ** 2", "'x'", "\x00", "x\u00b2", "xx", "X", "x.y", "1e5", "x*1e300*1e300", "\n",
        "x = inf", "x = nan",
    ],
)  # fmt: skip
def test_what_is_no_hypothesis_is_told_so(plain, wrong):
    for test in (plain.wald_test, plain.t_test):
        with pytest.raises(gc.errors.FormulaError) as caught:
            test(wrong)
        assert caught.value.kind == "hypothesis"
        assert "x = 0" in str(caught.value) or "Intercept = 0" in str(caught.value)


def test_random_texts_are_read_or_refused_by_name(plain):
    rng = np.random.default_rng(1)
    pieces = ["x", "z", "Intercept", "0", "1", "2.5", "1e3", "+", "-", "*", "/", "=", ",", "(", ")"]
    pieces += [" ", "  ", "q", "[", "%", "."]
    known = gc.errors.GlmcountError
    read = 0
    for _ in range(3_000):
        text = "".join(rng.choice(pieces, rng.integers(1, 12)))
        try:
            found = plain.wald_test(text)
        except known:
            continue
        read += 1
        assert np.isfinite(found.statistic) and found.statistic >= 0, text
    assert read > 50


def test_names_are_whole_words_and_the_near_ones_are_told():
    rng = np.random.default_rng(0)
    names = ("x", "xx", "x1", "chronic")
    data = {name: rng.normal(size=60) for name in names} | {"y": rng.poisson(2, 60)}
    r = gc.fit("y ~ x + xx + x1 + chronic + C(x > 0)", data)
    for name in r.params.index:
        z = r.params[name] / r.bse[name]
        assert r.wald_test(f"{name}=0").statistic == pytest.approx(z**2, rel=1e-9)
    with pytest.raises(gc.errors.FormulaError, match="Did you mean 'chronic'"):
        r.wald_test("chronik = 0")
    with pytest.raises(gc.errors.FormulaError, match="no parameter 'x2'") as caught:
        r.wald_test("x1 + x2 = 0")
    assert "         ^^" in str(caught.value)


def test_a_column_that_was_left_out_is_told_with_its_combination():
    x = np.arange(8.0)
    data = {"y": [1, 2, 0, 4, 5, 3, 8, 9], "x": x, "twice": 2 * x + 3, "one": np.ones(8)}
    r = quiet("y ~ x + twice + one", data)
    for test in (r.wald_test, r.t_test):
        for text in ("twice = 0", "x + twice = 0", {"twice": 0}):
            with pytest.raises(gc.errors.FormulaError) as caught:
                test(text)
            told = str(caught.value)
            assert caught.value.kind == "hypothesis" and "was left out" in told
            assert "3 * Intercept" in told and "2 * x" in told
    factor = quiet("y ~ x + C(g)", data | {"g": ["a"] * 8})
    with pytest.raises(gc.errors.FormulaError, match="was left out"):
        factor.wald_test("C(g) = 0")


def test_signs_within_brackets_may_stand_with_other_spaces():
    data = {"y": [1, 3, 2, 6, 4, 1, 5], "x": [0, 1, 2, 3, 1, 2, 5]}
    r = gc.fit("y ~ x + I(x**2)", data)
    assert r.params.index[-1] == "I(x ** 2)"
    whole = r.wald_test("I(x ** 2) = 0")
    for text in ("I(x**2) = 0", "I(x **2)=0", "0 = I(x  **2)"):
        assert r.wald_test(text).statistic == whole.statistic
    both = r.wald_test("x = I(x**2)")
    assert both.statistic == r.wald_test("x - I(x ** 2) = 0").statistic


def test_a_sign_in_a_name_without_brackets_is_one_of_arithmetic_where_spaces_say_so():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 3))
    r = gc.fit_arrays(rng.poisson(2.0, 60), X, names=["a", "b", "a-b"])
    apart = r.wald_test([[1.0, -1.0, 0.0]])
    assert r.wald_test("a - b = 0").statistic == pytest.approx(apart.statistic, rel=1e-12)
    named = r.wald_test([[0.0, 0.0, 1.0]])
    assert r.wald_test("a-b = 0").statistic == pytest.approx(named.statistic, rel=1e-12)

"""What a user prints of a fit: ratios by equation, intervals by method, some of the rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import DroppedColumnWarning, GlmcountWarning, NotDefinedError, UsageError

RNG = np.random.default_rng(3)
N = 600
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "z": RNG.normal(size=N),
        "g": RNG.choice(list("abc"), N),
        "firm": RNG.integers(0, 30, N),
        "t": RNG.uniform(0.5, 2.0, N),
    }
)
MEAN = DATA.t * np.exp(0.2 + 0.3 * DATA.x) * RNG.gamma(2.0, 0.5, N)
DATA["y"] = RNG.poisson(MEAN) * (RNG.random(N) > 0.3)


def row(summary, name):
    """The numbers of a row, as printed."""
    (found,) = (line for line in summary.as_text().splitlines() if line.split()[:1] == [name])
    return found.split()[1:]


def test_coefficients_stand_as_the_formula_writes_them():
    r = gc.fit("y ~ x + g + z", DATA, inflate="z + g")
    wanted = ["Intercept", "x", "g[T.b]", "g[T.c]", "z"]
    zero = [f"inflate_{name}" for name in ("Intercept", "z", "g[T.b]", "g[T.c]")]
    assert list(r.params.index) == wanted + zero == list(r.cov_params()) == list(r.tidy().term)
    lines = [line.split()[0] for line in str(r).splitlines() if line.strip()]
    at = lines.index("Intercept")
    assert lines[at : at + 5] == wanted
    moved = gc.fit("y ~ z + g + x", DATA, inflate="g + z")
    pd.testing.assert_series_equal(moved.params[r.params.index], r.params, rtol=1e-7)


def test_an_interaction_stands_where_it_is_written():
    names = list(gc.fit("y ~ x*g + z", DATA).params.index)
    assert names == ["Intercept", "x", "g[T.b]", "g[T.c]", "x:g[T.b]", "x:g[T.c]", "z"]


def test_of_columns_that_depend_on_each_other_the_later_goes():
    data = DATA.assign(b=(DATA.g == "b").astype(float))
    with pytest.warns(DroppedColumnWarning):
        assert list(gc.fit("y ~ b + g", data).aliased) == ["g[T.b]"]
    with pytest.warns(DroppedColumnWarning):
        assert list(gc.fit("y ~ g + b", data).aliased) == ["b"]


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_one_warning_for_all_columns_left_out(count):
    data = DATA[["y", "x"]].copy()
    for number in range(count):
        data[f"c{number}"] = data.x * (number + 2)
    formula = "y ~ x + " + " + ".join(f"c{number}" for number in range(count))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        r = gc.fit(formula, data)
    assert [w.category for w in caught] == [DroppedColumnWarning]
    assert len(r.aliased) == count
    text = str(caught[0].message)
    assert "'c0'" in text and "r.aliased" in text


def test_one_warning_for_all_factors_of_one_level():
    data = DATA.assign(one="a", two="b")
    with pytest.warns(DroppedColumnWarning, match="one has the single level 'a'"):
        gc.fit("y ~ x + one", data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        r = gc.fit("y ~ x + one + C(two)", data)
    (message,) = (str(w.message) for w in caught)
    assert "one ('a'), C(two) ('b') have a single level" in message
    assert list(r.aliased) == ["one", "C(two)"]


# Ratios -------------------------------------------------------------------------------


def test_each_equation_has_its_own_ratios():
    r = gc.fit("y ~ x", DATA, exposure="t", family="negbin", inflate="z")
    frame = r.tidy(exponentiate=True).set_index("term")
    assert frame.scale.to_dict() == {
        "Intercept": "IRR",
        "x": "IRR",
        "inflate_Intercept": "OR",
        "inflate_z": "OR",
        "alpha": "coef",
    }
    ends = r.conf_int()
    ratios = r.conf_int(exponentiate=True)
    for name in ("x", "inflate_z"):
        assert frame.estimate[name] == pytest.approx(np.exp(r.params[name]), rel=1e-14)
        assert frame.std_error[name] == pytest.approx(np.exp(r.params[name]) * r.bse[name])
        assert frame.conf_low[name] == pytest.approx(np.exp(ends[0][name]), rel=1e-14)
        assert frame.p_value[name] == r.pvalues[name]
        assert ratios.loc[name].tolist() == frame.loc[name, ["conf_low", "conf_high"]].tolist()
    assert frame.estimate["alpha"] == r.params["alpha"]
    assert ratios.loc["alpha"].tolist() == ends.loc["alpha"].tolist()
    text = r.summary(exponentiate=True).as_text()
    heads = [line for line in text.splitlines() if "std err" in line and "[0.025" in line]
    assert [head.split()[-7] for head in heads] == ["IRR", "OR", "coef"]
    assert "IRR = exp(coef), rate ratio; OR = exp(coef), odds ratio" in text
    assert (
        row(r.summary(exponentiate=True), "inflate_z")[0] == f"{np.exp(r.params['inflate_z']):.4f}"
    )


@pytest.mark.parametrize(
    ("options", "scales"),
    [
        ({"hurdle": "z"}, ["IRR", "OR"]),
        ({"hurdle": "z", "zero": "cloglog"}, ["IRR", "coef"]),
        ({"inflate": "z", "zero": "probit"}, ["IRR", "coef"]),
        ({"hurdle": "z", "zero": "poisson"}, ["IRR", "IRR"]),
        ({"hurdle": "z", "link": "sqrt"}, ["coef", "OR"]),
        ({"family": "negbin", "dispersion": "z"}, ["IRR", "ratio"]),
    ],
)
def test_what_a_ratio_is_called(options, scales):
    r = gc.fit("y ~ x", DATA, **options)
    frame = r.tidy(exponentiate=True)
    found = [frame.scale[frame.term.str.endswith(name)].iloc[0] for name in ("x", "z")]
    assert found == scales
    for name, scale in zip(("x", "z"), scales, strict=True):
        (own,) = frame.index[frame.term.str.endswith(name)]
        b = r.params.iloc[own]
        assert frame.estimate[own] == pytest.approx(b if scale == "coef" else np.exp(b))


def test_a_bernoulli_model_has_odds_ratios():
    data = DATA.assign(y=(DATA.y > 0) * 1)
    r = gc.fit("y ~ x", data, family="bernoulli")
    assert set(r.tidy(exponentiate=True).scale) == {"OR"}
    t = r.t_test("x = 0", exponentiate=True)
    assert t.estimate[0] == pytest.approx(r.tidy(exponentiate=True).estimate[1])


def test_ratios_are_refused_where_there_are_none():
    r = gc.fit("y ~ x", DATA, link="sqrt")
    for asked in (r.summary, r.tidy, r.conf_int):
        with pytest.raises(NotDefinedError, match="exponentiate=False"):
            asked(exponentiate=True)


# Intervals ----------------------------------------------------------------------------


def test_profile_ends_in_tables():
    r = gc.fit("y ~ x", DATA, hurdle="z")
    ends = r.conf_int(method="profile")
    frame = r.tidy(method="profile", exponentiate=True)
    np.testing.assert_allclose(frame[["conf_low", "conf_high"]], np.exp(ends), rtol=1e-14)
    summary = r.summary(method="profile")
    assert row(summary, "x")[-2:] == [f"{end:.4f}" for end in ends.loc["x"]]
    assert "Intervals: profile likelihood." in summary.as_text()


def test_bootstrap_ends_in_tables():
    r = gc.fit("y ~ x", DATA).with_cov(gc.bootstrap(99, rng=1))
    ends = r.conf_int(method="bootstrap", kind="bca")
    frame = r.tidy(method="bootstrap", kind="bca")
    assert frame.conf_low.tolist() == ends[0].tolist()
    assert "Intervals: bootstrap, bca." in r.summary(method="bootstrap", kind="bca").as_text()
    with pytest.raises(UsageError, match="method='bootstrap'"):
        r.summary(kind="bca")


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_a_profile_tells_one_end_of_an_infinite_coefficient():
    r = gc.fit("y ~ d", {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]})
    assert row(r.summary(), "d") == ["-inf"]
    assert row(r.summary(method="profile"), "d") == ["-inf", "-inf", "-0.5693"]
    assert row(r.summary(method="profile", exponentiate=True), "d") == ["0", "0.0000", "0.5659"]
    assert r.tidy(exponentiate=True).loc[1, ["estimate", "std_error"]].tolist() == [0.0, np.inf]


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
@pytest.mark.parametrize("missing", [False, True])
def test_profiles_of_equations_with_the_same_terms(missing):
    data = DATA.copy()
    if missing:
        data.loc[::7, "z"] = np.nan
    r = gc.fit("y ~ z", data, family="negbin", hurdle="z", dispersion="z")
    # The zero part is a model by itself.
    alone = gc.fit("p ~ z", data.assign(p=(data.y > 0) * 1), family="bernoulli")
    ends = r.conf_int(method="profile", parameters=["hurdle_Intercept", "hurdle_z"])
    np.testing.assert_allclose(ends, alone.conf_int(method="profile"), rtol=1e-5)


# Some of the rows ---------------------------------------------------------------------


def shown(summary):
    return [each.name for group in summary.tables[0].groups for each in group.rows]


def test_keep_and_drop():
    r = gc.fit("y ~ x + g + z", DATA, inflate="x + g")
    every = list(r.params.index)
    assert shown(r.summary()) == every
    assert shown(r.summary(keep="x")) == ["x"]
    assert shown(r.summary(keep=["g", "z"])) == ["g[T.b]", "g[T.c]", "z"]
    assert shown(r.summary(keep="inflate_*")) == every[5:]
    assert shown(r.summary(keep=r.params.index[1:3])) == every[1:3]
    assert shown(r.summary(drop=("x", "z"))) == [n for n in every if n not in ("x", "z")]
    assert shown(r.summary(drop=["inflate_*", "g"])) == ["Intercept", "x", "z"]
    assert shown(r.summary(keep="*g*", drop="inflate_g")) == ["g[T.b]", "g[T.c]"]
    assert row(r.summary(keep="x"), "x") == row(r.summary(), "x")
    assert "Not shown: 8 of 9 coefficients." in r.summary(keep="x").as_text()
    assert "Not shown" not in r.summary(keep="*").as_text()


def test_keep_and_drop_refuse_what_is_not_there():
    r = gc.fit("y ~ x + g", DATA)
    with pytest.raises(UsageError, match=r"'gg' names no coefficient\. Did you mean 'g'"):
        r.summary(keep="gg")
    with pytest.raises(UsageError, match="drop='w\\*' names no coefficient"):
        r.summary(drop="w*")
    with pytest.raises(UsageError, match="no coefficient to show"):
        r.summary(drop="*")
    with pytest.raises(UsageError, match="keep must be a name"):
        r.summary(keep=3)


@pytest.mark.parametrize("cov", ["nonrobust", "HC1"])
def test_a_large_factor_has_one_line(cov):
    r = gc.fit("y ~ x + C(firm) + z", DATA, exposure="t", cov=cov)
    names = [name for name in r.params.index if name.startswith("C(firm)")]
    assert len(names) == 29
    assert shown(r.summary()) == ["Intercept", "x", "C(firm)", "z"]
    test = r.wald_test(dict.fromkeys(names, 0.0))
    p = "p <0.001" if test.pvalue < 0.001 else f"p {test.pvalue:.3f}"
    low, high = r.params[names].min(), r.params[names].max()
    line = f"30 levels: coef {low:.4f} to {high:.4f}, chi2(29) {test.statistic:.2f}, {p}"
    for text in (r.summary().as_text(), r.summary().as_markdown(), r.summary().as_html()):
        assert line in text.replace("&lt;", "<").replace("\\", "")
    assert "summary(full=True)" in r.summary().as_text()
    assert shown(r.summary(full=True)) == list(r.params.index)
    assert "summary(full=True)" not in r.summary(full=True).as_text()
    assert shown(r.summary(keep="C(firm)")) == names
    ratio = f"IRR {np.exp(low):.4f} to {np.exp(high):.4f}"
    assert ratio in r.summary(exponentiate=True).as_text()
    assert len(r.params) == len(r.tidy()) == 32


def test_twenty_coefficients_are_shown():
    data = DATA.assign(firm=DATA.firm % 21)
    assert len(shown(gc.fit("y ~ C(firm)", data).summary())) == 21


def test_a_factor_with_infinite_coefficients_in_one_line():
    data = DATA.assign(y=DATA.y * (DATA.firm > 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlmcountWarning)
        r = gc.fit("y ~ 0 + C(firm)", data)
    (line,) = (one for one in str(r).splitlines() if one.startswith("C(firm)  "))
    assert "2 infinite" in line


# How it went --------------------------------------------------------------------------


def ended(r):
    (line,) = (one for one in str(r).splitlines() if "Converged" in one)
    return line.partition("Converged")[2].strip()


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_how_a_fit_ended_is_said_in_words():
    r = gc.fit("y ~ x", DATA)
    assert ended(r) == f"yes, {r._state.fit.passes} passes"
    far = gc.fit("y ~ d", {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]})
    assert ended(far) == "the estimate is infinite" and far.converged
    short = gc.fit("y ~ x", DATA, control=gc.Control(maxiter=1))
    assert ended(short) == "no: out of iterations" and not short.converged
    for each in (r, far, short):
        assert "rho" not in str(each) and "decrement" not in str(each)


def test_rows_used_and_dropped():
    data = DATA.copy()
    data.loc[:3, "x"] = np.nan
    data.loc[3:5, "t"] = np.nan
    with pytest.warns(GlmcountWarning):
        text = str(gc.fit("y ~ x", data, exposure="t"))
    assert "594 rows used, 6 dropped" in text
    assert "Rows dropped: x missing 4, t missing 3." in text


def dispersion_line(**options):
    text = " ".join(str(gc.fit("y ~ x", DATA, exposure="t", **options)).split())
    return [line for line in text.split(". ") if line.startswith("Dispersion (")]


@pytest.mark.parametrize("kind", ["importance", "probability"])
def test_a_dispersion_does_not_depend_on_the_scale_of_weights(kind):
    w = RNG.uniform(0.5, 3.0, N)
    (one,) = dispersion_line(weights=w, weights_type=kind)
    (other,) = dispersion_line(weights=1000.0 * w, weights_type=kind)
    assert one == other
    r = gc.fit("y ~ x", DATA, exposure="t", weights=w, weights_type=kind)
    mean = r.fittedvalues.to_numpy()
    wanted = np.average((DATA.y - mean) ** 2 / mean, weights=w) * N / (N - 2)
    assert f"(Pearson/df, by weights that average 1) {wanted:.2f}" in one


def test_a_dispersion_under_copies_is_that_of_the_rows_repeated():
    copies = RNG.integers(1, 4, N)
    repeated = DATA.loc[DATA.index.repeat(copies)]
    r = gc.fit("y ~ x", repeated, exposure="t")
    (line,) = dispersion_line(weights=copies)
    assert f"(Pearson/df) {r.pearson_chi2 / r.df_resid:.2f}" in line

"""The summary as literal text, and what it leaves out, closes up, marks and refuses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from glmcount.errors import NotDefinedError, UsageError
from glmcount.report.render import RENDERERS
from glmcount.report.summary import exponentiated, infinite, summarise
from tests.report.samples import DISPERSION, MEAN, NEGBIN, POISSON, QUASI

POISSON_TEXT = """\
                         Poisson regression, log link
===============================================================================
visits ~ hospital + chronic + gender                 4406 rows used, 0 dropped
Log-likelihood        -17971.61     Deviance         23167.8 on 4398 df
  intercept only      -18923.31     Null deviance    26943.0 on 4405 df
AIC                    35959.23     Pearson chi2     29492.5
BIC                    36010.35     Pseudo-R2        0.0503 (McFadden)
Covariance            nonrobust     Converged        yes, 3 passes
===============================================================================
                  coef    std err          z      P>|z|      [0.025     0.975]
-------------------------------------------------------------------------------
Intercept       1.0289     0.0238     43.257     <0.001      0.9823     1.0755
hospital        0.1648     0.0060     27.480     <0.001      0.1530     0.1766
gender[T.male] -0.1123     0.1129     -0.994      0.250     -0.3337     0.1090
-------------------------------------------------------------------------------
Offset: log(days).  Rows dropped: income missing 12, exposure missing 2.
Dispersion (Pearson/df) 6.71: more variance than Poisson; compare
family="negbin"."""

NEGBIN_RATIOS_TEXT = """\
                 Negative binomial (NB2) regression, log link
===============================================================================
visits ~ hospital + chronic + gender                 4406 rows used, 0 dropped
Log-likelihood        -17971.61     Deviance         23167.8 on 4398 df
  intercept only      -18923.31     Null deviance    26943.0 on 4405 df
AIC                    35959.23     Pearson chi2     29492.5
BIC                    36010.35     Pseudo-R2        0.0503 (McFadden)
Covariance            nonrobust     Converged        yes, 3 passes
===============================================================================
                   IRR    std err          z      P>|z|      [0.025     0.975]
-------------------------------------------------------------------------------
Intercept       2.7979     0.0665     43.257     <0.001      2.6705     2.9314
hospital        1.1792     0.0071     27.480     <0.001      1.1654     1.1931
gender[T.male]  0.8938     0.1009     -0.994      0.250      0.7163     1.1152
-------------------------------------------------------------------------------
Dispersion (alpha)
                  coef    std err          z      P>|z|      [0.025     0.975]
alpha           0.8288     0.0231                            0.7835     0.8741
-------------------------------------------------------------------------------
alpha = 0: LR chi2 11602.12, p <0.001 (half the chi2(1) tail).
IRR = exp(coef), rate ratio; std err by the delta method; limits: exp of those
of coef; z and P are for coef = 0.  Not exponentiated: Dispersion (alpha)."""

QUASI_TEXT = """\
                      Quasi-Poisson regression, log link
===============================================================================
visits ~ hospital + chronic + gender                 4406 rows used, 0 dropped
Scale                    6.7061     Deviance         23167.8 on 4398 df
Pearson chi2            29492.5     Null deviance    26943.0 on 4405 df
Covariance            nonrobust     Converged        yes, 3 passes
===============================================================================
                  coef    std err          t      P>|t|      [0.025     0.975]
-------------------------------------------------------------------------------
Intercept       1.0289     0.0238     43.257     <0.001      0.9823     1.0755
hospital        0.1648     0.0060     27.480     <0.001      0.1530     0.1766
gender[T.male] -0.1123     0.1129     -0.994      0.250     -0.3337     0.1090"""


@pytest.mark.parametrize(
    ("facts", "exponentiate", "text"),
    [
        (POISSON, False, POISSON_TEXT),
        (NEGBIN, True, NEGBIN_RATIOS_TEXT),
        (QUASI, False, QUASI_TEXT),
    ],
)
def test_the_text_as_a_whole(facts, exponentiate, text):
    found = summarise(facts, exponentiate=exponentiate).as_text()
    assert found == text
    assert max(map(len, found.splitlines())) == 79


def test_equations_below_the_mean_have_one_heading_and_no_blank_test():
    lines = summarise(NEGBIN).as_text().splitlines()
    at = lines.index("Dispersion (alpha)")
    assert lines[at - 1] == "-" * 79
    assert lines[at + 1].split() == ["alpha", "0.8288", "0.0231", "0.7835", "0.8741"]


def test_lines_without_a_value_are_left_out_and_the_columns_close_up():
    facts = replace(POISSON, deviance=None, null_deviance=None, footnotes=())
    lines = summarise(facts).as_text().splitlines()
    assert lines[3:7] == [
        "Log-likelihood        -17971.61     BIC              36010.35",
        "  intercept only      -18923.31     Pearson chi2     29492.5",
        "AIC                    35959.23     Pseudo-R2        0.0503 (McFadden)",
        "Covariance            nonrobust     Converged        yes, 3 passes",
    ]


def test_nan_is_never_printed():
    nan = math.nan
    facts = replace(POISSON, llnull=nan, deviance=nan, prsquared=nan, bic=nan)
    gaps = replace(MEAN, coef=MEAN.coef * nan, lower=MEAN.lower * nan, pvalues=MEAN.pvalues * nan)
    summary = summarise(replace(facts, equations=(gaps,)))
    for format in RENDERERS:
        assert "nan" not in summary.render(format).lower().replace("nan deviance", "")
    assert "intercept only" not in summary.as_text()


def without_ends(equation, place):
    """The equation without an interval in one of its rows."""
    lower, upper = equation.lower.copy(), equation.upper.copy()
    lower[place] = upper[place] = math.nan
    return replace(equation, lower=lower, upper=upper)


@pytest.mark.parametrize("mark", ["-inf", "inf", "dropped"])
def test_a_marked_row_shows_its_mark_and_nothing_after(mark):
    bare = without_ends(MEAN, 1)
    facts = replace(POISSON, equations=(replace(bare, marks=("", mark, "")),))
    (row,) = (r for r in summarise(facts).as_text().splitlines() if r.startswith("hospital"))
    assert row.split() == ["hospital", mark]


def test_the_ratio_of_minus_infinity_is_zero():
    bare = without_ends(without_ends(MEAN, 1), 2)
    facts = replace(POISSON, equations=(replace(bare, marks=("", "-inf", "inf")),))
    text = summarise(facts, exponentiate=True).as_text()
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()}
    assert rows["hospital"] == ["0"]
    assert rows["gender[T.male]"] == ["inf"]


def test_ratios_by_the_delta_method():
    ratio = exponentiated(MEAN)
    np.testing.assert_allclose(ratio.coef, np.exp(MEAN.coef))
    np.testing.assert_allclose(ratio.bse, np.exp(MEAN.coef) * MEAN.bse)
    np.testing.assert_allclose(ratio.lower, np.exp(MEAN.lower))
    np.testing.assert_allclose(ratio.upper, np.exp(MEAN.upper))
    assert ratio.statistic is MEAN.statistic
    assert ratio.pvalues is MEAN.pvalues


def test_a_ratio_beyond_double_precision_is_infinite_without_a_warning():
    huge = replace(MEAN, coef=np.array([800.0, -800.0, 0.0]))
    assert exponentiated(huge).coef.tolist() == [np.inf, 0.0, 1.0]


def test_ratios_need_a_log_link_somewhere():
    facts = replace(POISSON, equations=(replace(MEAN, ratio=""), DISPERSION))
    assert "coef" in summarise(facts).as_text()
    with pytest.raises(NotDefinedError, match="exponentiate=False") as caught:
        summarise(facts, exponentiate=True)
    assert caught.value.kind == "no_rate_ratio"


def test_rows_are_labelled_where_only_a_later_equation_has_ratios():
    facts = replace(
        NEGBIN,
        equations=(replace(MEAN, ratio=""), replace(DISPERSION, ratio="odds ratio")),
    )
    table = summarise(facts, exponentiate=True).tables[0]
    assert table.columns[0].heading == "coef"
    assert table.groups[1].columns[0].heading == "OR"
    assert table.footnotes[-1] == "Not exponentiated: the mean."


@pytest.mark.parametrize(
    ("alpha", "headings"),
    [(0.05, ["[0.025", "0.975]"]), (0.1, ["[0.05", "0.95]"]), (0.001, ["[0.0005", "0.9995]"])],
)
def test_headings_of_the_limits(alpha, headings):
    table = summarise(POISSON, alpha=alpha).tables[0]
    assert [column.heading for column in table.columns[4:]] == headings


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_alpha_outside_zero_and_one_is_refused(alpha):
    with pytest.raises(UsageError, match="alpha"):
        summarise(POISSON, alpha=alpha)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"n_rows": 4420, "dropped": {"x": 12, "t": 2}}, "4406 rows used, 14 dropped"),
        (
            {"n_rows": 4419, "dropped": {"x": 12, "t": 2}, "n_dropped": 13},
            "4406 rows used, 13 dropped",
        ),
        ({"nobs": 5000.5}, "Observations             5000.5"),
        ({"converged": False, "ended": "no: out of iterations"}, "Converged        no: out"),
        ({"deviance": 5.129141, "df_resid": 4.0}, "Deviance         5.1291 on 4 df"),
        ({"deviance": 1.5e-9, "df_resid": 4.5}, "Deviance         1.500e-09 on 4.5 df"),
        ({"deviance": 123456789.04}, "Deviance         123456789.0 on 4398 df"),
        ({"llf": -23.380659}, "Log-likelihood           -23.38"),
        ({"llf": -1.23456e15}, "Log-likelihood       -1.235e+15"),
        ({"cov_label": "HC1"}, "Covariance                  HC1"),
    ],
)
def test_facts(changes, line):
    assert line in summarise(replace(POISSON, **changes)).as_text()


def test_observations_are_shown_only_where_they_are_not_the_rows_used():
    assert "Observations" not in summarise(POISSON).as_text()
    facts = replace(POISSON, n_rows=4407, dropped={"x": 1})
    assert "Observations" not in summarise(facts).as_text()


def test_a_summary_shows_itself():
    summary = summarise(POISSON)
    assert str(summary) == repr(summary) == summary.as_text() == POISSON_TEXT
    assert summary._repr_html_() == summary.as_html() == summary.render("html")
    assert summary.as_latex() == summary.render("latex")
    assert summary.as_markdown() == summary.render("markdown")


def test_infinite_marks():
    assert [infinite(mark) for mark in ("inf", "-inf", "dropped", "")] == [True, True, False, False]

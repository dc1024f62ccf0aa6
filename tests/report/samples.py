"""Records of fits as the façade hands them to the summary; the figures are NMES1988's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glmcount.report.rows import EquationRows
from glmcount.report.summary import SummaryFacts

NAN = np.full(1, np.nan)


def rows(heading, names, coef, bse, *, ratio="rate ratio", marks=()):
    """An equation with z tests and 95 % limits; p-values by hand where they are shown."""
    coef, bse = np.array(coef), np.array(bse)
    return EquationRows(
        heading,
        tuple(names),
        coef,
        bse,
        coef / bse,
        np.where(np.abs(coef / bse) > 5, 0.0, 0.25),
        coef - 1.959964 * bse,
        coef + 1.959964 * bse,
        ratio,
        marks,
    )


MEAN = rows(
    "",
    ("Intercept", "hospital", "gender[T.male]"),
    (1.028874, 0.164797, -0.112320),
    (0.023785, 0.005997, 0.112945),
)
DISPERSION = replace(
    rows("Dispersion (alpha)", ("alpha",), (0.8288,), (0.0231,), ratio=""),
    statistic=NAN,
    pvalues=NAN,
)
POISSON = SummaryFacts(
    title="Poisson regression, log link",
    formula="visits ~ hospital + chronic + gender",
    statistic="z",
    nobs=4406.0,
    n_rows=4406,
    dropped={},
    llf=-17971.612811,
    llnull=-18923.31,
    aic=35959.225622,
    bic=36010.35,
    deviance=23167.806,
    df_resid=4398,
    null_deviance=26943.0,
    df_null=4405,
    pearson_chi2=29492.5,
    prsquared=0.0503,
    scale=None,
    cov_label="nonrobust",
    converged=True,
    ended="yes, 3 passes",
    equations=(MEAN,),
    footnotes=(
        "Offset: log(days).",
        "Rows dropped: income missing 12, exposure missing 2.",
        'Dispersion (Pearson/df) 6.71: more variance than Poisson; compare family="negbin".',
    ),
)
NEGBIN = replace(
    POISSON,
    title="Negative binomial (NB2) regression, log link",
    equations=(MEAN, DISPERSION),
    footnotes=("alpha = 0: LR chi2 11602.12, p <0.001 (half the chi2(1) tail).",),
)
QUASI = replace(
    POISSON,
    title="Quasi-Poisson regression, log link",
    statistic="t",
    llf=None,
    llnull=None,
    aic=None,
    bic=None,
    prsquared=None,
    scale=6.706136,
    footnotes=(),
)

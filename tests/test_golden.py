"""Fits against the golden files: what R and statsmodels find, what was published, the truth.

`tests/golden/README.md` tells where the figures come from. Estimates and standard errors
are judged by the 50-digit truth; the rest by R's doubles.
"""

from __future__ import annotations

import math
import os
import warnings
from decimal import Decimal
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

import glmcount as gc
from tests import golden_files
from tests.golden_files import close

FOLDER = os.environ.get("GLMCOUNT_HARD_CASES")
RECORDS = {case: golden_files.read(case) for case in golden_files.names()}
FITTED = [case for case, record in RECORDS.items() if "params" in record["values"]]
WITH_TRUTH = [case for case in FITTED if golden_files.has_truth(case)]
NUMBERS = (
    "llf",
    "llnull",
    "prsquared",
    "aic",
    "aicc",
    "bic",
    "deviance",
    "null_deviance",
    "pearson_chi2",
    "scale",
)
COUNTS = ("nobs", "df_model", "df_resid")
RESIDUALS = ("resid_response", "resid_pearson", "resid_deviance", "resid_working")
EXPECTED_WARNINGS = {
    "dobson_frequency": {"noninteger_weights"},
    "quine_negbin_weighted": {"noninteger_weights"},
    "warpbreaks_aliased": {"column"},
}


@cache
def data(place: str) -> pd.DataFrame:
    return golden_files.data(place, Path(FOLDER) if FOLDER else None)


def fitted(case: str, information: str | None = None, cov: str | None = None):
    """The fit of a case, made once."""
    if golden_files.is_local(RECORDS[case]) and not FOLDER:
        pytest.skip("the data are no part of the project; GLMCOUNT_HARD_CASES names their folder")
    return _fitted(case, information, cov)[0]


@cache
def _fitted(case: str, information: str | None, cov: str | None):
    record = RECORDS[case]
    if cov is not None:
        return _fitted(case, information, None)[0].with_cov(cov), ()
    call = dict(record["call"])
    if isinstance(call["family"], dict):
        call["family"] = gc.families.negbin(alpha=call["family"]["alpha"])
    if information is not None:
        call["information"] = information
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = gc.fit(record["formula"], data=data(record["data"]), **call)
    return result, tuple(caught)


having = partial(golden_files.having, {case: RECORDS[case] for case in FITTED})


@pytest.mark.parametrize("case", FITTED)
def test_only_the_warnings_due(case):
    fitted(case)
    caught = _fitted(case, None, None)[1]
    kinds = {getattr(warning.message, "kind", str(warning.message)) for warning in caught}
    assert kinds == EXPECTED_WARNINGS.get(case, set())


@pytest.mark.parametrize("case", FITTED)
def test_names(case):
    """patsy's names; alpha last."""
    found = list(fitted(case).params.index)
    assert sorted(found) == sorted(RECORDS[case]["values"]["params"])
    assert "alpha" not in found[:-1]


@pytest.mark.parametrize("case", FITTED)
def test_params(case):
    values = RECORDS[case]["values"]
    found = fitted(case).params
    for name, expected in values["params"].items():
        assert abs(found[name] - expected) <= 1e-10 * max(abs(expected), values["bse"][name]), name


@pytest.mark.parametrize("case", FITTED)
def test_bse(case):
    close(fitted(case).bse, RECORDS[case]["values"]["bse"], 1e-9)


@pytest.mark.parametrize(("case", "key"), having("bse_observed", "bse_expected"))
def test_bse_by_information(case, key):
    information = key.removeprefix("bse_")
    close(fitted(case, information).bse, RECORDS[case]["values"][key], 1e-9)


@pytest.mark.parametrize(("case", "cov"), having("HC0", "HC1", "HC2", "HC3", inside="bse_robust"))
def test_bse_robust(case, cov):
    close(fitted(case, None, cov).bse, RECORDS[case]["values"]["bse_robust"][cov], 1e-8)


@pytest.mark.parametrize(
    ("case", "cov"), having("HC0", "HC1", "HC2", "HC3", inside="bse_robust_expected")
)
def test_bse_robust_by_expected_information(case, cov):
    expected = RECORDS[case]["values"]["bse_robust_expected"][cov]
    close(fitted(case, "expected", cov).bse, expected, 1e-8)


@pytest.mark.parametrize(("case", "key"), having(*NUMBERS))
def test_number(case, key):
    expected = RECORDS[case]["values"][key]
    tiny = 1e-9 if key in {"deviance", "pearson_chi2"} else 1e-13
    assert getattr(fitted(case), key) == pytest.approx(expected, rel=1e-9, abs=tiny)


@pytest.mark.parametrize(("case", "key"), having(*COUNTS))
def test_count(case, key):
    assert getattr(fitted(case), key) == pytest.approx(RECORDS[case]["values"][key], rel=1e-14)


@pytest.mark.parametrize(("case", "key"), having("conf_int"))
def test_conf_int(case, key):
    values = RECORDS[case]["values"]
    found = fitted(case).conf_int()
    for name, (low, high) in values[key].items():
        assert found.loc[name, 0] == pytest.approx(low, rel=1e-9, abs=1e-9 * values["bse"][name])
        assert found.loc[name, 1] == pytest.approx(high, rel=1e-9, abs=1e-9 * values["bse"][name])


@pytest.mark.parametrize(("case", "key"), having("alpha"))
def test_alpha(case, key):
    record = RECORDS[case]
    if "alpha" not in record["values"]["params"]:
        assert "alpha" not in fitted(case).params
        return
    assert 1 / fitted(case).params["alpha"] == pytest.approx(record["values"]["theta"], rel=1e-9)


@pytest.mark.parametrize(("case", "key"), having("theta_bse"))
def test_standard_error_of_theta_by_the_delta_method(case, key):
    result = fitted(case)
    delta = result.bse["alpha"] / result.params["alpha"] ** 2
    assert delta == pytest.approx(RECORDS[case]["values"][key], rel=1e-9)


@pytest.mark.parametrize(("case", "key"), having("fittedvalues", *RESIDUALS, inside="rows"))
def test_row_values(case, key):
    expected = np.array(RECORDS[case]["values"]["rows"][key], dtype=float)
    found = np.asarray(getattr(fitted(case), key))[: len(expected)]
    # Where the mean is the count R's deviance residual is the root of its rounding.
    floor = 1e-6 if key == "resid_deviance" else 1e-8
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=floor)


@pytest.mark.parametrize(("case", "key"), having("hat", "cooks", inside="rows"))
def test_influence(case, key):
    expected = np.array(
        [math.nan if v is None else v for v in RECORDS[case]["values"]["rows"][key]]
    )
    influence = fitted(case).get_influence()
    found = influence.hat_matrix_diag if key == "hat" else influence.cooks_distance[0]
    known = ~np.isnan(expected)
    np.testing.assert_allclose(
        np.asarray(found)[: len(expected)][known], expected[known], rtol=1e-8, atol=1e-10
    )


@pytest.mark.parametrize(("case", "which"), having("mean", "linear", inside="predictions"))
def test_predict(case, which):
    wanted = RECORDS[case]["values"]["predictions"]
    newdata = pd.DataFrame(wanted["newdata"])
    found = fitted(case).predict(newdata, which=which)
    np.testing.assert_allclose(np.asarray(found), wanted[which], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("case", "key"),
    having("mean_se", "linear_se", "mean_se_expected", "linear_se_expected", inside="predictions"),
)
def test_prediction_errors(case, key):
    wanted = RECORDS[case]["values"]["predictions"]
    newdata = pd.DataFrame(wanted["newdata"])
    which, _, information = key.partition("_se")
    result = fitted(case, information.lstrip("_") or None)
    frame = result.get_prediction(newdata, which=which).summary_frame()
    column = next(name for name in frame.columns if name.endswith("_se"))
    np.testing.assert_allclose(np.asarray(frame[column]), wanted[key], rtol=1e-8)


WALD = [
    (case, place)
    for case in FITTED
    for place in range(len(RECORDS[case]["values"].get("wald", [])))
]


@pytest.mark.parametrize(("case", "place"), WALD)
def test_wald(case, place):
    wanted = RECORDS[case]["values"]["wald"][place]
    found = fitted(case).wald_test(wanted["hypothesis"])
    assert found.df == wanted["df"]
    if found.df_denom is None:
        assert found.statistic == pytest.approx(wanted["statistic"], rel=1e-8, abs=1e-18)
        assert found.pvalue == pytest.approx(wanted["pvalue"], rel=1e-7)
        return
    # Quasi-Poisson: an F on the residual degrees of freedom in the place of chi-squared.
    assert found.df_denom == RECORDS[case]["values"]["df_resid"]
    assert found.statistic * found.df == pytest.approx(wanted["statistic"], rel=1e-8)
    tail = special.fdtrc(found.df, found.df_denom, wanted["statistic"] / found.df)
    assert found.pvalue == pytest.approx(tail, rel=1e-6)


@pytest.mark.parametrize(("case", "key"), having("aliased"))
def test_aliased(case, key):
    assert list(fitted(case).aliased) == RECORDS[case]["values"][key]


@pytest.mark.parametrize("case", [c for c in RECORDS if "boundary" in RECORDS[c]["values"]])
def test_no_maximum_inside_is_named(case):
    with pytest.raises(gc.errors.BoundaryError) as caught:
        fitted(case)
    assert caught.value.kind == "mean_boundary"


def ours(case: str, path: list[str]):
    """The quantity a published figure stands for, from our fit."""
    head, *rest = path
    if head == "bse_robust" and rest[0] == "cluster":
        column = RECORDS[case]["values"]["cluster"]["column"]
        return fitted(case).with_cov({"cluster": column}).bse[rest[1]]
    if head.startswith("bse_robust"):
        information = "expected" if head.endswith("expected") else None
        return fitted(case, information, rest[0]).bse[rest[1]]
    if head.startswith("bse_"):
        return fitted(case, head.removeprefix("bse_")).bse[rest[0]]
    result = fitted(case)
    if head == "rows":
        key, place = rest[0], int(rest[1])
        influence = {
            "hat": lambda: result.get_influence().hat_matrix_diag,
            "cooks": lambda: result.get_influence().cooks_distance[0],
        }
        held = influence[key]() if key in influence else getattr(result, key)
        return np.asarray(held)[place]
    if head == "theta_bse_expected":
        result, head = fitted(case, "expected"), "theta_bse"
    if head == "theta_bse":
        return result.bse["alpha"] / result.params["alpha"] ** 2
    if head == "alpha":
        return result.params["alpha"]
    if head == "theta":
        return 1 / result.params["alpha"]
    if head == "conf_int":
        return result.conf_int().loc[rest[0], int(rest[1])]
    value = getattr(result, head)
    return value[rest[0]] if rest else value


PRINTED = [(case, *row) for case in FITTED for row in golden_files.printed(RECORDS[case])]


@pytest.mark.parametrize(
    ("case", "path", "literal", "tolerance"),
    PRINTED,
    ids=[f"{case}{path}{'~' if loose else ''}" for case, path, _, loose in PRINTED],
)
def test_published_figure(case, path, literal, tolerance):
    found = float(ours(case, golden_files.keys(path)))
    problem = golden_files.disagreement(found, literal, tolerance)
    assert not problem, problem


def _bound(case: str) -> float:
    """Relative precision due to a standard error, by the condition number."""
    condition = golden_files.truth(case)["condition"]
    return 1e-10 if condition <= 1e5 else 1e-15 * condition


def difference(found: float, text: str) -> float:
    """`found` minus the decimal `text`, which has more digits than a double."""
    return float(Decimal(float(found)) - Decimal(text))


@pytest.mark.parametrize("case", WITH_TRUTH)
def test_precision_of_params(case):
    truth, found = golden_files.truth(case), fitted(case).params
    assert truth["condition"] <= 1e5
    for name, text in truth["params"].items():
        allowed = 1e-10 * max(abs(float(text)), float(truth["bse"][name]))
        assert abs(difference(found[name], text)) <= allowed, name


@pytest.mark.parametrize("case", WITH_TRUTH)
def test_precision_of_standard_errors(case):
    truth, result = golden_files.truth(case), fitted(case)
    root = math.sqrt(result.scale)
    for name, text in truth["bse"].items():
        assert abs(difference(result.bse[name] / root, text)) <= _bound(case) * float(text), name


@pytest.mark.parametrize(
    ("case", "information"),
    [(case, key) for case in WITH_TRUTH for key in ("observed", "expected")],
)
def test_precision_of_standard_errors_by_information(case, information):
    truth, result = golden_files.truth(case), fitted(case, information)
    root = math.sqrt(result.scale)
    for name, text in truth[f"bse_{information}"].items():
        assert abs(difference(result.bse[name] / root, text)) <= _bound(case) * float(text), name


@pytest.mark.parametrize("case", [case for case in WITH_TRUTH if "llf" in RECORDS[case]["values"]])
def test_precision_of_the_log_likelihood(case):
    text = golden_files.truth(case)["llf"]
    assert abs(difference(fitted(case).llf, text)) <= 1e-12 * abs(float(text))


CERTIFIED = [
    case
    for case in WITH_TRUTH
    if RECORDS[case]["call"]["family"] != "negbin" and "link" not in RECORDS[case]["call"]
]


@pytest.mark.parametrize("case", CERTIFIED)
def test_the_certified_error_bound_holds(case):
    """One equation with a known curvature: a bound exists, and covers |b* - b|."""
    truth, result = golden_files.truth(case), fitted(case)
    bound = result.certificate.error_bound
    assert bound <= 1e-8
    for name, text in truth["params"].items():
        allowed = bound * float(truth["bse"][name]) + 4e-16 * abs(float(text))
        assert abs(difference(result.params[name], text)) <= allowed, name


@pytest.mark.parametrize("name", ["quine_poisson", "dobson_importance", "warpbreaks_importance"])
def test_a_quasi_likelihood_has_the_estimates_of_its_likelihood(name):
    record = RECORDS[name]
    call = {**record["call"], "family": "quasipoisson"}
    result = gc.fit(record["formula"], data=data(record["data"]), **call)
    close(result.params, record["values"]["params"], 1e-9)
    with pytest.raises(gc.errors.NoLikelihoodError):
        _ = result.llf

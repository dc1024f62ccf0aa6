"""Fits of models with parts against the golden files of `tests/golden/parts`.

Zero-inflated, hurdle, truncated and censored models, NB1, generalized and Conway-Maxwell
Poisson, regressions of alpha. `tests/golden/README.md` tells where the figures come from and
how far they can be trusted.
"""

from __future__ import annotations

import math
import warnings
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from tests import golden_files
from tests.golden_files import close

RECORDS = {
    case: golden_files.read(case, golden_files.PARTS)
    for case in golden_files.names(golden_files.PARTS)
}
INSIDE = [case for case, record in RECORDS.items() if "params" in record["values"]]
BOUNDARY = [case for case, record in RECORDS.items() if "boundary" in record["values"]]
WHICH = {
    "mean": "mean",
    "mean_main": "mean-main",
    "mean_nonzero": "mean-nonzero",
    "zero": "zero",
    "prob_zero": "prob-zero",
    "prob_positive": "prob-positive",
}
PREFIXES = ("inflate_", "hurdle_", "dispersion_")
ANCILLARY = ("alpha", "hurdle_alpha", "nu")

having = partial(golden_files.having, {case: RECORDS[case] for case in INSIDE})


@cache
def fitted(case: str):
    """The fit of a case, made once."""
    return _fitted(case)[0]


@cache
def _fitted(case: str):
    record = RECORDS[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = gc.fit(record["formula"], data=golden_files.rows(record), **record["call"])
    return result, tuple(caught)


def kinds(case: str) -> set[str]:
    """Kinds of the warnings of a fit."""
    return {getattr(one.message, "kind", str(one.message)) for one in _fitted(case)[1]}


@pytest.mark.parametrize("case", INSIDE)
def test_no_boundary_where_the_maximum_is_inside(case):
    assert not kinds(case) & {"inflation_boundary", "alpha_boundary"}


@pytest.mark.parametrize("case", INSIDE)
def test_names(case):
    """The mean's, then those of the other parts, then the ancillary parameters."""

    def group(name: str) -> int:
        return 2 if name in ANCILLARY else 1 if name.startswith(PREFIXES) else 0

    found = list(fitted(case).params.index)
    assert sorted(found) == sorted(RECORDS[case]["values"]["params"])
    assert found == sorted(found, key=group)


@pytest.mark.parametrize("case", INSIDE)
def test_params(case):
    values = RECORDS[case]["values"]
    found = fitted(case).params
    for name, expected in values["params"].items():
        allowed = 1e-7 * values["bse"][name] + 1e-12 * abs(expected)
        assert abs(found[name] - expected) <= allowed, name


@pytest.mark.parametrize("case", INSIDE)
def test_bse(case):
    close(fitted(case).bse, RECORDS[case]["values"]["bse"], 1e-6)


@pytest.mark.parametrize("case", INSIDE)
def test_llf(case):
    expected = RECORDS[case]["values"]["llf"]
    found = fitted(case).llf
    assert found >= expected - 1e-8 * abs(expected)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("case", "key"), having("aic", "bic", "nobs"))
def test_number(case, key):
    assert getattr(fitted(case), key) == pytest.approx(RECORDS[case]["values"][key], rel=1e-9)


@pytest.mark.parametrize(("case", "key"), having("expected_zeros"))
def test_expected_zeros(case, key):
    assert expected_zeros(case) == pytest.approx(RECORDS[case]["values"][key], rel=1e-8)


def expected_zeros(case: str) -> float:
    return float(np.sum(np.asarray(fitted(case).predict(which="prob-zero"))))


def predicted(case: str, key: str) -> np.ndarray:
    """A prediction for the new rows of a case; probabilities have a row for each count."""
    wanted = RECORDS[case]["values"]["predictions"]
    newdata = pd.DataFrame(wanted["newdata"])
    if key == "prob":
        counts = range(len(wanted["prob"]))
        return np.array(
            [np.ravel(fitted(case).predict(newdata, which="prob", at=k)) for k in counts]
        )
    return np.asarray(fitted(case).predict(newdata, which=WHICH[key]))


@pytest.mark.parametrize(("case", "key"), having(*WHICH, "prob", inside="predictions"))
def test_predict(case, key):
    wanted = np.array(RECORDS[case]["values"]["predictions"][key])
    np.testing.assert_allclose(predicted(case, key), wanted, rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(("case", "key"), having("mean_se", inside="predictions"))
def test_prediction_errors(case, key):
    wanted = RECORDS[case]["values"]["predictions"]
    newdata = pd.DataFrame(wanted["newdata"])
    frame = fitted(case).get_prediction(newdata, which="mean").summary_frame()
    np.testing.assert_allclose(np.asarray(frame[key]), wanted[key], rtol=1e-6)


WALD = [
    (case, place)
    for case in INSIDE
    for place in range(len(RECORDS[case]["values"].get("wald", [])))
]


def wald(case: str, place: int):
    return fitted(case).wald_test(RECORDS[case]["values"]["wald"][place]["hypothesis"])


@pytest.mark.parametrize(("case", "place"), WALD)
def test_wald(case, place):
    wanted = RECORDS[case]["values"]["wald"][place]
    found = wald(case, place)
    assert found.df == wanted["df"]
    assert found.statistic == pytest.approx(wanted["statistic"], rel=1e-6)
    assert found.pvalue == pytest.approx(wanted["pvalue"], rel=1e-5)


@pytest.mark.parametrize("case", BOUNDARY)
def test_a_boundary_is_named_and_its_likelihood_reached(case):
    values = RECORDS[case]["values"]
    assert values["kind"] in kinds(case)
    assert fitted(case).llf == pytest.approx(values["llf"], rel=1e-9)


@pytest.mark.parametrize("case", BOUNDARY)
def test_at_a_boundary_the_rest_is_the_model_without_it(case):
    """The inflation gone, the coefficients are those of the regression that is left."""
    found = fitted(case).params
    for name, expected in RECORDS[case]["values"]["limit_params"].items():
        assert found[name] == pytest.approx(expected, rel=1e-6, abs=1e-7), name


def vuong(case: str, key: str) -> float:
    """Vuong's test against the model without the zero part, corrected as `key` says."""
    against = RECORDS[case]["values"]["vuong"]["against"]
    one, two = fitted(against), fitted(case)
    ratio = np.asarray(rows_of_llf(against)) - np.asarray(rows_of_llf(case))
    n, extra = len(ratio), len(one.params) - len(two.params)
    correction = {"raw": 0.0, "aic": extra, "bic": extra * math.log(n) / 2}[key]
    return (ratio.sum() - correction) / (np.std(ratio, ddof=1) * math.sqrt(n))


def rows_of_llf(case: str) -> np.ndarray:
    """Each row's log-likelihood, by the probability the fit gives its count."""
    frame = golden_files.rows(RECORDS[case])
    counts = frame[RECORDS[case]["formula"].partition("~")[0].strip()].to_numpy()
    out = np.empty(len(counts))
    for count in np.unique(counts):
        at = counts == count
        found = fitted(case).predict(frame[at], which="prob", at=int(count))
        out[at] = np.log(np.ravel(found))
    return out


@pytest.mark.parametrize(("case", "key"), having("raw", "aic", "bic", inside="vuong"))
def test_vuong(case, key):
    wanted = RECORDS[case]["values"]["vuong"][key]
    assert vuong(case, key) == pytest.approx(wanted, rel=1e-7)


def ours(case: str, path: list[str]) -> float:
    """The quantity a published figure stands for, from our fit."""
    head, *rest = path
    result = fitted(case)
    if head == "predictions":
        return predicted(case, rest[0])[tuple(int(place) for place in rest[1:])]
    if head == "wald":
        return getattr(wald(case, int(rest[0])), rest[1])
    if head == "vuong":
        return vuong(case, rest[0])
    of_alpha = {
        "alpha": lambda: result.params["alpha"],
        "theta": lambda: 1 / result.params["alpha"],
        "lnalpha": lambda: math.log(result.params["alpha"]),
        "lnalpha_bse": lambda: result.bse["alpha"] / result.params["alpha"],
        "expected_zeros": lambda: expected_zeros(case),
    }
    if head in of_alpha:
        return of_alpha[head]()
    value = getattr(result, head)
    return value[rest[0]] if rest else value


PRINTED = [(case, *row) for case in RECORDS for row in golden_files.printed(RECORDS[case])]


@pytest.mark.parametrize(
    ("case", "path", "literal", "tolerance"),
    PRINTED,
    ids=[f"{case}{path}{'~' if loose else ''}" for case, path, _, loose in PRINTED],
)
def test_published_figure(case, path, literal, tolerance):
    found = float(ours(case, golden_files.keys(path)))
    problem = golden_files.disagreement(found, literal, tolerance)
    assert not problem, problem

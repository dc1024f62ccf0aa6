"""The golden files themselves: their fields, the published figures, the truth to 25 digits."""

from __future__ import annotations

import math

import numpy as np
import patsy
import pytest

from tests import golden_files

CASES = golden_files.names()
WITH_TRUTH = [case for case in CASES if golden_files.has_truth(case)]
FIELDS = {"case", "source", "versions", "data", "formula", "call", "values", "published"}
OPTIONS = {"family", "link", "offset", "exposure", "weights", "weights_type"}
PARTS = {
    case: golden_files.read(case, golden_files.PARTS)
    for case in golden_files.names(golden_files.PARTS)
}
INSIDE = [case for case, record in PARTS.items() if "params" in record["values"]]
PARTS_OPTIONS = {
    "information",
    "family",
    "inflate",
    "hurdle",
    "zero",
    "truncated",
    "censored",
    "dispersion",
}
ANCILLARY = {"alpha", "hurdle_alpha", "nu"}


def test_every_case_but_the_crabs_has_a_truth():
    without = [case for case in CASES if case not in WITH_TRUTH]
    assert len(CASES) == 54
    assert all(golden_files.is_local(golden_files.read(case)) for case in without)
    assert len(without) == 3


@pytest.mark.parametrize("case", CASES)
def test_fields(case):
    record = golden_files.read(case)
    assert record["case"] == case
    assert set(record) - {"published_loose"} == FIELDS
    assert set(record["call"]) <= OPTIONS
    assert all(record["versions"].values())


@pytest.mark.parametrize("case", CASES)
def test_published_figures_are_those_of_the_values(case):
    record = golden_files.read(case)
    if "boundary" in record["values"]:
        return
    check_published(record)


def check_published(record):
    for path, literal, value in golden_files.figures(record["published"], record["values"]):
        assert golden_files.agrees(value, literal), (
            f"{path}: {literal} is printed, {value} is found"
        )
    for group in record.get("published_loose", []):
        for path, literal, value in golden_files.figures(group["figures"], record["values"]):
            allowed = float(group["tolerance"]) * max(1.0, abs(float(literal)))
            assert abs(value - float(literal)) <= allowed, f"{path}: {literal}, found {value}"


@pytest.mark.parametrize("case", WITH_TRUTH)
def test_values_are_the_truth(case):
    record, truth = golden_files.read(case), golden_files.truth(case)
    values = record["values"]
    quasi = math.sqrt(values["scale"])
    for name, text in truth["params"].items():
        error = float(truth["bse"][name])
        assert abs(values["params"][name] - float(text)) <= 1e-11 * max(abs(float(text)), error)
    for key in ("bse", "bse_observed", "bse_expected"):
        for name, text in truth[key].items() if key in values else ():
            assert values[key][name] == pytest.approx(float(text) * quasi, rel=1e-11), key
    if "llf" in values:
        assert values["llf"] == pytest.approx(float(truth["llf"]), rel=1e-14)


def test_all_cases_with_parts_are_here():
    assert len(PARTS) == 86
    assert not set(PARTS) & set(CASES)
    assert [case for case in PARTS if case not in INSIDE] == ["biochemists_zinb_constant"]


@pytest.mark.parametrize("case", PARTS)
def test_fields_with_parts(case):
    record = PARTS[case]
    assert record["case"] == case
    assert set(record) - {"published_loose", "subset", "derive"} == FIELDS
    assert set(record["call"]) <= PARTS_OPTIONS
    assert all(record["versions"].values())


@pytest.mark.parametrize("case", PARTS)
def test_published_figures_with_parts_are_those_of_the_values(case):
    check_published(PARTS[case])


@pytest.mark.parametrize("case", INSIDE)
def test_parameters_with_parts_are_named_by_patsy(case):
    record = PARTS[case]
    frame = golden_files.rows(record)
    environment = patsy.EvalEnvironment([{"np": np, "offset": np.asarray}])
    call, expected = record["call"], []
    sides = {"": record["formula"].partition("~")[2]}
    sides |= {f"{key}_": call[key] for key in ("inflate", "hurdle", "dispersion") if key in call}
    for prefix, side in sides.items():
        design = patsy.dmatrix(side, frame, environment)
        names = design.design_info.column_names
        expected += [prefix + name for name in names if not name.startswith("offset(")]
    params = record["values"]["params"]
    assert sorted(set(params) - ANCILLARY) == sorted(expected)
    assert set(record["values"]["bse"]) == set(params)


@pytest.mark.parametrize("case", INSIDE)
def test_scalars_with_parts_fit_together(case):
    values = PARTS[case]["values"]
    k, n = len(values["params"]), len(golden_files.rows(PARTS[case]))
    assert values["nobs"] == n
    assert values["aic"] == pytest.approx(2 * k - 2 * values["llf"], rel=1e-14)
    assert values["bic"] == pytest.approx(math.log(n) * k - 2 * values["llf"], rel=1e-14)
    if "predictions" in values:
        shares = np.array(values["predictions"]["prob"])
        assert np.all(shares >= 0)
        assert np.all(shares.sum(axis=0) <= 1 + 1e-12)
        np.testing.assert_array_equal(shares[0], values["predictions"]["prob_zero"])


@pytest.mark.parametrize(
    ("value", "literal", "expected"),
    [
        (0.12345, "0.123", True),
        (0.1236, "0.123", False),
        (26942.8, "26943", True),
        (26943.6, "26943", False),
        (-1.2345e-7, "-1.23e-7", True),
        (-1.2345e-7, "1.23e-7", False),
    ],
)
def test_agreement_is_to_the_digits_printed(value, literal, expected):
    assert golden_files.agrees(value, literal) is expected

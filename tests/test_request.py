"""Every option is one field of a request, and of another type or range refused by its name."""

import inspect
import warnings
from collections.abc import Mapping
from typing import get_type_hints

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount import cli
from glmcount.errors import GlmcountError, UsageError
from glmcount.fits import Changes
from glmcount.request import OPTIONS, Options, Request

RNG = np.random.default_rng(3)
N = 30
DATA = pd.DataFrame({"y": RNG.poisson(2, N), "x": RNG.normal(size=N), "z": RNG.normal(size=N)})
MATRIX = DATA[["x", "z"]].assign(one=1.0)

ODD = {
    "whole": 5,
    "negative": -1,
    "half": 2.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "large": 10**400,
    "complex": 1j,
    "none": None,
    "true": True,
    "text": "a",
    "empty": "",
    "bytes": b"a",
    "list": [1, 2],
    "texts": ["newton"],
    "nothing": [],
    "ragged": [[1], [1, 2]],
    "dict": {"a": 1},
    "set": {1},
    "range": range(3),
    "array": np.ones(3),
    "matrix": np.ones((2, 2)),
    "scalar": np.array(1.5),
    "npnan": np.float64("nan"),
    "strings": np.array(["a", "b"]),
    "frame": DATA,
    "series": DATA.x,
    "index": DATA.index,
    "na": pd.NA,
    "date": pd.Timestamp("2020-01-01"),
    "object": object(),
    "function": lambda *_: 1.0,
}


def quietly(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def refused(call):
    """The error of a call; None where it is taken. What is no error of glmcount comes out."""
    try:
        quietly(call)
    except GlmcountError as error:
        return error
    return None


def kind(call):
    with pytest.raises(UsageError) as caught:
        quietly(call)
    return caught.value.kind


# One list of options ---------------------------------------------------------------------


def test_the_signature_of_fit_is_that_of_a_request():
    given = inspect.signature(gc.fit).parameters.values()
    options = [one for one in given if one.kind is one.KEYWORD_ONLY]
    fields = inspect.signature(Request).parameters
    assert [one.name for one in options] == list(fields) == list(OPTIONS)
    for one in options:
        assert one.default is fields[one.name].default, one.name
        assert one.annotation == fields[one.name].annotation, one.name


def test_what_is_handed_on_by_name_has_every_option():
    assert list(get_type_hints(Options)) == list(OPTIONS)
    of_rows = {"formula", "data", "y", "X", "names"}
    assert set(get_type_hints(Changes)) == {*OPTIONS, *of_rows}


def test_the_command_line_takes_what_text_can_say():
    of_python = {"family", "start", "compress", "env", "control"}
    assert set(cli.FIT_OPTIONS) == set(OPTIONS) - of_python
    assert set(cli.JSON_OPTIONS) <= set(cli.FIT_OPTIONS)


def test_an_unknown_option_is_told_of_all_there_are():
    for call in (
        lambda: gc.fit("y ~ x", DATA, famly="negbin"),
        lambda: gc.fit_arrays(DATA.y, MATRIX, famly="negbin"),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.kind == "unknown_option"
        assert all(name in str(caught.value) for name in OPTIONS if name != "env")


def test_a_request_is_made_by_name():
    with pytest.raises(TypeError, match="by name"):
        Request("negbin")
    assert Request(family="negbin").family == "negbin"
    assert "family: 'str | Family' = 'poisson'" in str(inspect.signature(Request))


# Options of another type or range --------------------------------------------------------

WRONG = [
    ({"family": 5}, "unknown_family"),
    ({"family": np.ones(2)}, "unknown_family"),
    ({"link": 5}, "unknown_link"),
    ({"link": ["log"]}, "unknown_link"),
    ({"zero": 5, "inflate": "1"}, "unknown_zero"),
    ({"zero": np.ones(2), "inflate": "1"}, "unknown_zero"),
    ({"weights_type": 5}, "unknown_weights_type"),
    ({"weights_type": np.ones(2)}, "unknown_weights_type"),
    ({"truncated": "a"}, "truncation"),
    ({"truncated": True}, "truncation"),
    ({"truncated": 10**400}, "truncation"),
    ({"cov": 5}, "unknown_covariance"),
    ({"cov": DATA}, "unknown_covariance"),
    ({"information": 5}, "unknown_information"),
    ({"information": np.ones(2)}, "unknown_information"),
    ({"method": ["newton"]}, "unknown_method"),
    ({"method": np.ones(2)}, "unknown_method"),
    ({"start": "a"}, "start"),
    ({"start": 5}, "start"),
    ({"start": [np.nan, 1.0]}, "start"),
    ({"start": [10**400, 1]}, "start"),
    ({"missing": np.ones(2)}, "unknown_missing"),
    ({"separation": None}, "unknown_separation"),
    ({"separation": DATA.x}, "unknown_separation"),
    ({"compress": "x"}, "unknown_compress"),
    ({"compress": pd.NA}, "unknown_compress"),
    ({"compress": 1}, "unknown_compress"),
    ({"control": 5}, "control"),
    ({"control": {}}, "control"),
    ({"control": ""}, "control"),
    ({"control": gc.Control}, "control"),
]


@pytest.mark.parametrize(("options", "name"), WRONG, ids=str)
def test_an_option_of_another_type_or_range_is_refused_by_name(options, name):
    option = next(iter(options))
    for call in (
        lambda: gc.fit("y ~ x", DATA, **options),
        lambda: gc.fit_arrays(DATA.y, MATRIX, **options),
        lambda: gc.fit("y ~ x", DATA).refit(**options),
        lambda: gc.fit_arrays(DATA.y, MATRIX).refit(y=DATA.y, **options),
    ):
        with pytest.raises(UsageError) as caught:
            quietly(call)
        assert caught.value.kind == name
        assert {"cov": "covariance"}.get(option, option) in str(caught.value)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("given", [5, "f", [len], np.ones(2), {5: len}], ids=str)
def test_functions_come_by_name(given):
    assert kind(lambda: gc.fit("y ~ x", DATA, env=given)) == "env"


CONTROL = [
    ("tol", "a"),
    ("tol", float("nan")),
    ("tol", 0),
    ("tol", float("inf")),
    ("tol", True),
    ("tol", 10**400),
    ("maxiter", 0),
    ("maxiter", 2.5),
    ("maxiter", "5"),
    ("threads", -1),
    ("threads", 2.5),
    ("threads", 0),
    ("threads", True),
    ("block_rows", 0),
    ("block_rows", None),
    ("block_rows", np.ones(2)),
    ("memory", -1),
    ("memory", "1 GB"),
    ("memory", float("nan")),
    ("memory_limit", -1),
    ("memory_limit", float("nan")),
    ("memory_limit", None),
    ("progress", 5),
    ("progress", None),
    ("progress", "yes"),
]


@pytest.mark.parametrize(("name", "given"), CONTROL, ids=str)
def test_a_control_checks_itself(name, given):
    with pytest.raises(UsageError, match=f"^{name} must be .*; got ") as caught:
        gc.Control(**{name: given})
    assert caught.value.kind == "control"


def test_a_part_of_a_formula_model_is_text():
    for what in ("inflate", "hurdle", "dispersion"):
        for given in (np.ones(N), 5, DATA, DATA.x, ["1"], pd.NA, "", b"1"):
            error = refused(
                lambda w=what, g=given: gc.fit("y ~ x", DATA, family="negbin", **{w: g})
            )
            assert error.kind == "formula_syntax"
            assert what in str(error) and len(str(error)) < 300


def test_a_part_of_a_model_of_arrays_is_columns_or_one():
    for what in ("inflate", "hurdle", "dispersion"):
        for given in (5, "x", np.nan, object(), {"a": 1}, pd.NA):
            error = refused(
                lambda w=what, g=given: gc.fit_arrays(DATA.y, MATRIX, family="negbin", **{w: g})
            )
            assert error is not None and what in str(error)
    for given in ("1", np.str_("1"), DATA.z, DATA[["z"]], DATA.z.to_list()):
        assert refused(lambda g=given: gc.fit_arrays(DATA.y, MATRIX, hurdle=g)) is None


def test_functions_are_of_formulas():
    assert kind(lambda: gc.fit_arrays(DATA.y, MATRIX, env={})) == "unknown_option"


def test_no_value_of_any_option_comes_out_raw():
    for name in OPTIONS:
        for value in ODD.values():
            refused(lambda n=name, v=value: gc.fit("y ~ x", DATA, **{n: v}))
            refused(lambda n=name, v=value: gc.fit_arrays(DATA.y, MATRIX, **{n: v}))
    for name in inspect.signature(gc.Control).parameters:
        for value in ODD.values():
            refused(lambda n=name, v=value: gc.fit("y ~ x", DATA, control=gc.Control(**{n: v})))


def test_no_value_of_formula_data_or_arrays_comes_out_raw():
    for value in ODD.values():
        refused(lambda v=value: gc.fit(v, DATA))
        refused(lambda v=value: gc.fit("y ~ x", v))
        refused(lambda v=value: gc.fit_arrays(v, MATRIX))
        refused(lambda v=value: gc.fit_arrays(DATA.y, v))
        refused(lambda v=value: gc.fit_arrays(DATA.y, MATRIX, v))


def test_the_memory_limit_holds_for_arrays():
    control = gc.Control(memory_limit=8 * 3**2 - 1)
    for options in ({}, {"inflate": "1"}, {"family": "negbin", "dispersion": DATA[["z"]]}):
        error = refused(lambda o=options: gc.fit_arrays(DATA.y, MATRIX, control=control, **o))
        assert error.kind == "memory_limit"
    assert (
        refused(lambda: gc.fit_arrays(DATA.y, MATRIX, control=gc.Control(memory_limit=8 * 3**2)))
        is None
    )


def test_scalars_of_numpy_are_the_values_they_hold():
    plain = gc.fit("y ~ x", DATA, missing="raise", cov="HC1", compress=True)
    scalars = gc.fit(
        np.str_("y ~ x"),
        DATA,
        family=np.str_("poisson"),
        missing=np.str_("raise"),
        cov=np.str_("HC1"),
        compress=np.bool_(True),
        control=gc.Control(
            tol=np.float32(1e-6),
            maxiter=np.int64(30),
            threads=np.int8(1),
            memory=np.uint32(10**6),
            progress=np.bool_(False),
        ),
    )
    pd.testing.assert_series_equal(scalars.bse, plain.bse)
    positive = DATA.assign(y=DATA.y + 1)
    for k in (np.int64(0), np.uint8(0), np.array(0)):
        found = gc.fit("y ~ x", positive, truncated=k)
        assert found.llf == gc.fit("y ~ x", positive, truncated=0).llf
    for limit in (np.int64(3), np.float64(3.0), np.float32(3.0)):
        found = quietly(lambda c=limit: gc.fit("y ~ x", DATA, censored=c))
        assert found.llf == quietly(lambda: gc.fit("y ~ x", DATA, censored=3)).llf
    assert plain.conf_int(np.float32(0.5)).equals(plain.conf_int(0.5))
    assert len(plain.simulate(np.int64(2), rng=np.int64(3)).columns) == 2
    assert str(plain.summary(exponentiate=np.bool_(True))) == str(plain.summary(exponentiate=True))
    at = plain.predict(which=np.str_("prob"), at=np.int64(2))
    pd.testing.assert_series_equal(at, plain.predict(which="prob", at=2))


# Methods of a result ---------------------------------------------------------------------

RESULTS = {
    "poisson": gc.fit("y ~ x", DATA, exposure=np.ones(N), offset=np.zeros(N)),
    "negbin": quietly(lambda: gc.fit("y ~ x", DATA, family="negbin", inflate="z")),
    "arrays": gc.fit_arrays(DATA.y, MATRIX),
}
NEW = DATA.head(4)
METHODS = [
    name
    for name, one in inspect.getmembers(gc.Results, inspect.isfunction)
    if not name.startswith("_") and name not in ("refit", "grid", "with_data")
]
# What a method takes besides, so that each of its options is looked at.
BESIDE = {
    "newdata": {},
    "which": {},
    "at": {"which": "prob"},
    "offset": {"newdata": NEW, "exposure": np.ones(4)},
    "exposure": {"newdata": NEW, "offset": np.zeros(4)},
}
NEEDED = {
    "t_test": {"hypothesis": "x = 0"},
    "score_bootstrap": {"hypothesis": "x = 0", "groups": np.arange(N) % 5, "reps": 99},
    "score_test": {"terms": "x"},
    "contrasts": {"term": "x"},
    "equivalence": {"term": "x", "low": -1.0, "high": 1.0},
    "standardised_rate": {"reference": {"weight": [1.0]}, "by": "g"},
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_no_option_of_a_method_comes_out_raw(result, value):
    for method in METHODS:
        call = getattr(result, method)
        for option in inspect.signature(call).parameters:
            beside = BESIDE.get(option, NEEDED.get(method, {}))
            refused(lambda c=call, o={**beside, option: value}: c(**o))
    for which in ("quantile", "cdf", "mean"):
        refused(lambda w=which: result.predict(which=w, at=value))
    for constraint in ((value, 1.0), (np.eye(2), value), [value], {"x": value}, (value,) * 3):
        refused(lambda c=constraint: result.wald_test(c))
    refused(lambda: result.summary().render(value))
    prediction = result.get_prediction()
    refused(lambda: prediction.conf_int(value))
    refused(lambda: prediction.summary_frame(value))


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_no_change_of_a_refit_comes_out_raw(result, value):
    for name in (*get_type_hints(Changes), "other"):
        refused(lambda n=name: result.refit(**{n: value}))
    refused(lambda: result.refit(y=value, cov="HC1"))


@pytest.mark.parametrize(
    "alpha",
    ["a", None, float("nan"), 2, 0, 1, -0.1, np.ones(2), True, [0.05], pd.NA, 10**400],
    ids=str,
)
def test_alpha_is_a_number_between_0_and_1(alpha):
    result = RESULTS["poisson"]
    prediction = result.get_prediction()
    for call in (
        result.conf_int,
        lambda a: result.summary(alpha=a),
        lambda a: result.tidy(alpha=a),
        lambda a: result.t_test("x = 0", a),
        prediction.conf_int,
        prediction.summary_frame,
    ):
        assert kind(lambda c=call: c(alpha)) == "alpha"


@pytest.mark.parametrize("given", [5, None, "a", np.ones(2), DATA, [True]], ids=str)
def test_exponentiate_is_true_or_false(given):
    for call in (RESULTS["poisson"].summary, RESULTS["poisson"].tidy):
        assert kind(lambda c=call: c(exponentiate=given)) == "exponentiate"


# Refits ----------------------------------------------------------------------------------


def test_what_a_result_keeps_of_its_request_is_data():
    kept = RESULTS["poisson"].refit(y=DATA.y)._state.again
    held = {**vars(kept.request), **vars(kept.subject)}
    assert not any(callable(value) for value in held.values())
    assert isinstance(held, Mapping)


def test_arrays_keep_their_new_response_under_another_matrix():
    other = DATA.y[::-1].to_numpy() + 1
    first = gc.fit_arrays(DATA.y, MATRIX)
    found = first.refit(y=other).refit(X=MATRIX[["one"]])
    direct = gc.fit_arrays(other, MATRIX[["one"]])
    assert list(found.params) == list(direct.params)


def test_another_table_has_its_own_response():
    more = pd.concat([DATA, DATA.assign(y=DATA.y + 1)], ignore_index=True)
    found = gc.fit("y ~ x", DATA).refit(y=DATA.y + 2, cov="HC1").refit(data=more)
    assert list(found.params) == list(gc.fit("y ~ x", more).params)
    assert found.cov_type == "HC1"
